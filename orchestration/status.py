"""Every quarter at a glance: what was published, what is due, what comes next."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from fbacap_logic.calendar import Quarter, quarter_range
from orchestration.markets import quarters_with_market
from orchestration.paths import DataFolder
from orchestration.policies import policy_for
from orchestration.published import (
    PublishedRun,
    last_of,
    published_quarters,
    published_runs,
)

if TYPE_CHECKING:
    from rich.console import Console


def quarter_status(data: DataFolder, now: datetime) -> list[dict[str, Any]]:
    """One row a quarter and stage run, from the first quarter with a market to the last.

    A quarter is listed when its market's capacity has landed or something of it was published. A
    directed rerun's row comes after its quarter's stages, with its reason.
    """
    quarters = {*published_quarters(data.published), *quarters_with_market(data)}
    if not quarters:
        return []
    rows = []
    for quarter in quarter_range(min(quarters), max(quarters)):
        runs = published_runs(data.published, quarter)  # once: a run may be published meanwhile
        for stage in policy_for(data.policies, quarter).calendar_of(quarter).stages:
            run = last_of(runs, stage.name)
            state = "published" if run else "due" if stage.cutoff_at <= now else "to come"
            rows.append(_row(quarter, stage.name, stage.cutoff_at, state, run))
        rows += [
            _row(quarter, run.stage, run.cutoff_at, "published", run)
            for run in runs
            if run.reason is not None
        ]
    return rows


def _row(
    quarter: Quarter, stage: str, cut_off: datetime, state: str, run: PublishedRun | None
) -> dict[str, Any]:
    return {
        "quarter": quarter.label,
        "stage": stage,
        "cut_off": cut_off.date().isoformat(),
        "state": state,
        "run": run.run if run else None,
        "rows": sum(entry["rows"] for entry in run.tables.values()) if run else None,
        "reason": run.reason if run else None,
    }


def print_status(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print the rows, a line a quarter, then the directed reruns with their reasons.

    Fits 80 columns; dates are ``fbacap calendar``'s to show.
    """
    from rich.table import Column, Table
    from rich.text import Text

    if not rows:
        console.print("nothing has landed yet: fbacap generate DIR, then fbacap ingest DIR")
        return
    reruns = [row for row in rows if row["reason"] is not None]
    stages = list(dict.fromkeys(row["stage"] for row in rows if row["reason"] is None))
    columns = [Column(stage, no_wrap=True) for stage in stages]
    table = Table(
        Column("quarter", no_wrap=True), *columns, box=None, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for quarter in dict.fromkeys(row["quarter"] for row in rows):
        mine = {row["stage"]: row for row in rows if row["quarter"] == quarter}
        table.add_row(quarter, *(_cell(mine.get(stage)) for stage in stages))
    console.print(table)
    console.print("when each is due: fbacap calendar QUARTER", highlight=False)
    for row in reruns:
        told = f"{row['quarter']} {row['stage']}: run {row['run']}, cut-off {row['cut_off']}"
        console.print(Text(f"{told}, because: {row['reason']}"), soft_wrap=True)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if row["state"] == "published":
        return f"run {row['run']}"
    return str(row["state"])
