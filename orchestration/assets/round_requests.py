"""Stage round_requests (rules §3): every request received, accepted or rejected with a reason."""

from collections.abc import Iterator

import dagster as dg

from fbacap_logic.requests import judge_requests
from orchestration.descriptions.figures import request_figures
from orchestration.descriptions.specs import stage_specs
from orchestration.partitions import QUARTERS
from orchestration.resources import Market
from orchestration.stages import stage

STAGE = stage("round_requests")


@dg.multi_asset(specs=stage_specs(STAGE), partitions_def=QUARTERS, name=STAGE.name)
def round_requests(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.MaterializeResult]:
    """Judge every version of every request received before the cut-off."""
    with market.open(context) as opened:
        received = opened.frame("facts.judged_requests")
        judged = judge_requests(received, opened.run.calendar, opened.run.policy)
        yield opened.write("round_requests", judged, request_figures(judged))
