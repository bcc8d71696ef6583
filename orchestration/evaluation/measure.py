"""Each method's error and bias against the truth, by seller size and by how full the space was.

Here belongs attributing lived quarters with ``fbacap_logic`` and comparing. Figures are statistics
of a simulation, so they are floats, in US dollars; no amount of a real seller is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from fbacap_logic.attribution import attribute_days, attribute_quarter, evidence_by_grant
from fbacap_logic.calendar import Quarter
from fbacap_logic.frames import SELLER_MARKET_KEY
from fbacap_logic.policy import Policy
from fbacap_logic.units import MICRO_PER_MINOR
from orchestration.evaluation.facts import LivedQuarter
from orchestration.evaluation.world import WHOLE_SPACE_PERCENT, live

METHODS = ("usage_layer", "capacity_share", "forecast_uplift")
SPLITS = ("all", "size_decile", "fullness", "conduct")
COLUMNS = (
    "scenario", "split", "group", "method", "winners", "net_sales", "true_sales",
    "true_sales_with_later", "credited_sales", "credited_per_true", "bias_of_net_sales",
    "error_of_net_sales", "rank_correlation",
)  # fmt: skip

Progress = Callable[[str], None]

_DOLLARS_PER_MINOR = {"US": 0.01, "JP": 1 / 145}
_DECILES = 10
_FULLNESS = (0.0, 0.5, 0.75, 0.9, np.inf)
_FULLNESS_NAMES = ("below 50 %", "50–75 %", "75–90 %", "from 90 %")
_CONDUCT_NAMES = {True: "gaming half", False: "honest half"}
_DIGITS = 4


def evaluate(
    scenarios: Iterable[str],
    *,
    sellers: int,
    quarters: int,
    seed: int,
    last_quarter: Quarter,
    space_percent: int = WHOLE_SPACE_PERCENT,
    progress: Progress = lambda _: None,
) -> pd.DataFrame:
    """Measure every method in every scenario.

    Args:
        scenarios: names of ``conduct.SCENARIOS``.
        sellers: how many sellers the marketplace has, the nine costume shops included.
        quarters: market quarters measured, up to ``last_quarter``.
        seed: what buyers want and sellers are like is the same for a seed, in every scenario.
        last_quarter: the last quarter measured.
        space_percent: how much of the planned base and extra space there is.
        progress: told the name of a scenario before it is lived.

    Returns:
        One row per scenario, split, group and method, with COLUMNS: winners are seller markets with
        a grant, sales are in US dollars, ratios are rounded to four digits; null where there is
        nothing to divide by.
    """
    tables = []
    for scenario in scenarios:
        progress(scenario)
        lived = live(
            sellers=sellers,
            quarters=quarters,
            seed=seed,
            last_quarter=last_quarter,
            scenario=scenario,
            space_percent=space_percent,
        )
        winners = pd.concat([winners_of(quarter) for quarter in lived], ignore_index=True)
        tables.append(_measured(winners).assign(scenario=scenario))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def winners_of(lived: LivedQuarter) -> pd.DataFrame:
    """Each winner's credited and true incremental sales of a quarter, in US dollars.

    Returns:
        One row per winner: net_sales, true_sales, true_sales_with_later, a column per method, the
        mean share of its space in use while it had extra space (fullness), and games.
    """
    key = list(SELLER_MARKET_KEY)
    days = attribute_days(lived.days)
    quarter = attribute_quarter(lived.days, lived.forecasts, Policy())
    evidence = evidence_by_grant(days, lived.grants, lived.calendar)
    micro = [f"{method}_micro_minor" for method in METHODS[:2]]
    by_seller = evidence.groupby(key, as_index=False)[micro].sum()
    extended = days[days["extra_milli_ft3"] > 0]
    space = extended["base_milli_ft3"] + extended["extra_milli_ft3"]
    full = extended.assign(fullness=extended["used_milli_ft3"] / space)
    fullness = full.groupby(key, as_index=False)["fullness"].mean()
    result = quarter.merge(by_seller, on=key).merge(fullness, on=key).merge(lived.truth, on=key)
    dollars = result["marketplace_id"].map(_DOLLARS_PER_MINOR)
    true = result["net_sales_minor"] - result["net_sales_without_extra_minor"]
    return result[[*key, "fullness", "games"]].assign(
        net_sales=result["net_sales_minor"] * dollars,
        true_sales=true * dollars,
        true_sales_with_later=(true + result["later_sales_minor"]) * dollars,
        usage_layer=result[micro[0]] / MICRO_PER_MINOR * dollars,
        capacity_share=result[micro[1]] / MICRO_PER_MINOR * dollars,
        forecast_uplift=result["forecast_uplift_minor"] * dollars,
    )


def _measured(winners: pd.DataFrame) -> pd.DataFrame:
    """Every split's groups, method by method."""
    place = winners["net_sales"].rank(method="first").to_numpy(dtype=np.float64)
    decile = np.ceil(place * _DECILES / max(len(winners), 1)).astype(np.int64)
    fullness = pd.cut(winners["fullness"], _FULLNESS, right=False, labels=_FULLNESS_NAMES)
    splits: dict[str, tuple[Any, list[Any]]] = {
        "all": (np.zeros(len(winners)), [0.0]),
        "size_decile": (decile, list(range(1, _DECILES + 1))),
        "fullness": (fullness.astype(str).to_numpy(), list(_FULLNESS_NAMES)),
        "conduct": (winners["games"].to_numpy(), [True, False]),
    }
    rows = [
        {"split": split, "group": _group_name(split, group), **_compared(winners[of == group], m)}
        for split, (of, groups) in splits.items()
        for group in groups
        for m in METHODS
        if (of == group).any()
    ]
    return pd.DataFrame(rows)


def _group_name(split: str, group: Any) -> str:
    if split == "conduct":
        return _CONDUCT_NAMES[group]
    return "all" if split == "all" else str(group)


def _compared(winners: pd.DataFrame, method: str) -> dict[str, Any]:
    net, true = winners["net_sales"].sum(), winners["true_sales"].sum()
    credited = winners[method].sum()
    apart = (winners[method] - winners["true_sales"]).abs().sum()
    shares = pd.DataFrame(
        {
            "credited": winners[method] / winners["net_sales"].where(winners["net_sales"] > 0),
            "true": winners["true_sales"] / winners["net_sales"].where(winners["net_sales"] > 0),
        }
    ).dropna()
    return {
        "method": method,
        "winners": len(winners),
        "net_sales": round(net),
        "true_sales": round(true),
        "true_sales_with_later": round(winners["true_sales_with_later"].sum()),
        "credited_sales": round(credited),
        "credited_per_true": _ratio(credited, true),
        "bias_of_net_sales": _ratio(credited - true, net),
        "error_of_net_sales": _ratio(apart, net),
        "rank_correlation": _rank_correlation(shares),
    }


def _ratio(over: float, under: float) -> float | None:
    return round(float(over / under), _DIGITS) if under > 0 else None


def _rank_correlation(shares: pd.DataFrame) -> float | None:
    """Spearman's: whether who is credited more of its sales made more of them by extra space."""
    ranks = shares.rank()
    if len(ranks) < 2 or (ranks.nunique() < 2).any():
        return None
    return round(float(np.corrcoef(ranks["credited"], ranks["true"])[0, 1]), _DIGITS)
