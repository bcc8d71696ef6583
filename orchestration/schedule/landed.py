"""What has landed, as readiness judges it: from receipts, and the rows of two small tables.

Here belongs reading the landing zone; what its state means for a stage run is ``readiness``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from fbacap_logic.calendar import Quarter
from orchestration.contracts import load_contract
from orchestration.landing import LandedFile, landed_files
from orchestration.landing.receipts import RECEIPTS
from orchestration.schedule.readiness import NEEDS, Arrivals
from orchestration.service_levels import ServiceLevels


def landing_arrivals(landing: Path) -> tuple[tuple[LandedFile, ...], Arrivals]:
    """Every landed file, and what has arrived by when.

    Raises:
        Corrupted: a receipt is missing or damaged.
    """
    folder = landing / RECEIPTS
    marks = sorted((path.name, path.stat().st_mtime_ns) for path in folder.glob("*.json"))
    return _arrivals(landing, tuple(marks))


def input_levels() -> dict[str, ServiceLevels]:
    """The service levels of every table that a stage run may wait for."""
    return {table: load_contract(table).levels for tables in NEEDS.values() for table in tables}


@lru_cache(maxsize=4)
def _arrivals(
    landing: Path, marks: tuple[tuple[str, int], ...]
) -> tuple[tuple[LandedFile, ...], Arrivals]:
    """Read once for each state of the receipts, which ``marks`` tells apart."""
    files = landed_files(landing) if marks else ()
    first: dict[str, datetime] = {}
    last: dict[str, datetime] = {}
    for file in files:
        if file.received_at_min is None or file.received_at_max is None:
            continue
        earliest, latest = _utc(file.received_at_min), _utc(file.received_at_max)
        first[file.table] = min(first.get(file.table, earliest), earliest)
        last[file.table] = max(last.get(file.table, latest), latest)
    capacity = _earliest(files, "network_capacity", ("quarter",))
    supply = _earliest(files, "round_supply", ("quarter", '"round"'))
    return files, Arrivals(
        first_received=first,
        last_received=last,
        capacity={Quarter.containing(day): received for day, received in capacity},
        supply={(Quarter.containing(day), number): received for day, number, received in supply},
    )


def _earliest(files: Iterable[LandedFile], table: str, columns: Sequence[str]) -> list[Any]:
    from orchestration.engine import engine

    paths = [str(file.typed_path) for file in files if file.table == table and file.rows]
    if not paths:
        return []
    names = ", ".join(columns)
    with engine() as connection:
        found = connection.execute(
            f"select {names}, min(received_at) from read_parquet(?) group by all order by all",
            [paths],
        ).fetchall()
    return [(*row[:-1], _utc(row[-1])) for row in found]


def _utc(naive: datetime) -> datetime:
    return naive.replace(tzinfo=UTC)
