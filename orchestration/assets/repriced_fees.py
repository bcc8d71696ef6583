"""Stage repriced_fees (rules §5): every grant's fee, lowered to what later rounds cleared at."""

from collections.abc import Iterator

import dagster as dg

from fbacap_logic.repricing import reprice_quarter, repricing_steps_quarter
from orchestration.descriptions.figures import repriced_figures
from orchestration.descriptions.specs import stage_specs
from orchestration.partitions import QUARTERS
from orchestration.pictures.in_metadata import picture
from orchestration.pictures.round_pictures import draw_fee_path
from orchestration.resources import Market
from orchestration.stages import stage

STAGE = stage("repriced_fees")


@dg.multi_asset(specs=stage_specs(STAGE), partitions_def=QUARTERS, name=STAGE.name)
def repriced_fees(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.MaterializeResult]:
    """Reprice every grant and keep every step."""
    with market.open(context) as opened:
        grants = opened.frame("market.cleared_allocations")
        rounds = opened.frame("market.market_rounds")
        calendar, policy = opened.run.calendar, opened.run.policy
        fees = reprice_quarter(grants, rounds, calendar, policy)
        steps = repricing_steps_quarter(grants, rounds, calendar, policy)
        drawn = picture(draw_fee_path(rounds, fees), "nothing was granted")
        yield opened.write("repriced_fees", fees, {**repriced_figures(fees), "fee_path": drawn})
        yield opened.write("repricing_steps", steps)
