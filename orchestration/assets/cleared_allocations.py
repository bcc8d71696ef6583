"""Stage cleared_allocations (rules §4): every closed round of every market."""

from collections.abc import Iterator

import dagster as dg

from fbacap_logic.clearing import clear_quarter
from orchestration.descriptions import stage_specs
from orchestration.partitions import QUARTERS
from orchestration.resources import Market
from orchestration.stages import stage

STAGE = stage("cleared_allocations")


@dg.multi_asset(specs=stage_specs(STAGE), partitions_def=QUARTERS, name=STAGE.name)
def cleared_allocations(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.MaterializeResult]:
    """Clear the rounds in order, highest fee first."""
    with market.open(context) as opened:
        judged = opened.frame("market.round_requests")
        cleared = clear_quarter(
            judged[judged["is_accepted"]],
            opened.frame("facts.round_supply_released"),
            opened.run.calendar,
            opened.run.policy,
        )
        granted = {"granted_milli_ft3": int(cleared.rounds["granted_milli_ft3"].sum())}
        yield opened.write("cleared_allocations", cleared.grants, granted)
        yield opened.write("market_rounds", cleared.rounds, granted)
