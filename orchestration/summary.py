"""What a person reads after a run: stages, markets and rounds, settlements, where the tables are.

Here belongs turning outcomes and published figures into plain values and into text; the figures
themselves are read from the published zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fbacap_logic.calendar import Quarter
from orchestration.catalogue import query
from orchestration.paths import DataFolder
from orchestration.stages import STAGES, Stage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table

    from orchestration.outcome import StageOutcome

_MARKET_SQL = """
select marketplace_id, storage_type, round, supply_ft3, demanded_ft3, granted_ft3, unsold_ft3,
       clearing_fee_per_ft3, currency
from fct_market_rounds where quarter = '{quarter}'
order by marketplace_id, storage_type, round
"""
_SETTLEMENT_SQL = """
with grants as (
    select marketplace_id, count(*) as grants from settlements where quarter = '{quarter}'
    group by marketplace_id
)
select marketplace_id, currency, any_value(grants.grants) as grants,
       sum(winners) as winners, sum(winners_wholly_offset) as winners_wholly_offset,
       sum(fee) as fee, sum(credit) as credit, sum(net_due) as net_due
from fct_quarter_summary join grants using (marketplace_id)
where quarter = '{quarter}'
group by marketplace_id, currency order by marketplace_id
"""


def quarter_summary(
    data: DataFolder, quarter: Quarter, outcomes: Sequence[StageOutcome]
) -> dict[str, Any]:
    """Everything the summary shows, as plain values for ``--json``."""
    return {
        "quarter": quarter.label,
        "stages": stage_rows(outcomes),
        "runs": [
            {
                "stage": outcome.stage.name,
                "run": outcome.published.run,
                "is_new": outcome.is_new,
                "superseded": outcome.superseded_sentence,
                "warnings": [check.description for check in outcome.warnings],
                "seconds": round(outcome.seconds, 2),
            }
            for outcome in outcomes
        ],
        "markets": _rows(data, _MARKET_SQL.format(quarter=quarter.label)),
        "settlements": settlement_rows(data, quarter),
        "published": str(data.published),
    }


def settlement_rows(data: DataFolder, quarter: Quarter) -> list[dict[str, Any]]:
    """What a quarter's latest settlement comes to, a row a marketplace; none before the first."""
    return _rows(data, _SETTLEMENT_SQL.format(quarter=quarter.label))


def stage_rows(outcomes: Sequence[StageOutcome]) -> list[dict[str, Any]]:
    """One row for each of the lifecycle's stages, over all the stage runs of one quarter.

    Rows are those of the last run, checks and seconds those of all runs together. The contracts
    counted are those of the tables that the stage reads and makes.
    """
    rows = []
    for stage in STAGES:
        held = [outcome for outcome in outcomes if outcome.stage.kind in stage.kinds]
        if held:
            rows.append(_stage_row(stage, held))
    return rows


def _stage_row(stage: Stage, held: Sequence[StageOutcome]) -> dict[str, Any]:
    last = {entry.table: entry for entry in held[-1].tables}
    made = [last[table] for table in stage.tables]
    facts = {name.removeprefix("facts.") for name in stage.reads if name.startswith("facts.")}
    checks = [
        check
        for outcome in held
        for check in outcome.checks
        if check.table in stage.tables or check.table in facts
    ]
    seconds = sum(
        max(entry.seconds or 0.0 for entry in outcome.tables if entry.table in stage.tables)
        for outcome in held
    )
    return {
        "stage": stage.name,
        "last_run": held[-1].stage.name,
        "rows_in": max(entry.rows_in or 0 for entry in made),
        "rows_out": sum(entry.rows_out or 0 for entry in made),
        "checks_passed": sum(check.passed for check in checks),
        "checks": len(checks),
        "seconds": round(seconds, 2),
    }


