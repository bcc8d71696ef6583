"""``fbacap ingest``: a folder of input tables, or of a known marketplace's own files.

Here belongs choosing how a folder becomes a delivery and saying what became of it; receiving it is
``landing``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.landing import Delivery, receive
from orchestration.paths import DataFolder
from orchestration.runner import utc_now

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[str, float], None]


def ingest_folder(
    data: DataFolder,
    folder: Path,
    *,
    kind: str,
    historical: bool,
    strict: bool = False,
    progress: Progress | None = None,
) -> Delivery:
    """Take a folder in; kind ``olist`` converts the Olist marketplace's files first.

    Raises:
        BadInput: a file cannot be read or has too many bad rows, or, when ``strict``, any; nothing
            of the folder has landed.
    """
    arrived = utc_now()
    if kind == "tables":
        return receive(
            folder,
            data.landing,
            received_at=arrived,
            historical=historical,
            strict=strict,
            progress=progress,
        )
    from orchestration.simulation.olist import write_olist_delivery

    if progress is not None:
        progress(f"converting {folder}", 0.0)
    with tempfile.TemporaryDirectory(prefix="fbacap-olist-") as converted:
        write_olist_delivery(folder, Path(converted))
        return receive(
            Path(converted),
            data.landing,
            received_at=arrived,
            historical=historical,
            strict=strict,
            progress=progress,
        )


def delivery_summary(delivery: Delivery) -> dict[str, Any]:
    """What became of a delivery, as plain values."""
    return {
        "delivery": delivery.number,
        "received_rows": sum(file.received_rows for file in delivery.files),
        "accepted_rows": sum(file.rows for file in delivery.files),
        "quarantined_rows": sum(file.quarantined_rows for file in delivery.files),
        "taken_in": [
            {
                "table": file.table,
                "file": file.source_name,
                "sha256": file.sha256,
                "received_rows": file.received_rows,
                "rows": file.rows,
                "quarantined_rows": file.quarantined_rows,
                "warned_rows": dict(file.warned_rows),
                "simulated": file.simulated,
            }
            for file in delivery.files
        ],
        "already_landed": [
            {
                "table": file.table,
                "file": file.source_name,
                "sha256": file.sha256,
                "delivery": file.delivery,
            }
            for file in delivery.skipped
        ],
        "ignored": list(delivery.ignored),
    }


def print_delivery(console: Console, delivery: Delivery) -> None:
    """Print what became of a delivery."""
    from rich.table import Column, Table
    from rich.text import Text

    from orchestration.landing.words import printable

    number = "nothing new" if delivery.number is None else f"delivery {delivery.number}"
    apart = sum(file.quarantined_rows for file in delivery.files)
    counts = [Column(name, justify="right") for name in ("received", "accepted", "quarantined")]
    table = Table("table", "file", *(counts if apart else [Column("rows", justify="right")]), "",
                  title=number)  # fmt: skip
    for file in delivery.files:
        note = "taken in, simulated" if file.simulated else "taken in"
        rows = (file.received_rows, file.rows, file.quarantined_rows) if apart else (file.rows,)
        name = Text(printable(file.source_name))
        table.add_row(file.table, name, *(f"{count:,}" for count in rows), note)
    for skipped in delivery.skipped:
        note = f"landed before, with delivery {skipped.delivery}"
        blank = [""] * (len(table.columns) - 3)
        table.add_row(skipped.table, Text(printable(skipped.source_name)), *blank, note)
    console.print(table)
    for file in delivery.files:
        for rule, rows_warned in file.warned_rows:
            told = f"warning: {rows_warned:,} of the rows of {printable(file.source_name)} break"
            console.print(Text(f"{told} {rule}; they were taken in"))
    if apart:
        rows_were = "row breaks its" if apart == 1 else "rows break their"
        console.print(
            f"{apart:,} {rows_were} contract and no run will see {'it' if apart == 1 else 'them'}: "
            f"fbacap quarantine list --delivery {delivery.number}",
            soft_wrap=True,
        )
    for how in sorted({file.simulated for file in delivery.files if file.simulated}):
        tables = ", ".join(file.table for file in delivery.files if file.simulated == how)
        console.print(Text(f"simulated: {tables}: {printable(how)}"))
    if delivery.ignored:
        console.print(Text(f"ignored: {', '.join(delivery.ignored)}"))
