"""Whether the feeds that a stage run reads are as young as their contracts promise; warnings.

Here belongs what a run says of it, at its own cut-off. Whether a scheduled run waits for a feed is
``readiness``; what is published of the market depends on neither.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb

from fbacap_logic.calendar import StageCutoff
from orchestration.checks.outcomes import record_outcome
from orchestration.contracts import contract_names, load_contract
from orchestration.resources import Market
from orchestration.schedule.readiness import NEEDS, feed_age_days, is_fresh
from orchestration.service_levels import ServiceLevels
from orchestration.working import connect

CHECK_NAME = "freshness"
RULE_NAME = "newest_row_is_fresh"


def feeds() -> tuple[str, ...]:
    """The input tables whose contracts say how often rows are received."""
    return tuple(name for name in contract_names("input") if load_contract(name).levels.is_feed)


def freshness_specs() -> list[dg.AssetCheckSpec]:
    """A check for every feed; none of them stops a run."""
    return [
        dg.AssetCheckSpec(
            CHECK_NAME,
            asset=dg.AssetKey(["landing", table]),
            blocking=False,
            description=(
                f"{_promise(table)} (slaProperties of its contract); "
                "a warning, which stops nothing."
            ),
        )
        for table in feeds()
    ]


def freshness_results(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.AssetCheckResult]:
    """Judge the feeds that this stage run reads; the others pass unjudged."""
    stage = market.stage_run(context).stage
    with connect(market.working_file(context)) as connection:
        newest = {table: _newest(connection, table) for table in feeds()}
    rules = [judge_feed(table, received, stage) for table, received in newest.items()]
    outcome = {"table": CHECK_NAME, "kind": CHECK_NAME, "passed": True, "rules": rules}
    record_outcome(market.folder(context), CHECK_NAME, outcome)
    for rule, received in zip(rules, newest.values(), strict=True):
        yield _result(rule, received, stage)


def judge_feed(table: str, received: datetime | None, stage: StageCutoff) -> dict[str, Any]:
    """One feed at a stage run's cut-off, as ``outcomes`` keeps it; the feed counts as one row.

    Args:
        table: the feed.
        received: when its newest row was received (UTC); None when there is none.
        stage: the stage run.
    """
    contract = load_contract(table)
    judged = table in NEEDS[stage.kind]
    passed = not judged or (
        received is not None and is_fresh(received, stage.cutoff_at, contract.levels)
    )
    about = {name: str(value) for name, value in _age(received, stage).items()}
    return {
        "table": table,
        "name": RULE_NAME,
        "kind": CHECK_NAME,
        "sentence": f"{_promise(table)}.",
        "severity": "warning",
        "contract_version": contract.version,
        "passed": passed,
        "judged": judged,
        "rows": 1 if judged else None,
        "failed_rows": int(not passed),
        "sample": [] if passed else [about],
    }


def _newest(connection: duckdb.DuckDBPyConnection, table: str) -> datetime | None:
    ((newest,),) = connection.execute(f"select max(received_at) from landing.{table}").fetchall()
    return None if newest is None else newest.replace(tzinfo=UTC)


def _promise(table: str) -> str:
    days = load_contract(table).levels.tolerance_days
    return f"The newest row of {table} was received at most {days} days before the cut-off"


def _age(received: datetime | None, stage: StageCutoff) -> dict[str, str | int]:
    if received is None:
        return {"newest_received_at": "never"}
    age = feed_age_days(received, stage.cutoff_at)
    return {"newest_received_at": received.isoformat(), "age_days": age}


def _result(
    rule: Mapping[str, Any], received: datetime | None, stage: StageCutoff
) -> dg.AssetCheckResult:
    table, levels = rule["table"], load_contract(rule["table"]).levels
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(["landing", table]),
        check_name=CHECK_NAME,
        passed=rule["passed"],
        severity=dg.AssetCheckSeverity.WARN,
        description=freshness_sentence(table, stage, received, levels, is_read=rule["judged"]),
        metadata={"tolerance_days": levels.tolerance_days, **_age(received, stage)},
    )


def freshness_sentence(
    table: str,
    stage: StageCutoff,
    received: datetime | None,
    levels: ServiceLevels,
    *,
    is_read: bool,
) -> str:
    """How old a feed is at a cut-off, and what to do when it is too old.

    Args:
        table: the feed.
        stage: the stage run, whose cut-off counts.
        received: when its newest row was received (UTC); None when there is none.
        levels: what its contract promises.
        is_read: whether the stage run reads it.
    """
    if not is_read:
        return f"{stage.name} does not read {table}"
    remedy = f"ingest what is missing of {table} and run {stage.name} again"
    if received is None:
        return f"no {table} had been received by the cut-off; {remedy}"
    age = feed_age_days(received, stage.cutoff_at)
    told = f"the newest of {table} was received {age} days before the cut-off"
    if is_fresh(received, stage.cutoff_at, levels):
        return told
    return f"{told}, more than the {levels.tolerance_days} its contract allows; {remedy}"
