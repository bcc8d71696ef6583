"""Scores taken apart and credits by every attribution method, for many sellers at once.

Here belongs asking ``fbacap_logic`` what published figures are made of; both answers are
column-wise. Reading the columns is ``reading``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, get_args

import pandas as pd

from fbacap_logic.credits import performance_credits
from fbacap_logic.frames import SELLER_MARKET_KEY
from fbacap_logic.policy import AttributionMethod, BaseAllocationPolicy, SettlementPolicy
from fbacap_logic.score_components import score_components
from orchestration.statements.figures import ScoreComponent

METHODS: tuple[str, ...] = get_args(AttributionMethod)

SellerMarket = tuple[str, str, str]  # marketplace_id, storage_type, seller_id


def components_by_seller_market(
    scores: pd.DataFrame, policy: BaseAllocationPolicy
) -> dict[SellerMarket, tuple[ScoreComponent, ...]]:
    """Each score's components in the policy's order (rules §2.3).

    Args:
        scores: SELLER_MARKET_KEY, the components' values and points, score.
        policy: the policy that the scores were made under.
    """
    found: dict[SellerMarket, list[ScoreComponent]] = defaultdict(list)
    for row in score_components(scores, policy).to_dict("records"):
        found[row["marketplace_id"], row["storage_type"], row["seller_id"]].append(
            ScoreComponent(
                component=str(row["component"]),
                value_bp=_whole(row["value_bp"]),
                points=_whole(row["points"]),
                weight_bp=int(row["weight_bp"]),
                score_part=int(row["score_part"]),
                score_gain=int(row["score_gain"]),
                raises_most=bool(row["raises_most"]),
            )
        )
    return {key: tuple(components) for key, components in found.items()}


def credits_by_method(
    grants: pd.DataFrame, methods: pd.DataFrame, policy: SettlementPolicy
) -> dict[str, Mapping[SellerMarket, int]]:
    """The credit that each attribution method gives or would give, by seller market (rules §7).

    Args:
        grants: SELLER_MARKET_KEY, request_id, round, max_fee_minor_per_ft3, priority_at, fee_minor;
            of seller markets that ``methods`` has.
        methods: SELLER_MARKET_KEY and, for each method, ``<method>_minor``.
        policy: credit rate and cap.
    """
    if grants.empty:
        return {method: {} for method in METHODS}
    timed = grants.rename(columns={"priority_at": "submitted_at"})
    result: dict[str, Mapping[SellerMarket, int]] = {}
    for method in METHODS:
        sales = methods[list(SELLER_MARKET_KEY)].assign(
            incremental_sales_minor=methods[f"{method}_minor"]
        )
        credited = performance_credits(timed, sales, policy.credit_rate_bp, policy.credit_cap_bp)
        sums = credited.groupby(list(SELLER_MARKET_KEY), as_index=False)[["credit_minor"]].sum()
        result[method] = {
            (row["marketplace_id"], row["storage_type"], row["seller_id"]): int(row["credit_minor"])
            for row in sums.to_dict("records")
        }
    return result


def _whole(value: Any) -> int | None:
    return None if value is None or value is pd.NA else int(value)
