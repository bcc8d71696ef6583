"""The performance score: values and points checked by hand, monotone, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbacap_logic.frames import SELLER_MARKET_KEY
from fbacap_logic.policy import BaseAllocationPolicy, ScoreComponent
from fbacap_logic.score import SCORE_COLUMNS, performance_scores, piecewise_linear

POLICY = BaseAllocationPolicy()

# 90 days with 100 units of 500 milli ft³ on hand, 300 shipped, 80 of 100 SKU days in stock.
HEALTHY = {
    "shipped_units_90d": 300,
    "shipped_volume_milli_ft3_90d": 150_000,
    "snapshot_days_90d": 90,
    "on_hand_unit_days": 9_000,
    "on_hand_volume_milli_ft3": 50_000,
    "on_hand_units": 100,
    "stranded_unit_days": 450,
    "sku_days": 100,
    "in_stock_sku_days": 80,
    "idle_extra_milli_ft3_days": 0,
    "used_milli_ft3_days": 4_500_000,
}
COVER = 40_000
NOTHING = dict.fromkeys(HEALTHY, 0)


def health_of(*rows: dict[str, int]) -> pd.DataFrame:
    key = {"marketplace_id": "us", "storage_type": "standard"}
    return pd.DataFrame(
        [{**key, "seller_id": f"s{number}", **row} for number, row in enumerate(rows)]
    )


def forecast_of(health: pd.DataFrame, cover: int = COVER) -> pd.DataFrame:
    return health[list(SELLER_MARKET_KEY)].assign(cover_90d_milli_ft3=cover)


def score_of(cover: int = COVER, policy: BaseAllocationPolicy = POLICY, **changed: int):
    health = health_of(HEALTHY | changed)
    return performance_scores(health, forecast_of(health, cover), policy).iloc[0]


def policy_of(**weights: int) -> BaseAllocationPolicy:
    """The default policy with only these components, weighted so."""
    return BaseAllocationPolicy(
        components=tuple(
            ScoreComponent(
                name=component.name,
                weight_bp=weights[component.name],
                breakpoints=component.breakpoints,
            )
            for component in POLICY.components
            if component.name in weights
        )
    )


def test_a_healthy_seller_by_hand():
    row = score_of()
    assert row["excess_share_bp"] == 2_000  # 10,000 of 50,000 above cover
    assert row["sell_through_bp"] == 30_000  # 300 shipped ÷ 100 on hand
    assert row["stranded_share_bp"] == 500
    assert row["in_stock_rate_bp"] == 8_000
    assert row["excess_points"] == 800
    assert row["sell_through_points"] == 775
    assert row["stranded_points"] == 700
    assert row["in_stock_points"] == 700
    # 0.3 × 800 + 0.3 × 775 + 0.15 × 700 + 0.25 × 700 = 752.5, half to even
    assert row["score"] == 752


def test_the_table_has_its_columns_in_order_and_their_types():
    health = health_of(HEALTHY, NOTHING)
    table = performance_scores(health, forecast_of(health), POLICY)
    assert table.columns.tolist() == [*SELLER_MARKET_KEY, *SCORE_COLUMNS]
    assert table.dtypes[list(SCORE_COLUMNS)].astype(str).tolist() == ["Int64"] * 8 + ["int64"]


def test_no_rows_give_an_empty_table_with_its_columns():
    health = health_of(HEALTHY).iloc[:0]
    table = performance_scores(health, forecast_of(health), POLICY)
    assert table.columns.tolist() == [*SELLER_MARKET_KEY, *SCORE_COLUMNS]


def test_a_seller_without_evidence_has_nulls_and_the_score_that_the_policy_names():
    row = score_of(policy=BaseAllocationPolicy(score_without_evidence=321), **NOTHING)
    assert row[list(SCORE_COLUMNS[:8])].isna().all()
    assert row["score"] == 321


def test_a_component_without_evidence_leaves_its_weight_to_the_others():
    row = score_of(sku_days=0, in_stock_sku_days=0)
    assert pd.isna(row["in_stock_rate_bp"])
    assert pd.isna(row["in_stock_points"])
    assert row["score"] == 770  # (0.3 × 800 + 0.3 × 775 + 0.15 × 700) ÷ 0.75


def test_a_component_that_the_policy_leaves_out_has_a_value_but_no_points():
    row = score_of(policy=policy_of(excess_share=5_000, in_stock_rate=5_000))
    assert row["sell_through_bp"] == 30_000
    assert pd.isna(row["sell_through_points"])
    assert row["score"] == 750


def test_evidence_in_components_of_weight_zero_is_no_evidence():
    policy = policy_of(excess_share=10_000, in_stock_rate=0)
    row = score_of(policy=policy, on_hand_volume_milli_ft3=0)
    assert row["in_stock_points"] == 700
    assert row["score"] == POLICY.score_without_evidence


def test_space_won_and_left_empty_counts_as_stock_that_does_not_sell():
    # 100 more units' worth of space a day, at 500 milli ft³ a unit.
    assert score_of(idle_extra_milli_ft3_days=100 * 500 * 90)["sell_through_bp"] == 15_000


def test_empty_space_is_converted_by_the_units_shipped_when_none_are_on_hand():
    row = score_of(
        on_hand_units=0,
        on_hand_volume_milli_ft3=0,
        on_hand_unit_days=0,
        shipped_volume_milli_ft3_90d=300_000,
        idle_extra_milli_ft3_days=100 * 1_000 * 90,
    )
    assert row["sell_through_bp"] == 30_000


def test_units_too_small_to_measure_still_sell():
    row = score_of(on_hand_volume_milli_ft3=0, shipped_volume_milli_ft3_90d=0)
    assert row["sell_through_bp"] == 30_000


def test_empty_space_alone_is_evidence_of_stock_that_does_not_sell():
    row = score_of(**(NOTHING | {"snapshot_days_90d": 90, "idle_extra_milli_ft3_days": 1}))
    assert row["sell_through_bp"] == 0
    assert row["score"] == 0


def test_sales_without_stock_have_the_highest_sell_through_there_is():
    row = score_of(on_hand_units=0, on_hand_volume_milli_ft3=0, on_hand_unit_days=0)
    assert row["sell_through_bp"] == 10_000 * 10_000
    assert row["sell_through_points"] == 1_000


def test_sales_with_next_to_no_stock_have_no_higher_sell_through():
    assert score_of(shipped_units_90d=2**60, on_hand_unit_days=1)["sell_through_bp"] == 100_000_000


def test_without_snapshots_there_is_no_sell_through():
    row = score_of(**(NOTHING | {"shipped_units_90d": 5, "shipped_volume_milli_ft3_90d": 5}))
    assert pd.isna(row["sell_through_bp"])


def test_amounts_near_the_top_of_64_bits_are_exact():
    top = 2**62
    row = score_of(
        cover=top // 4,
        on_hand_volume_milli_ft3=top,
        on_hand_unit_days=top,
        on_hand_units=1,
        stranded_unit_days=top // 8,
        idle_extra_milli_ft3_days=top,
        shipped_units_90d=top // 90,
    )
    assert row["excess_share_bp"] == 7_500
    assert row["stranded_share_bp"] == 1_250
    assert row["sell_through_bp"] == 10_000


def test_stranded_units_kept_apart_from_stock_are_still_a_share():
    assert score_of(stranded_unit_days=20_000)["stranded_share_bp"] == 10_000
    assert score_of(on_hand_unit_days=0)["stranded_share_bp"] == 10_000


def test_stock_within_cover_is_no_excess():
    assert score_of(cover=50_000)["excess_share_bp"] == 0
    assert score_of(cover=0)["excess_share_bp"] == 10_000


facts = st.fixed_dictionaries(
    {
        "shipped_units_90d": st.integers(0, 10**6),
        "shipped_volume_milli_ft3_90d": st.integers(0, 10**9),
        "snapshot_days_90d": st.integers(1, 90),
        "on_hand_unit_days": st.integers(1, 10**6),
        "on_hand_volume_milli_ft3": st.integers(1, 10**9),
        "on_hand_units": st.integers(1, 10**4),
        "stranded_unit_days": st.integers(0, 10**6),
        "sku_days": st.integers(1, 10**4),
        "in_stock_sku_days": st.just(0),
        "idle_extra_milli_ft3_days": st.integers(0, 10**11),
        "used_milli_ft3_days": st.integers(0, 10**11),
    }
)


def two_scores(worse: dict[str, int], better: dict[str, int], covers: tuple[int, int]):
    health = health_of(worse, better)
    forecast = forecast_of(health).assign(cover_90d_milli_ft3=covers)
    table = performance_scores(health, forecast, POLICY)
    assert table["score"].between(0, 1_000).all()
    return table


@given(facts, st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_cover_for_the_same_stock_never_lowers_the_score(row, cover, more):
    table = two_scores(row, row, (cover, cover + more))
    assert table["excess_share_bp"].is_monotonic_decreasing
    assert table["score"].is_monotonic_increasing


@given(facts, st.integers(0, 10**6))
def test_more_shipped_from_the_same_stock_never_lowers_the_score(row, more):
    better = row | {"shipped_units_90d": row["shipped_units_90d"] + more}
    table = two_scores(row, better, (COVER, COVER))
    assert table["sell_through_bp"].is_monotonic_increasing
    assert table["score"].is_monotonic_increasing


@given(facts, st.integers(0, 10**11))
def test_more_space_left_empty_never_raises_the_score(row, more):
    idle = row["idle_extra_milli_ft3_days"]
    worse = row | {"idle_extra_milli_ft3_days": idle + more}
    table = two_scores(worse, row, (COVER, COVER))
    assert table["sell_through_bp"].is_monotonic_increasing
    assert table["score"].is_monotonic_increasing


@given(facts, st.integers(0, 10**6))
def test_more_stranded_stock_never_raises_the_score(row, more):
    worse = row | {"stranded_unit_days": row["stranded_unit_days"] + more}
    table = two_scores(worse, row, (COVER, COVER))
    assert table["stranded_share_bp"].is_monotonic_decreasing
    assert table["score"].is_monotonic_increasing


@given(facts, st.data())
def test_more_days_in_stock_never_lower_the_score(row, data):
    days = sorted(data.draw(st.integers(0, row["sku_days"])) for _ in range(2))
    worse, better = ({**row, "in_stock_sku_days": in_stock} for in_stock in days)
    table = two_scores(worse, better, (COVER, COVER))
    assert table["in_stock_rate_bp"].is_monotonic_increasing
    assert table["score"].is_monotonic_increasing


@given(st.lists(facts, min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(rows, seed):
    health = health_of(*rows)
    forecast = forecast_of(health).assign(cover_90d_milli_ft3=np.arange(len(rows)) * 1_000)
    shuffled = performance_scores(
        health.sample(frac=1, random_state=seed), forecast.iloc[::-1], POLICY
    )
    pd.testing.assert_frame_equal(shuffled, performance_scores(health, forecast, POLICY))


def test_a_seller_market_without_a_forecast_is_named():
    health = health_of(HEALTHY, HEALTHY)
    with pytest.raises(ValueError, match=r"inventory_health: .*'s1' has no row in forecast"):
        performance_scores(health, forecast_of(health).iloc[:1], POLICY)


def test_a_seller_market_that_stands_twice_is_refused():
    health = health_of(HEALTHY)
    with pytest.raises(ValueError, match="inventory_health: row 1 repeats the key"):
        performance_scores(pd.concat([health, health]), forecast_of(health), POLICY)


def test_a_forecast_that_stands_twice_is_refused():
    health = health_of(HEALTHY)
    forecast = forecast_of(health)
    with pytest.raises(ValueError, match="forecast: row 1 repeats the key"):
        performance_scores(health, pd.concat([forecast, forecast]), POLICY)


def test_more_days_in_stock_than_days_are_refused():
    with pytest.raises(ValueError, match="in_stock_sku_days of seller_id 's0' is 101, above"):
        score_of(in_stock_sku_days=101)


@pytest.mark.parametrize("column", [name for name in HEALTHY if name != "used_milli_ft3_days"])
def test_a_negative_or_missing_fact_is_refused_by_name(column: str):
    with pytest.raises(ValueError, match=f"inventory_health: column '{column}', row 0: is -1"):
        score_of(**{column: -1})
    health = health_of(HEALTHY).drop(columns=column)
    with pytest.raises(ValueError, match=f"inventory_health: column '{column}' is missing"):
        performance_scores(health, forecast_of(health), POLICY)


def test_volume_in_floats_is_refused():
    health = health_of(HEALTHY).astype({"on_hand_volume_milli_ft3": "float64"})
    with pytest.raises(ValueError, match=r"on_hand_volume_milli_ft3.*float64"):
        performance_scores(health, forecast_of(health), POLICY)


def test_a_broken_line_rounds_half_to_even_whether_it_rises_or_falls():
    values = np.array([0, 1, 2, 3, 4])
    assert piecewise_linear(values, [(0, 0), (4, 2)]).tolist() == [0, 0, 1, 2, 2]
    assert piecewise_linear(values, [(0, 2), (4, 0)]).tolist() == [2, 2, 1, 0, 0]


def test_a_broken_line_meets_its_breakpoints_and_is_flat_beyond_them():
    line = [(10, 5), (20, 7), (40, 1)]
    values = np.array([-(2**62), 9, 10, 20, 40, 41, 2**62])
    assert piecewise_linear(values, line).tolist() == [5, 5, 5, 7, 1, 1, 1]
    assert piecewise_linear(values[:2], [(0, 3)]).tolist() == [3, 3]


def test_a_broken_line_needs_values_that_ascend():
    for line in ([], [(0, 1), (0, 2)], [(5, 1), (0, 2)]):
        with pytest.raises(ValueError, match="breakpoints: give at least one"):
            piecewise_linear(np.array([1]), line)


lines = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 1_000)), min_size=1, max_size=6)


@given(lines, st.lists(st.integers(-(10**7), 10**7), min_size=2))
def test_a_line_that_never_falls_gives_results_that_never_fall(points, values):
    starts = sorted({start for start, _ in points})
    results = sorted(result for _, result in points)[: len(starts)]
    read = piecewise_linear(np.array(sorted(values)), list(zip(starts, results, strict=True)))
    assert (np.diff(read) >= 0).all()
