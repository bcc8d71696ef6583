"""Stage settlements (rules §7): fee, credit and net due of every grant, and the ledger."""

from collections.abc import Iterator

import dagster as dg

from fbacap_logic.settlement import ledger, settle
from orchestration.descriptions.figures import ledger_figures, settlement_figures
from orchestration.descriptions.specs import stage_specs
from orchestration.partitions import QUARTERS
from orchestration.pictures.in_metadata import picture
from orchestration.pictures.seller_pictures import draw_credits
from orchestration.resources import Market
from orchestration.stages import stage

STAGE = stage("settlements")


@dg.multi_asset(specs=stage_specs(STAGE), partitions_def=QUARTERS, name=STAGE.name)
def settlements(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.MaterializeResult]:
    """Credit, settle, and post the difference to the run before."""
    with market.open(context) as opened:
        settled = settle(
            opened.frame("market.repriced_fees"),
            opened.frame("market.incremental_sales"),
            opened.frame("staging.stg_marketplaces", ["marketplace_id", "currency"]),
            opened.frame("history.previous_settlements"),
            opened.run.policy,
        )
        drawn = picture(draw_credits(settled), "there are no fees to offset")
        figures = {**settlement_figures(settled), "credits": drawn}
        yield opened.write("settlements", settled, figures)
        entries = ledger(settled)
        yield opened.write("ledger_entries", entries, ledger_figures(entries))
