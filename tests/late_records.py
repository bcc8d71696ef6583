"""A generated quarter settled four times, with refunds and snapshots that came late in between.

Here belongs making it; what must hold of its runs is in the tests that share it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from fbacap_logic.calendar import Quarter
from orchestration.files import file_digest
from orchestration.ingest import ingest_folder
from orchestration.outcome import StageOutcome
from orchestration.paths import DataFolder
from orchestration.runner import choose_stages, rerun_quarter, run_quarter, utc_now
from orchestration.simulation import generate

QUARTER = Quarter(2025, 4)
REASON = 'late refunds of one carrier, "north" <b>'
RERUN_CUT_OFF = datetime(2026, 6, 1, tzinfo=UTC)


def announced_and_cleared(root: Path) -> DataFolder:
    """A small marketplace whose quarter is announced and whose rounds have closed."""
    generate(root / "input", sellers=60, quarters=1, seed=7, last_quarter=QUARTER)
    data = DataFolder(root / "data")
    ingest_folder(data, root / "input", kind="tables", historical=True)
    run_stages(data, "announce", "round-4")
    return data


def run_stages(data: DataFolder, *names: str) -> list[StageOutcome]:
    stages = choose_stages(data, QUARTER, None, utc_now())
    return list(run_quarter(data, QUARTER, [stage for stage in stages if stage.name in names]))


def rerun(data: DataFolder, reason: str = REASON) -> StageOutcome:
    return rerun_quarter(data, QUARTER, reason, RERUN_CUT_OFF, utc_now())


def settled_four_times(data: DataFolder) -> None:
    """Preliminary, final, true-up and a directed rerun, each knowing of more refunds."""
    run_stages(data, "preliminary")
    deliver_refunds(data, part=0, received_at="2026-01-20")
    run_stages(data, "final")
    deliver_refunds(data, part=1, received_at="2026-03-01")
    deliver_empty_shelves(data, received_at="2026-03-02")
    run_stages(data, "true-up")
    deliver_refunds(data, part=2, received_at="2026-05-20")
    rerun(data)


def deliver_refunds(data: DataFolder, *, part: int, received_at: str) -> None:
    """Every fourth sale of the quarter paid back, as known from an instant on."""
    lines = f"{data.landing}/typed/order_lines/*.parquet"
    _deliver(
        data,
        f"refunds-{part}-{received_at}",
        "refunds",
        f"""
        select 'late-' || order_line_id as refund_id, order_line_id,
               timestamp '2025-12-31' as refunded_at, revenue as amount,
               timestamp '{received_at}' as received_at
        from (
            select *, row_number() over (order by order_line_id) % 4 as part
            from read_parquet('{lines}')
            where ordered_at >= timestamp '2025-10-01' and ordered_at < timestamp '2026-01-01'
              and seller_id <> 'halloween-shop' and revenue > 0
        )
        where part = {part}
        """,
    )


def deliver_empty_shelves(data: DataFolder, *, received_at: str) -> None:
    """A snapshot taken again: on one day nothing was on hand after all."""
    snapshots = f"{data.landing}/typed/inventory_snapshots/*.parquet"
    _deliver(
        data,
        f"shelves-{received_at}",
        "inventory_snapshots",
        f"""
        select snapshot_date, marketplace_id, seller_id, sku, 0 as on_hand_units,
               0 as inbound_units, 0 as stranded_units, timestamp '{received_at}' as received_at
        from read_parquet('{snapshots}') where snapshot_date = date '2025-12-01'
        """,
    )


def zone_bytes(data: DataFolder) -> dict[str, str]:
    """Every file of the published zone with its hash."""
    return {
        path.relative_to(data.published).as_posix(): file_digest(path)
        for path in sorted(data.published.rglob("*"))
        if path.is_file()
    }


def _deliver(data: DataFolder, name: str, table: str, query: str) -> None:
    folder = data.root.parent / f"delivery-{name}"
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{folder / f'{table}.parquet'}'")
    ingest_folder(data, folder, kind="tables", historical=False)
