"""Measures of a forecast, and the simple means that it must beat."""

import numpy as np
import pandas as pd
import pytest

from fbacap_logic.forecast_accuracy import (
    accuracy,
    accuracy_as_announced,
    simple_forecasts,
    size_deciles,
)

KEY = {"marketplace_id": "US", "storage_type": "standard"}


def test_pinball_loss_charges_a_high_quantile_little_for_being_high():
    shipped = np.array([100])
    high, low = np.array([150]), np.array([50])
    assert accuracy(shipped, high, 0.9).pinball == pytest.approx(2 * 0.1 * 50 / 100)
    assert accuracy(shipped, low, 0.9).pinball == pytest.approx(2 * 0.9 * 50 / 100)


def test_where_nothing_was_shipped_no_measure_means_anything():
    found = accuracy(np.array([0, 0]), np.array([5, 7]), 0.5)
    assert (found.wape, found.bias, found.covered, found.pinball) == (None,) * 4
    assert found.forecast_milli_ft3 == 12


def test_sellers_without_demand_do_not_count_as_covered():
    assert accuracy(np.array([0, 0, 10]), np.array([5, 5, 9]), 0.5).covered == 0


def test_simple_means_are_carried_through_the_quarter():
    sellers = pd.DataFrame([{**KEY, "seller_id": "a"}, {**KEY, "seller_id": "b"}])
    weekly = pd.DataFrame(
        [
            {**KEY, "seller_id": "a", "week_index": week, "volume_milli_ft3": volume}
            for week, volume in ((0, 40), (3, 4), (7, 8), (12, 100), (13, 1_000))
        ]
    )
    found = simple_forecasts(weekly, sellers, 91)
    assert found.loc[0, "mean_4_weeks"] == 44 * 13 // 4
    assert found.loc[0, "mean_8_weeks"] == 84  # 52 × 13 ÷ 8 = 84.5, half to even
    assert found.loc[0, "mean_13_weeks"] == 152
    assert found.loc[0, "mean_13_and_4_weeks"] == 148  # (143 + 152) ÷ 2 = 147.5, half to even
    assert found.loc[0, "size_milli_ft3"] == 1_152
    assert found.loc[1].drop([*KEY, "seller_id"]).tolist() == [0] * 5


def test_tenths_go_by_size_and_equals_stay_together():
    assert size_deciles(np.arange(20)).tolist() == [tenth for tenth in range(1, 11) for _ in "ab"]
    assert size_deciles(np.zeros(5, dtype=np.int64)).tolist() == [1] * 5


def test_an_announcement_is_judged_by_its_own_quantiles():
    foretold = pd.DataFrame(
        {
            "demand_p10_milli_ft3": [1, 2],
            "demand_p50_milli_ft3": [10, 20],
            "demand_p90_milli_ft3": [30, 60],
            "shipped_milli_ft3": [15, 25],
        }
    )
    assert accuracy_as_announced(foretold) == {
        "covered by p10": 0.0,
        "covered by p50": 0.0,
        "covered by p90": 1.0,
        "error (WAPE)": 0.25,
        "bias": -0.25,
    }
    assert accuracy_as_announced(foretold.iloc[:0]) == {}
