"""A PostgreSQL server of a test's own: in a temporary folder, on a unix socket, gone afterwards.

Here belongs starting and stopping it; what fbacap does on it is in ``test_postgres``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SETTINGS = "-c listen_addresses='' -c fsync=off -c unix_socket_directories='{folder}'"
ROLE = "fbacap"
DATABASE = "fbacap"


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
    """An empty database and a role that owns it, as the URL that fbacap is given.

    PostgreSQL refuses to run as root; there it runs as the user that its package made.
    """
    with tempfile.TemporaryDirectory(prefix="fbacap-postgres-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")

        def run(program: str, *words: str) -> None:
            _run([str(bin_folder / program), *words], folder)

        cluster = str(folder / "cluster")
        run("initdb", "-D", cluster, "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        settings = _SETTINGS.format(folder=folder)
        run("pg_ctl", "-D", cluster, "-w", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            run("createdb", "-h", str(folder), "-U", ROLE, DATABASE)
            yield f"postgresql+psycopg2://{ROLE}@/{DATABASE}?host={folder}"
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
