"""Files that a run reads, against the hashes under which they were stored.

Here belongs the proof that a file's bytes are the stored ones, before a run reads it and again
before anything made from it is published. A flipped bit in a compressed page need not keep the
engine from reading it: it may read other figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestration.errors import Corrupted
from orchestration.files import file_digest

_Signature = tuple[int, int, int, int]
# A file that was proved and has not been touched since is not read again: stages of one quarter,
# run by one process, share most of their inputs.
_proved: dict[tuple[Path, str], _Signature] = {}


def require_whole(files: Mapping[Path, str]) -> None:
    """See that each file holds the bytes of its SHA-256.

    Args:
        files: path and SHA-256.

    Raises:
        Corrupted: one is missing or has other bytes.
    """
    for path, sha256 in files.items():
        try:
            signature = _signature(path)
            if _proved.get((path, sha256)) == signature:
                continue
            digest = file_digest(path)
        except FileNotFoundError as error:
            raise Corrupted(
                f"{path} is missing, and runs are made from it; restore it from a backup"
            ) from error
        if digest != sha256:
            raise Corrupted(
                f"{path} does not hold the bytes that were stored there: its SHA-256 is another; "
                "restore it from a backup"
            )
        _proved[(path, sha256)] = signature


def _signature(path: Path) -> _Signature:
    status = path.stat()
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
