"""Taking in a delivery: all of it or nothing, one at a time.

Here belongs what a delivered folder becomes. Reading and checking its files is ``preparing``; the
lock, the commit and clearing up after a delivery that was cut short are ``zone``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from orchestration.landing.landed_file import naive_utc
from orchestration.landing.receipts import Delivery
from orchestration.landing.source_folder import survey
from orchestration.landing.zone import commit, open_zone


def receive(
    source: Path,
    landing: Path,
    *,
    received_at: datetime,
    historical: bool = False,
    strict: bool = False,
    progress: Callable[[str, float], None] | None = None,
    wait: bool = True,
) -> Delivery:
    """Take a folder of delivered files into the landing zone, all of it or nothing.

    Every ``<table>.csv`` or ``<table>.parquet``, and every such file in a folder ``<table>/``, is
    checked against the table's contract, kept as received and copied in the contract's types. Rows
    that break the contract are kept apart, in quarantine, and no run sees them. A file whose bytes
    its table has received before is passed over.

    Args:
        source: the delivered folder; nothing in it is changed.
        landing: the landing zone, made when missing.
        received_at: when the delivery came, UTC when naive; what is known from then on counts for
            no cut-off before it (rules §1). A file's own ``received_at`` column comes first.
        historical: rows of files without that column count as received when they happened; see
            the decision on historical capacity for tables that name no event.
        strict: refuse the delivery for its first bad row instead of keeping it apart.
        progress: called with a file's name and the share of the delivery's bytes done, 0 to 1.
        wait: wait for a delivery in progress instead of refusing.

    Raises:
        BadInput: a file cannot be read, has too many bad rows, or has one and ``strict`` is true;
            nothing was taken in.
        Busy: another delivery is in progress and ``wait`` is false.
        Corrupted: the zone's receipts are not whole.
    """
    # The engine is loaded when there is something to read, so that importing this stays light.
    from orchestration.landing.preparing import Request, prepare

    found = survey(source)
    with open_zone(landing, wait=wait) as zone:
        prepared = prepare(
            Request(
                survey=found,
                landing=zone.landing,
                incoming=zone.incoming,
                number=zone.number,
                received_at=naive_utc(received_at),
                historical=historical,
                landed=zone.receipts.files,
                bad_rows="refuse" if strict else "quarantine",
            ),
            progress or (lambda _name, _share: None),
        )
        delivery = Delivery(
            number=zone.number if prepared.files else None,
            received_at=naive_utc(received_at),
            historical=historical,
            files=prepared.files,
            skipped=prepared.skipped,
            ignored=found.ignored,
        )
        if delivery.number is not None:
            commit(zone, delivery, prepared.moves, found.note)
    return delivery
