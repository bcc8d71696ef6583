"""Stage incremental_sales (rules §6): the sales that extra space made, and their evidence."""

from collections.abc import Iterator

import dagster as dg

from fbacap_logic.attribution import attribute_days, attribute_quarter, evidence_by_grant
from orchestration.descriptions.figures import sales_figures
from orchestration.descriptions.specs import stage_specs
from orchestration.partitions import QUARTERS
from orchestration.resources import Market
from orchestration.stages import stage

STAGE = stage("incremental_sales")
_SELLER_MARKET = ("marketplace_id", "storage_type", "seller_id")


@dg.multi_asset(specs=stage_specs(STAGE), partitions_def=QUARTERS, name=STAGE.name)
def incremental_sales(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.MaterializeResult]:
    """Attribute every day's sales by every method; one method pays. Divide days over grants."""
    with market.open(context) as opened:
        days = attribute_days(opened.frame("facts.seller_market_days"))
        forecasts = opened.frame(
            "market.base_allocations", [*_SELLER_MARKET, "sales_forecast_minor"]
        )
        quarter = attribute_quarter(days, forecasts, opened.run.policy)
        yield opened.write("incremental_sales", quarter, sales_figures(quarter))
        yield opened.write("incremental_sales_days", days)
        grants = opened.frame("market.repriced_fees")
        evidence = evidence_by_grant(days, grants, opened.run.calendar)
        yield opened.write("grant_evidence_days", evidence)
