"""What the disk, or what stands on it, did to a command, as a sentence for people.

Here belongs telling such faults from bugs, by the words of whoever met them first: Python, the
engine or SQLite, directly or through Dagster's record of a failed step. Faults that a room expects
of its own files it names itself.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from orchestration.errors import Corrupted, FbacapError, NotStored
from orchestration.paths import DataFolder

_FULL = (
    "No space left on device",
    "Disk quota exceeded",
    "database or disk is full",
    "File too large",
)
_CLOSED = (
    "Read-only file system",
    "Permission denied",
    "Operation not permitted",
    "attempt to write a readonly database",
    "unable to open database file",
)
_HISTORY = ("file is not a database", "database disk image is malformed", "malformed database")
_UNREADABLE = ("Input/output error", "disk I/O error")
_TORN = (
    "Could not read enough bytes from file",
    "Corrupt database file",
    "not a valid DuckDB database file",
)
_HISTORY_LACKS = re.compile(r"no such table: \w+")
_SQLITE = "sqlite3."
_LEAST_FREE_BYTES = 64 << 10  # SQLite calls it a fault of the disk that a page of it found no room
_PATH = re.compile(r"""["'](/[^"']+)["']""")


def explained(error: BaseException, root: Path | None = None) -> FbacapError | None:
    """An error as a person should meet it; None when it is no fault of the disk.

    Args:
        error: what was raised; what it was raised from and during is looked at too.
        root: the data folder, named where the words name no file; default: the environment's.
    """
    for each in _chain(error):
        fault = each if isinstance(each, FbacapError) else fault_in(str(each), root)
        if fault is not None:
            return fault
    return None


def fault_in(words: str, root: Path | None = None) -> FbacapError | None:
    """What the words of an error say of the disk; None when they say nothing of it.

    >>> words = "[Errno 28] No space left on device: '/market/work/x'"
    >>> print(fault_in(words))
    the disk is full: /market/work/x could not be written; nothing half-made counts, so free some \
space and give the same command again
    >>> fault_in("division by zero") is None
    True
    """
    data = DataFolder.from_environment() if root is None else DataFolder(root)
    place, path = _place(words, data)
    if _has(words, _FULL) or (_has(words, _UNREADABLE) and _is_full(path)):
        return NotStored(
            f"the disk is full: {place} could not be written; nothing half-made counts, so free "
            "some space and give the same command again"
        )
    if _has(words, _CLOSED):
        return NotStored(
            f"{place} cannot be opened for writing; give the user that runs fbacap the right to "
            "write there, or mount the disk writable, and give the same command again"
        )
    if _has(words, _HISTORY) or (_SQLITE in words and _HISTORY_LACKS.search(words)):
        return Corrupted(
            f"{place} is damaged; move that folder away and give the same command again: a new "
            "history of runs begins, and nothing published depends on the old one"
        )
    if _has(words, _TORN) and path.is_relative_to(data.work):
        return working_file_harmed(path, "is damaged")
    if _has(words, _UNREADABLE):
        return Corrupted(
            f"{place} cannot be read or written: the disk itself reports errors; check it, and "
            "restore what is lost from a backup"
        )
    return None


def working_file_harmed(path: Path, what: str) -> Corrupted:
    """The working file of a run is not what the run made; ``what``: what befell it."""
    return Corrupted(
        f"{path} {what} while its run was using it; nothing was published, so give the same "
        "command again: it makes a new one"
    )


def _place(words: str, data: DataFolder) -> tuple[str, Path]:
    """What the fault befell, in words, and where: the history of runs alone stands in SQLite."""
    if _SQLITE in words:
        home = os.environ.get("DAGSTER_HOME") or data.dagster_home
        return f"the history of runs in {home}", Path(home)
    named = _PATH.search(words)
    return (named[1], Path(named[1])) if named else (f"a file of {data.root}", data.root)


def _is_full(path: Path) -> bool:
    return path.exists() and shutil.disk_usage(path).free < _LEAST_FREE_BYTES


def _has(words: str, any_of: tuple[str, ...]) -> bool:
    return any(each in words for each in any_of)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__
