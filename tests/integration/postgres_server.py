"""A PostgreSQL server of a test's own: in a temporary folder, on a unix socket, gone afterwards.

Here belongs starting and stopping it; what fbacap does on it is in ``test_postgres``. Its roles log
in with a password, so that there is one that could be told.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.paths import PROJECT

_SETTINGS = "-c listen_addresses='' -c fsync=off -c unix_socket_directories='{folder}'"
_SET_UP = PROJECT / "deploy" / "postgres.sql"
_LOGINS = "local all postgres trust\nlocal all all scram-sha-256\n"
PASSWORD = "c4nary-of-the-database"  # noqa: S105 - of a server that lives as long as a test


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs, the newest where there are several."""
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")  # Debian keeps them off the path
    newest = max(versions, key=lambda path: float(path.parts[-3]), default=None)
    return None if newest is None else newest.parent


@contextmanager
def postgres_server(bin_folder: Path) -> Iterator[str]:
    """What `deploy/postgres.sql` makes; its URL without the role, to be filled in as `{role}`.

    PostgreSQL refuses to run as root; there it runs as the user that its package made.
    """
    with tempfile.TemporaryDirectory(prefix="fbacap-postgres-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")

        def run(program: str, *words: str) -> None:
            _run([str(bin_folder / program), *words], folder)

        cluster = str(folder / "cluster")
        kind = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        run("initdb", "-D", cluster, *kind)
        settings = _SETTINGS.format(folder=folder)
        run("pg_ctl", "-D", cluster, "-w", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            set_up = shutil.copy(_SET_UP, folder)
            connect = ("-h", str(folder), "-U", "postgres", "-v", "ON_ERROR_STOP=1")
            run("psql", *connect, "-f", str(set_up))
            for role in ("fbacap", "fbacap-audit"):
                run("psql", *connect, "-c", f"alter role \"{role}\" password '{PASSWORD}'")
            (folder / "cluster" / "pg_hba.conf").write_text(_LOGINS, encoding="utf-8")
            run("pg_ctl", "-D", cluster, "reload")
            yield f"postgresql+psycopg2://{{role}}:{PASSWORD}@/fbacap?host={folder}"
        finally:
            run("pg_ctl", "-D", cluster, "-w", "-m", "immediate", "stop")


def _run(command: list[str], folder: Path) -> None:
    """Run a program of the server as its user, in its folder, with what it said in an error."""
    as_its_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with (folder / "said").open("w+", encoding="utf-8") as said:
        done = subprocess.run(
            [*as_its_user, *command], cwd=folder, stdout=said, stderr=said, check=False
        )
        if done.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {said.read()}")
