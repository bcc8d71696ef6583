"""Stage cleared_allocations (rules §4): every closed round of every market."""

from collections.abc import Iterator

import dagster as dg

from fbacap_logic.clearing import clear_quarter
from fbacap_logic.demand_curve import demand_curves
from orchestration.descriptions.figures import cleared_figures
from orchestration.descriptions.specs import stage_specs
from orchestration.partitions import QUARTERS
from orchestration.pictures.in_metadata import picture
from orchestration.pictures.round_pictures import draw_demand_and_supply
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
        drawn = picture(
            draw_demand_and_supply(cleared.grants, cleared.rounds), "nobody asked for volume"
        )
        figures = {**cleared_figures(cleared.rounds), "demand_and_supply": drawn}
        yield opened.write("cleared_allocations", cleared.grants, figures)
        yield opened.write("market_rounds", cleared.rounds, figures)
        yield opened.write("demand_curves", demand_curves(cleared.grants))
