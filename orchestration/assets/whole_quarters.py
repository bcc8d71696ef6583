"""Whole quarters as assets: what the UI's backfills are made of.

A stage's assets run in stage jobs, each with its own cut-off; a backfill over them would not know
which. These two run all due stage jobs of a quarter, each as a run of its own in the same history.
The dependencies keep the order that the loop demands: a quarter's market waits for the market
before it.
"""

from collections.abc import Callable, Sequence

import dagster as dg

from fbacap_logic.calendar import Quarter, StageKind
from orchestration.backfill.make import StageResult, make_stage
from orchestration.descriptions.formulas import formula_of
from orchestration.descriptions.groups import group_of
from orchestration.descriptions.specs import OWNERS, description, rule_metadata
from orchestration.errors import BadUsage
from orchestration.instance import instance
from orchestration.locks import run_lock
from orchestration.markets import quarters_with_market
from orchestration.partitions import QUARTERS
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.resources import Market
from orchestration.runner import due_stages, utc_now

GROUP = group_of("whole_quarters")
HELD, SETTLED = "market_held", "market_settled"
_QUARTER_BEFORE = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
_GRAIN = "one materialisation a quarter"
_NOTE = (
    "Backfill both assets of this group over a range of "
    "quarters; the stage runs that they make are runs of their own in the same history. What is "
    "published already from the same inputs is not made again; a quarter without capacity has none."
)


@dg.asset(
    key=HELD,
    deps=[dg.AssetDep(HELD, partition_mapping=_QUARTER_BEFORE)],
    partitions_def=QUARTERS,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python"},
    description=description(
        "A quarter's market: its announcement and every round that has closed. "
        f"Waits for the market of the quarter before.\n\n{_NOTE}",
        _GRAIN,
        formula_of(HELD),
    ),
    metadata=rule_metadata(formula_of(HELD).rule),
)
def market_held(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """Announce a quarter and clear its rounds."""
    return _made(context, market, ("announce", "round"))


@dg.asset(
    key=SETTLED,
    deps=[dg.AssetKey(HELD)],
    partitions_def=QUARTERS,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python"},
    description=description(
        f"A quarter's settlement runs that are due.\n\n{_NOTE}", _GRAIN, formula_of(SETTLED)
    ),
    metadata=rule_metadata(formula_of(SETTLED).rule),
)
def market_settled(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """Settle a quarter: preliminary, final, true-up."""
    return _made(context, market, ("settle",))


def _made(
    context: dg.AssetExecutionContext, market: Market, kinds: Sequence[StageKind]
) -> dg.MaterializeResult:
    quarter = Quarter.parse(context.partition_key)
    results = _make_stages(market.data, quarter, kinds, context.log.info)
    for result in results:
        context.log.info(f"{result.node.label}: {result.state}, run {result.published.run}")
    lines = ["| stage run | outcome | published run |", "|---|---|---|"]
    lines += [f"| {row.node.stage} | {row.state} | {row.published.run} |" for row in results]
    return dg.MaterializeResult(
        metadata={
            "stage_runs": len(results),
            "new_runs": sum(result.state == "new" for result in results),
            "outcomes": dg.MetadataValue.md("\n".join(lines)),
        }
    )


def _make_stages(
    data: DataFolder,
    quarter: Quarter,
    kinds: Sequence[StageKind],
    on_wait: Callable[[str], None],
) -> list[StageResult]:
    if quarter not in quarters_with_market(data):
        return []  # as a quarter between two others may be; the one after it does not wait for it
    due = due_stages(data, quarter, utc_now())
    if not due:
        raise BadUsage(f"nothing of {quarter.label} is due yet; leave it out of the backfill")
    with run_lock(data, quarter, on_wait), instance(data) as dagster_instance:
        return [
            make_stage(
                data,
                lambda: dagster_instance,
                StageOfQuarter(quarter, stage.name),
                stage,
                again=False,
            )
            for stage in due
            if stage.kind in kinds
        ]
