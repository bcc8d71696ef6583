"""Stage cleared_allocations (rules §4): every closed round of every market."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from fbacap_logic.clearing import clear_quarter
from fbacap_logic.demand_curve import demand_curves
from fbacap_logic.frames import MARKET_KEY
from orchestration.descriptions import stage_specs
from orchestration.partitions import QUARTERS
from orchestration.resources import Market
from orchestration.stages import stage

STAGE = stage("cleared_allocations")
_PLOTTED_MARKETS = 20
_PLOTTED = ("clearing_fee_minor_per_ft3", "cover_ratio_bp", "unsold_milli_ft3")


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
        figures = granted | last_round_figures(cleared.rounds)
        yield opened.write("market_rounds", cleared.rounds, figures)
        yield opened.write("demand_curves", demand_curves(cleared.grants))


def last_round_figures(rounds: pd.DataFrame) -> dict[str, int]:
    """Figures of each market's last closed round, as numbers that plot over quarters.

    The first markets in key order only, so that a marketplace with many of them does not bury the
    rest; a figure that is null (no grants, no supply) is left out.
    """
    last = rounds.groupby(list(MARKET_KEY), sort=True).tail(1).head(_PLOTTED_MARKETS)
    figures = {}
    for row in last.to_dict(orient="records"):
        for name in _PLOTTED:
            if not pd.isna(row[name]):
                figures[f"{row['marketplace_id']} {row['storage_type']}: {name}"] = int(row[name])
    return figures
