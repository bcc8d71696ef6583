"""Taking in a delivery: all of it or nothing, one at a time.

Here belong the lock, the order in which files appear, the commit and clearing up after a delivery
that was cut short. Reading and checking the files is ``preparing``.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from orchestration.errors import Busy, Corrupted
from orchestration.files import flush
from orchestration.landing.receipts import (
    RECEIPTS,
    STORED_NAME,
    TYPED_NAME,
    Delivery,
    Receipts,
    naive_utc,
    read_receipts,
    write_receipt,
)
from orchestration.landing.source_folder import survey


def receive(
    source: Path,
    landing: Path,
    *,
    received_at: datetime,
    historical: bool = False,
    progress: Callable[[str, float], None] | None = None,
    wait: bool = True,
) -> Delivery:
    """Take a folder of delivered files into the landing zone, all of it or nothing.

    Every ``<table>.csv`` or ``<table>.parquet``, and every such file in a folder ``<table>/``, is
    checked against the table's contract, kept as received and copied in the contract's types. A
    file whose bytes its table has received before is passed over.

    Args:
        source: the delivered folder; nothing in it is changed.
        landing: the landing zone, made when missing.
        received_at: when the delivery came, UTC when naive; what is known from then on counts for
            no cut-off before it (rules §1). A file's own ``received_at`` column comes first.
        historical: rows of files without that column count as received when they happened; see
            the decision on historical capacity for tables that name no event.
        progress: called with a file's name and the share of the delivery's bytes done, 0 to 1.
        wait: wait for a delivery in progress instead of refusing.

    Raises:
        BadInput: a file breaks its contract; nothing was taken in.
        Busy: another delivery is in progress and ``wait`` is false.
        Corrupted: the zone's receipts are not whole.
    """
    # The engine is loaded when there is something to read, so that importing this stays light.
    from orchestration.landing.preparing import Request, prepare

    found = survey(source)
    landing = landing.resolve()
    with _only_delivery(landing, wait=wait):
        receipts = read_receipts(landing)
        number = receipts.count + 1
        _remove_leftovers(landing, receipts)
        incoming = _incoming(landing)
        incoming.mkdir()
        try:
            prepared = prepare(
                Request(
                    survey=found,
                    landing=landing,
                    incoming=incoming,
                    number=number,
                    received_at=naive_utc(received_at),
                    historical=historical,
                    landed=receipts.files,
                ),
                progress or (lambda _name, _share: None),
            )
            delivery = Delivery(
                number=number if prepared.files else None,
                received_at=naive_utc(received_at),
                historical=historical,
                files=prepared.files,
                skipped=prepared.skipped,
                ignored=found.ignored,
            )
            if delivery.number is not None:
                _put_in_place(landing, prepared.moves)
                write_receipt(landing, delivery, receipts.last_sha256, found.note)
        finally:
            shutil.rmtree(incoming)
    return delivery


@contextmanager
def _only_delivery(landing: Path, *, wait: bool) -> Iterator[None]:
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


def _put_in_place(landing: Path, moves: tuple[tuple[Path, Path], ...]) -> None:
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
    next number; a typed file with another one is the trace of a receipt that has been lost.
    """
    named = {path for file in receipts.files for path in (file.stored_path, file.typed_path)}
    unnamed_typed = [
        path
        for path in sorted(landing.glob("typed/*/*"))
        if TYPED_NAME.fullmatch(path.name) and path not in named
    ]
    for path in unnamed_typed:
        match = TYPED_NAME.fullmatch(path.name)
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
    for path in (*unnamed_typed, *unnamed_stored, *(landing / RECEIPTS).glob(".*.json.tmp")):
        path.unlink()
    if _incoming(landing).is_dir():
        shutil.rmtree(_incoming(landing))
