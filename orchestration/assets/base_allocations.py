"""Stage base_allocations (rules §2): what every seller gets without asking."""

from collections.abc import Iterator

import dagster as dg

from fbacap_logic.base_allocation import allocate
from fbacap_logic.forecast import forecast_quarter
from fbacap_logic.forecast_accuracy import accuracy_as_announced
from fbacap_logic.score import performance_scores
from fbacap_logic.score_components import score_components
from orchestration.descriptions.figures import allocation_figures, came_out
from orchestration.descriptions.specs import stage_specs
from orchestration.partitions import QUARTERS
from orchestration.pictures.in_metadata import picture
from orchestration.pictures.seller_pictures import draw_forecast_error
from orchestration.resources import Market
from orchestration.stages import stage

STAGE = stage("base_allocations")


@dg.multi_asset(specs=stage_specs(STAGE), partitions_def=QUARTERS, name=STAGE.name)
def base_allocations(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.MaterializeResult]:
    """Forecast, score, fit to the pool."""
    with market.open(context) as opened:
        policy, quarter = opened.run.policy.base_allocation, opened.run.quarter
        announced_on = opened.run.calendar.announced_at.date()
        sellers = opened.frame("facts.seller_markets")
        forecast = forecast_quarter(
            opened.frame("facts.weekly_demand"), sellers, announced_on, quarter, policy
        )
        result = allocate(
            sellers,
            forecast,
            performance_scores(opened.frame("facts.inventory_health"), forecast, policy),
            opened.frame("facts.market_capacity"),
            previous_base_allocations=opened.frame("history.previous_base_allocations"),
            confirmed_base_allocations=opened.frame("history.confirmed_base_allocations"),
            announced_on=announced_on,
            quarter=quarter,
            policy=policy,
        )
        foretold = opened.frame("facts.foretold_quarter")
        drawn = picture(draw_forecast_error(foretold), "no announced quarter is over yet")
        figures = allocation_figures(result.allocations) | came_out(accuracy_as_announced(foretold))
        shown = {**figures, "forecast_error": drawn}
        yield opened.write("base_allocations", result.allocations, shown)
        components = score_components(result.allocations, policy)
        yield opened.write("score_components", components)
        yield opened.write("base_allocation_estimates", result.estimates)
