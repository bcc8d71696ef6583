"""Stage settlements (rules §7): fee, credit and net due of every grant, and the ledger."""

from collections.abc import Iterator

import dagster as dg

from fbacap_logic.settlement import ledger, settle
from orchestration.descriptions import stage_specs
from orchestration.partitions import QUARTERS
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
        names = ("fee_minor", "credit_minor", "net_due_minor")
        totals = {name: int(settled[name].sum()) for name in names}
        yield opened.write("settlements", settled, totals)
        yield opened.write("ledger_entries", ledger(settled))
