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
    progress: Progress | None = None,
) -> Delivery:
    """Take a folder in; kind ``olist`` converts the Olist marketplace's files first.

    Raises:
        BadInput: something in the folder breaks a contract; nothing of it has landed.
    """
    arrived = utc_now()
    if kind == "tables":
        return receive(
            folder, data.landing, received_at=arrived, historical=historical, progress=progress
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
            progress=progress,
        )


def delivery_summary(delivery: Delivery) -> dict[str, Any]:
    """What became of a delivery, as plain values."""
    return {
        "delivery": delivery.number,
        "taken_in": [
            {
                "table": file.table,
                "file": file.source_name,
                "sha256": file.sha256,
                "rows": file.rows,
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

    number = "nothing new" if delivery.number is None else f"delivery {delivery.number}"
    table = Table("table", "file", Column("rows", justify="right"), "", title=number)
    for file in delivery.files:
        note = "taken in, simulated" if file.simulated else "taken in"
        table.add_row(file.table, Text(file.source_name), f"{file.rows:,}", note)
    for skipped in delivery.skipped:
        note = f"landed before, with delivery {skipped.delivery}"
        table.add_row(skipped.table, Text(skipped.source_name), "", note)
    console.print(table)
    for how in sorted({file.simulated for file in delivery.files if file.simulated}):
        tables = ", ".join(file.table for file in delivery.files if file.simulated == how)
        console.print(Text(f"simulated: {tables}: {how}"))
    if delivery.ignored:
        console.print(Text(f"ignored: {', '.join(delivery.ignored)}"))