def print_summary(console: Console, summary: dict[str, Any]) -> None:
    """Print a quarter's summary as tables."""
    console.print(_stage_table(summary))
    if summary["markets"]:
        console.print(_market_table(summary))
    if summary["settlements"]:
        console.print(_settlement_table(summary))
    runs = ", ".join(
        f"{run['stage']} {'→ run' if run['is_new'] else '= run'} {run['run']}"
        for run in summary["runs"]
    )
    console.print(f"published runs:   {runs}", soft_wrap=True, highlight=False)
    for run in summary["runs"]:
        if run["superseded"]:
            console.print(f"not published:    {run['superseded']}", soft_wrap=True, highlight=False)
    for warning, stages in _stages_by_warning(summary).items():
        told = f"warning:          {', '.join(stages)}: {warning}"
        console.print(told, soft_wrap=True, highlight=False, markup=False)
    console.print(f"published tables: {summary['published']}", soft_wrap=True, highlight=False)
    console.print(
        'look at them:     fbacap sql "select * from settlements where quarter = '
        f"'{summary['quarter']}' limit 10\"",
        soft_wrap=True,
        highlight=False,
    )


def _stages_by_warning(summary: dict[str, Any]) -> dict[str, list[str]]:
    """Which stage runs gave each warning, in order: one that all of them give is told once."""
    stages: dict[str, list[str]] = {}
    for run in summary["runs"]:
        for warning in run["warnings"]:
            stages.setdefault(warning, []).append(run["stage"])
    return stages


def _stage_table(summary: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("stage", *_right("rows in", "rows out"), "contracts", *_right("seconds"))
    table.title = f"{summary['quarter']}: six stages"
    for row in summary["stages"]:
        broken = row["checks"] - row["checks_passed"]
        verdict = f"{broken} broken" if broken else f"all {row['checks']} hold"
        rows = (f"{row['rows_in']:,}", f"{row['rows_out']:,}")
        table.add_row(row["stage"], *rows, verdict, f"{row['seconds']:.2f}")
    table.caption = "contracts, dbt tests and invariants of what each stage reads and makes"
    return table


def _market_table(summary: dict[str, Any]) -> Table:
    from rich.table import Table

    figures = _right("round", "supply ft³", "demanded ft³", "granted ft³", "clearing fee / ft³")
    table = Table("market", *figures)
    table.title = f"{summary['quarter']}: markets and rounds"
    before = None
    for row in summary["markets"]:
        market = f"{row['marketplace_id']} {row['storage_type']}"
        fee = row["clearing_fee_per_ft3"]
        table.add_row(
            "" if market == before else market,
            str(row["round"]),
            f"{row['supply_ft3']:,}",
            f"{row['demanded_ft3']:,}",
            f"{row['granted_ft3']:,}",
            "–" if fee is None else money(fee, row["currency"]),
        )
        before = market
    return table


def _settlement_table(summary: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("marketplace", *_right("grants", "fees", "credits", "net due", "wholly offset"))
    table.title = f"{summary['quarter']}: settlements"
    for row in summary["settlements"]:
        share = _share(row["winners_wholly_offset"], row["winners"])
        table.add_row(
            row["marketplace_id"],
            f"{row['grants']:,}",
            *(money(row[name], row["currency"]) for name in ("fee", "credit", "net_due")),
            f"{row['winners_wholly_offset']:,} of {row['winners']:,} winners ({share})",
        )
    return table


def money(amount: Decimal, currency: str) -> str:
    """An amount with as many places as its currency has.

    >>> money(Decimal("20000.0000"), "USD"), money(Decimal("150.0000"), "JPY")
    ('20,000.00 USD', '150 JPY')
    """
    import iso4217

    places = iso4217.Currency(currency).exponent or 0
    return f"{amount:,.{places}f} {currency}"


def _share(part: int, whole: int) -> str:
    return f"{Decimal(part) * 100 / Decimal(whole):.1f} %" if whole else "none"


def _rows(data: DataFolder, sql: str) -> list[dict[str, Any]]:
    columns, rows = query(data, sql)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _right(*names: str) -> list[Column]:
    from rich.table import Column

    return [Column(name, justify="right") for name in names]
