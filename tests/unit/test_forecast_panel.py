"""The forecast of a small panel: the documented rule, worked out a second way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbacap_logic.forecast import forecast_panel, forecast_panel_totals


def panel(**series: list[float]) -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame({"unique_id": name, "ds": range(len(values)), "y": values})
            for name, values in series.items()
        ]
    )


def test_a_panel_forecast_has_one_row_a_series_and_step():
    table = forecast_panel(panel(b=[2.0] * 30, a=[1.0] * 8), 3, 52, [0.1, 0.975])
    assert table.columns.tolist() == ["unique_id", "step", "mean", "p10", "p97.5"]
    assert table["unique_id"].tolist() == ["a"] * 3 + ["b"] * 3
    assert table["step"].tolist() == [1, 2, 3] * 2
    assert table["mean"].tolist() == [1.0] * 3 + [2.0] * 3
    assert (table["p10"] < table["mean"]).all()
    assert (table["p97.5"] > table["mean"]).all()


def test_a_panel_forecast_does_not_depend_on_the_order_of_rows():
    rows = panel(b=[2.0, 5.0, 1.0] * 9, a=[1.0, 0.5] * 8, c=[0.0] * 3)
    shuffled = rows.sample(frac=1, random_state=7)
    for forecast in (forecast_panel, forecast_panel_totals):
        pd.testing.assert_frame_equal(
            forecast(shuffled, 4, 12, [0.1, 0.9]), forecast(rows, 4, 12, [0.1, 0.9])
        )


def test_the_latest_periods_of_a_panel_set_the_rate_whatever_their_names():
    rows = panel(a=[9.0] * 39 + [1.0] * 13)
    rows["ds"] = pd.Timestamp("2026-01-05") + pd.to_timedelta(7 * rows["ds"], unit="D")
    assert forecast_panel_totals(rows, 13, 52, [])["mean"].tolist() == [13.0]


def test_the_relative_spread_of_a_series_is_that_of_its_own_totals():
    # By hand: the two rolling totals of 13 weeks are 12 and 13, their mean 12.5; 14 weeks of
    # history are worth 14/13 - 1 = 1/13 of a window.
    own = (12 + 0.9) / 12.5
    pooled = (own / 13 + 4 * 1.8) / (1 / 13 + 4)
    relative = (own / 13 + 4 * pooled) / (1 / 13 + 4)
    rate = (13 / 13 + 4 / 4) / 2
    history = pd.DataFrame({"unique_id": "a", "ds": range(14), "y": [0.0] + [1.0] * 13})
    total = forecast_panel_totals(history, 13, 52, [0.9])
    assert total["p90"].iloc[0] == pytest.approx(13 * rate * relative, rel=1e-12)


def plain_relative_quantile(histories: list[list[float]], at: int, horizon: int, share: float):
    """The documented method, one series at a time, as one would do it on paper."""

    def windows(values: list[float]) -> float:
        return max(len(values) / horizon - 1, 0) if sum(values) else 0

    def own(values: list[float]) -> float:
        starts = range(len(values) - horizon + 1)
        totals = [sum(values[start : start + horizon]) for start in starts]
        return float(np.quantile(totals, share) / np.mean(totals))

    heard = [values for values in histories if windows(values)]
    pooled = sum(windows(values) * own(values) for values in heard) + 4 * 2 * share
    pooled /= sum(windows(values) for values in heard) + 4
    mine = histories[at]
    weight = windows(mine)
    return ((weight * own(mine) if weight else 0) + 4 * pooled) / (weight + 4)


@given(
    st.lists(st.lists(st.integers(0, 1_000), min_size=1, max_size=30), min_size=1, max_size=4),
    st.integers(1, 12),
    st.floats(0, 1),
)
def test_the_spread_is_the_documented_one_when_worked_out_one_series_at_a_time(
    histories: list[list[int]], horizon: int, share: float
):
    names = [f"s{number}" for number in range(len(histories))]
    rows = panel(**dict(zip(names, histories, strict=True)))
    table = forecast_panel_totals(rows, horizon, 52, [share])
    for at in range(len(histories)):
        relative = plain_relative_quantile(histories, at, horizon, share)
        expected = table["mean"].iloc[at] * relative
        assert table.iloc[at, 2] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_rate_looks_back_a_quarter_and_a_thirteenth_of_a_season_in_whole_periods():
    # A season of 24: the last 6 periods and the last 1.
    rows = panel(a=[99.0] * 24 + [6.0, 6.0, 6.0, 6.0, 0.0, 12.0])
    assert forecast_panel_totals(rows, 1, 24, [])["mean"].tolist() == [(36 / 6 + 12) / 2]


def test_an_empty_panel_gives_an_empty_forecast():
    table = forecast_panel(pd.DataFrame({"unique_id": [], "ds": [], "y": []}), 2, 52, [0.5])
    assert table.columns.tolist() == ["unique_id", "step", "mean", "p50"]
    assert len(table) == 0


@pytest.mark.parametrize(
    ("horizon", "season_length", "quantiles", "sentence"),
    [
        (0, 52, [0.5], "horizon is 0; it must be at least 1"),
        (1, 0, [0.5], "season_length is 0; it must be at least 1"),
        (1, 52, [1.5], "quantiles: 1.5 is out of range"),
        (1, 52, [float("nan")], "quantiles: nan is out of range"),
        (1, 52, [0.5, 0.5], "quantiles: one stands twice"),
    ],
)
def test_arguments_out_of_range_are_refused(horizon, season_length, quantiles, sentence):
    for forecast in (forecast_panel, forecast_panel_totals):
        with pytest.raises(ValueError, match=sentence):
            forecast(panel(a=[1.0]), horizon, season_length, quantiles)


@pytest.mark.parametrize(
    ("column", "values", "sentence"),
    [
        ("y", [1.0, float("nan"), 1.0], "'y', row 1: is not a finite number"),
        ("y", [1.0, 1.0, float("inf")], "'y', row 2: is not a finite number"),
        ("ds", [0, 2, 2], "period 2 of series 'a' stands twice"),
        ("ds", [0, None, 1], "'ds', row 1: is null"),
        ("unique_id", ["a", "a", None], "'unique_id', row 2: is null"),
    ],
)
def test_a_wrong_panel_is_refused(column, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        forecast_panel_totals(panel(a=[1.0] * 3).assign(**{column: values}), 1, 52, [0.5])


def test_a_period_left_out_of_one_series_is_refused():
    rows = panel(a=[1.0] * 3, b=[1.0] * 3)
    gap = rows[(rows["unique_id"] != "a") | (rows["ds"] != 1)]
    with pytest.raises(ValueError, match="period 0 of series 'a' is followed by a gap"):
        forecast_panel_totals(gap, 1, 52, [0.5])


def test_values_below_zero_are_forecast_and_not_cut_off():
    table = forecast_panel_totals(panel(a=[-3.0] * 40), 4, 12, [0.5])
    assert table["mean"].tolist() == [-12.0]
    assert table["p50"].tolist() == [-12.0]


def test_a_season_shown_twice_shapes_the_steps_of_a_single_series():
    season = [1.0, 2.0, 9.0, 4.0]
    table = forecast_panel(panel(a=season * 6), 4, 4, [0.5])
    assert table["mean"].argmax() == 2
    assert table["p50"].iloc[2] > 2 * table["p50"].iloc[0]


def test_chance_without_a_season_does_not_shape_the_steps():
    history = [1.0, 2.0, 9.0, 4.0, 5.0, 4.0, 1.0, 6.0]
    table = forecast_panel(panel(a=history), 4, 4, [0.5])
    assert table["mean"].tolist() == [table["mean"].iloc[0]] * 4
