"""Whether the feeds that a stage run reads are as young as their contracts promise; a warning.

Here belongs what a run says of it, at its own cut-off. Whether a scheduled run waits for a feed is
``readiness``; nothing published depends on either.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from fbacap_logic.calendar import StageCutoff
from orchestration.contracts import contract_names, load_contract
from orchestration.resources import Market
from orchestration.schedule.readiness import NEEDS, feed_age_days, is_fresh
from orchestration.service_levels import ServiceLevels

CHECK_NAME = "freshness"


def feeds() -> tuple[str, ...]:
    """The input tables whose contracts say how often rows are received."""
    return tuple(name for name in contract_names("input") if load_contract(name).levels.is_feed)


def freshness_checks() -> dg.AssetChecksDefinition:
    """One step with a check for every feed; none of them stops a run."""
    specs = [
        dg.AssetCheckSpec(
            CHECK_NAME,
            asset=dg.AssetKey(["landing", table]),
            blocking=False,
            description=(
                f"The newest row of {table} was received at most "
                f"{load_contract(table).levels.tolerance_days} days before the cut-off "
                "(slaProperties of its contract); a warning, which stops nothing."
            ),
        )
        for table in feeds()
    ]

    @dg.multi_asset_check(specs=specs, name=CHECK_NAME)
    def freshness(
        context: dg.AssetCheckExecutionContext, market: Market
    ) -> Iterator[dg.AssetCheckResult]:
        newest: dict[str, datetime | None] = {}
        with market.open(context) as opened:
            stage = opened.run.stage
            for table in feeds():
                found = opened.connection.execute(
                    f"select max(received_at) from landing.{table}"
                ).fetchone()
                newest[table] = found[0] if found else None
        for table in feeds():
            yield _result(table, stage, newest[table])

    return freshness


def _result(table: str, stage: StageCutoff, newest: datetime | None) -> dg.AssetCheckResult:
    levels = load_contract(table).levels
    received = None if newest is None else newest.replace(tzinfo=UTC)
    is_read = table in NEEDS[stage.kind]
    passed = not is_read or (received is not None and is_fresh(received, stage.cutoff_at, levels))
    metadata: dict[str, str | int] = {
        "newest_received_at": received.isoformat() if received else "never",
        "tolerance_days": levels.tolerance_days,
    }
    if received is not None:
        metadata["age_days"] = feed_age_days(received, stage.cutoff_at)
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(["landing", table]),
        check_name=CHECK_NAME,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=freshness_sentence(table, stage, received, levels, is_read=is_read),
        metadata=metadata,
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
