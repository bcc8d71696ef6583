"""A real ``fbacap`` process, killed at a chosen instant with everything that it started.

Here belongs one process from its start to its end. What must hold afterwards is ``wreck``.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.paths import PROJECT

_RUN_ID = re.compile(r"[0-9a-f]{8}(?:\\?-[0-9a-f]{4}){3}\\?-[0-9a-f]{12}")
_ANY_RUN_ID = "[0-9a-f-]{36}"
_HOOK = Path(__file__).parent / "hook"


@dataclass(frozen=True)
class Instant:
    """When to kill: before the ``at``-th instant of a kind, or after some seconds (kind time).

    Attributes:
        kind: file (a change of a file), event (one that Dagster records) or time.
        at: which instant, from 1, or how many seconds.
        match: a pattern of the instants that count; what happens and where: ``os.rename work/x``.
    """

    kind: str
    at: float = 1
    match: str = ""


@dataclass(frozen=True)
class Ended:
    """How a process ended. ``instant``: what was about to happen when it was killed, if known."""

    returncode: int
    output: str
    errors: str
    instant: str

    @property
    def was_killed(self) -> bool:
        return self.returncode == -signal.SIGKILL


def fbacap(root: Path, *words: str, **how: Any) -> Ended:
    """Run a command over a data folder; how: as ``process``."""
    return process(root, "orchestration.cli", *words, **how)


def process(
    root: Path,
    module: str,
    *words: str,
    kill: Instant | None = None,
    wreck: str | None = None,
    record: str | None = None,
    harm: Mapping[str, str] | None = None,
    home: Path | None = None,
    log: Path | None = None,
) -> Ended:
    """Run a module over a data folder, to its end or until it is killed.

    Args:
        root: the data folder.
        module: the module.
        words: its arguments.
        kill: when to kill it; None: not at all.
        wreck: a commit protocol to break on purpose.
        record: a kind of instants to write down, all of them, in ``log``.
        harm: at ``kill``'s instant do this to a file instead: ``how`` remove, truncate or flip,
            ``path`` the file, a pattern below the data folder.
        home: Dagster's home; default: in the data folder.
        log: where; default: beside the data folder.
    """
    log = log or root.parent / f"{root.name}-instants"
    log.unlink(missing_ok=True)
    by_hook = kill if kill is not None and kill.kind != "time" else None
    order = {
        "root": str(root), "log": str(log), "wreck": wreck,
        "kind": by_hook.kind if by_hook else record, "at": int(by_hook.at) if by_hook else None,
        "harm": dict(harm) if harm else None,
        "match": by_hook.match if by_hook else "",
    }  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "FBACAP_DATA": str(root)}
    environment.pop("DAGSTER_HOME", None)
    if home is not None:
        environment["DAGSTER_HOME"] = str(home)
    if by_hook or wreck or record:
        environment["PYTHONPATH"] = f"{_HOOK}{os.pathsep}{PROJECT}"
        environment["FBACAP_FAULT"] = json.dumps(order)
    started = subprocess.Popen(
        [sys.executable, "-m", module, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=root.parent, env=environment, start_new_session=True,
    )  # fmt: skip
    seconds = kill.at if kill is not None and kill.kind == "time" else None
    try:
        output, errors = started.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)
        output, errors = started.communicate()
    instant = _last_instant(log) if by_hook else (f"after {kill.at:.2f} s" if kill else "")
    return Ended(started.returncode, output, errors, instant)


def harm_file(path: Path, how: str) -> None:
    """Remove a file, cut it in half, or flip a bit in its middle; read-only files too."""
    if how == "remove":
        path.unlink()
        return
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    if how == "truncate":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes(content)


def instants(log: Path) -> list[Instant]:
    """What ``record`` wrote down, each to be found again in another run of the same stage."""
    found: list[Instant] = []
    for line in log.read_text(encoding="utf-8").splitlines():
        kind, _, what, where = json.loads(line)
        pattern = "^" + _RUN_ID.sub(_ANY_RUN_ID, re.escape(f"{what} {where}")) + "$"
        found.append(Instant(kind, 1 + sum(each.match == pattern for each in found), pattern))
    return found


def _last_instant(log: Path) -> str:
    if not log.exists():
        return ""
    _, _, what, where = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    return f"{what} {where}"
