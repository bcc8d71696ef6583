"""A score taken apart: the parts sum to it, and the largest gain is named (rules §2.3)."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.score import performance_scores
from fbacap_logic.score_components import SCORE_COMPONENT_COLUMNS, score_components

POLICY = BaseAllocationPolicy()
KEY = {"marketplace_id": "US", "storage_type": "standard"}


def health(**columns) -> pd.DataFrame:
    usual = {
        "shipped_units_90d": 900,
        "shipped_volume_milli_ft3_90d": 9_000,
        "snapshot_days_90d": 90,
        "on_hand_unit_days": 90_000,
        "on_hand_volume_milli_ft3": 10_000,
        "on_hand_units": 1_000,
        "stranded_unit_days": 9_000,
        "sku_days": 900,
        "in_stock_sku_days": 810,
        "idle_extra_milli_ft3_days": 0,
        "used_milli_ft3_days": 900_000,
    }
    return pd.DataFrame([{**KEY, "seller_id": "s", **usual, **columns}])


def components_of(cover: int = 9_000, **columns) -> tuple[pd.DataFrame, int]:
    evidence = health(**columns)
    forecast = evidence[[*KEY, "seller_id"]].assign(cover_90d_milli_ft3=cover)
    scores = performance_scores(evidence, forecast, POLICY)
    return score_components(scores, POLICY), int(scores["score"].iloc[0])


def test_each_component_stands_in_the_order_of_the_policy():
    components, _ = components_of()
    assert tuple(components.columns) == SCORE_COMPONENT_COLUMNS
    assert components["component"].tolist() == [each.name for each in POLICY.components]


def test_the_component_that_would_raise_the_score_most_is_named():
    components, score = components_of(stranded_unit_days=0, in_stock_sku_days=900)
    leading = components[components["raises_most"]]
    assert leading["component"].tolist() == ["sell_through"]
    assert leading["score_gain"].iloc[0] == components["score_gain"].max() > 0
    weight = dict(zip(components["component"], components["weight_bp"], strict=True))
    points = dict(zip(components["component"], components["points"], strict=True))
    others = sum(weight[name] * points[name] for name in weight if name != "sell_through")
    raised = round((others + weight["sell_through"] * 1000) / sum(weight.values()))
    assert score + leading["score_gain"].iloc[0] == raised


def test_a_component_without_evidence_has_no_weight_and_no_part():
    components, score = components_of(sku_days=0, in_stock_sku_days=0)
    missing = components[components["component"] == "in_stock_rate"].iloc[0]
    assert missing["value_bp"] is pd.NA
    assert (missing["weight_bp"], missing["score_part"], missing["score_gain"]) == (0, 0, 0)
    assert components["score_part"].sum() == score


def test_a_seller_without_any_evidence_has_no_parts():
    nothing = dict.fromkeys(health().columns.drop([*KEY, "seller_id"]), 0)
    components, score = components_of(cover=0, **nothing)
    assert score == POLICY.score_without_evidence
    assert components["score_part"].sum() == 0
    assert not components["raises_most"].any()


@given(
    st.integers(0, 20_000),
    st.integers(0, 90_000),
    st.integers(0, 900),
    st.integers(0, 5_000),
)
def test_the_parts_sum_to_the_score(cover, stranded, in_stock, shipped):
    components, score = components_of(
        cover,
        stranded_unit_days=stranded,
        in_stock_sku_days=in_stock,
        shipped_units_90d=shipped,
        shipped_volume_milli_ft3_90d=10 * shipped,
    )
    assert components["score_part"].sum() == score
    assert (components["score_gain"] >= 0).all()
    assert components["raises_most"].sum() <= 1
