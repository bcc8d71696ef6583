"""The landing zone held open for one change: the lock, the commit, clearing up what was cut short.

Here belong the order in which files appear and the receipt that makes them count. What a delivery
brings is ``delivery``'s; what comes out of quarantine is ``release``'s.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.errors import Busy, Corrupted
from orchestration.files import flush
from orchestration.landing.landed_file import MADE_NAME, STORED_NAME
from orchestration.landing.receipts import (
    RECEIPTS,
    Delivery,
    Receipts,
    read_receipts,
    write_receipt,
)


@dataclass(frozen=True)
class OpenZone:
    """The zone while one process holds it.

    Attributes:
        landing: the zone.
        receipts: every receipt so far.
        number: the number of the next delivery.
        incoming: an empty folder for files in the making, removed at the end.
    """

    landing: Path
    receipts: Receipts
    number: int
    incoming: Path


@contextmanager
def open_zone(landing: Path, *, wait: bool) -> Iterator[OpenZone]:
    """Hold the zone for a change, after clearing up what an earlier one left.

    Raises:
        Busy: another process holds it and ``wait`` is false.
        Corrupted: the zone's receipts are not whole.
    """
    landing = landing.resolve()
    with _only_one(landing, wait=wait):
        receipts = read_receipts(landing)
        _remove_leftovers(landing, receipts)
        incoming = _incoming(landing)
        incoming.mkdir()
        try:
            yield OpenZone(landing, receipts, receipts.count + 1, incoming)
        finally:
            shutil.rmtree(incoming)


def commit(
    zone: OpenZone,
    delivery: Delivery,
    moves: Sequence[tuple[Path, Path]],
    note: Mapping[str, Any] | None,
) -> None:
    """Put a delivery's files in place and write its receipt, which makes them count.

    Raises:
        Corrupted: the files do not hold every row that was received; nothing is committed.
    """
    for file in delivery.files:
        if file.received_rows != file.rows + file.quarantined_rows:
            raise Corrupted(
                f"{file.source_name} has {file.received_rows:,} rows, of which {file.rows:,} were "
                f"accepted and {file.quarantined_rows:,} quarantined: rows were lost on the way, "
                "so nothing was taken in; deliver it again"
            )
    _put_in_place(zone.landing, moves)
    write_receipt(zone.landing, delivery, zone.receipts.last_sha256, note)


@contextmanager
def _only_one(landing: Path, *, wait: bool) -> Iterator[None]:
    """Hold the zone's lock; the system gives it back when the process ends, however it ends."""
    landing.mkdir(parents=True, exist_ok=True)
    with (landing / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as fault:
            raise Busy(
                f"another delivery is being received into {landing}; try again when it is done"
            ) from fault
        yield


def _incoming(landing: Path) -> Path:
    return landing / "incoming"


def _put_in_place(landing: Path, moves: Sequence[tuple[Path, Path]]) -> None:
    """Make files durable under their final names, which only the receipt then makes count."""
    folders = set()
    for temporary, final in moves:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o444)
        flush(temporary)
        temporary.replace(final)
        folders.update({final.parent, final.parent.parent})
    for folder in sorted({*folders, landing}):
        flush(folder)


def _remove_leftovers(landing: Path, receipts: Receipts) -> None:
    """Remove what a delivery that was cut short left: files that no receipt names.

    Only names that this package makes are touched. A cut-short delivery can only have borne the
    next number; a file made with another one is the trace of a receipt that has been lost.
    """
    named = {
        path
        for file in receipts.files
        for path in (file.stored_path, file.typed_path, file.quarantine_path)
    }
    unnamed_made = [
        path
        for folder in ("quarantine", "typed")
        for path in sorted(landing.glob(f"{folder}/*/*"))
        if MADE_NAME.fullmatch(path.name) and path not in named
    ]
    for path in unnamed_made:
        match = MADE_NAME.fullmatch(path.name)
        if match and int(match["number"]) != receipts.count + 1:
            raise Corrupted(
                f"{path} belongs to receipt {match['number']}, which does not name it or is "
                f"missing; restore {landing / RECEIPTS} from a backup"
            )
    unnamed_stored = [
        path
        for path in sorted(landing.glob("files/*/*"))
        if STORED_NAME.fullmatch(path.name) and path not in named
    ]
    for path in (*unnamed_made, *unnamed_stored, *(landing / RECEIPTS).glob(".*.json.tmp")):
        path.unlink()
    if _incoming(landing).is_dir():
        shutil.rmtree(_incoming(landing))
