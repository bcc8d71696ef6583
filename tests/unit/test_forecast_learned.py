"""The forecast learned from a panel's own past, on panels large enough to learn from."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from fbacap_logic.forecast import forecast_panel, forecast_panel_totals
from fbacap_logic.forecast_features import Span
from fbacap_logic.forecast_learned import forecast_totals
from fbacap_logic.forecast_sample import gather

QUANTILES = [0.1, 0.5, 0.9]
NAMES = ["p10", "p50", "p90"]


def as_panel(values: np.ndarray) -> pd.DataFrame:
    series, periods = values.shape
    return pd.DataFrame(
        {
            "unique_id": np.repeat([f"s{number:04}" for number in range(series)], periods),
            "ds": np.tile(np.arange(periods), series),
            "y": values.reshape(-1),
        }
    )


def sparse(series: int, periods: int, seed: int = 1) -> np.ndarray:
    """Demand now and then, of sizes that differ between series by orders of magnitude."""
    random = np.random.default_rng(seed)
    size = random.lognormal(2, 1, (series, 1))
    active = random.random((series, periods)) < random.uniform(0.05, 0.5, (series, 1))
    return np.round(active * random.gamma(2, 1, (series, periods)) * size, 3)


def seasonal(series: int, periods: int, season: int, seed: int = 2) -> np.ndarray:
    random = np.random.default_rng(seed)
    phase = np.arange(periods) / season + random.random((series, 1))
    wave = 1 + 0.5 * np.sin(2 * np.pi * phase)
    noise = np.exp(random.normal(0, 0.05, (series, periods)))
    return random.lognormal(3, 1, (series, 1)) * wave * noise


@pytest.mark.parametrize(("season", "horizon"), [(7, 14), (12, 6), (4, 8)])
def test_a_seasonal_panel_is_foretold_better_than_by_repeating_its_season(season, horizon):
    values = seasonal(60, 12 * season + horizon, season)
    past, came = values[:, :-horizon], values[:, -horizon:]
    table = forecast_panel(as_panel(past), horizon, season, QUANTILES)
    repeated = np.tile(past[:, -season:], 1 + horizon // season)[:, :horizon]
    error = np.abs(table["p50"].to_numpy().reshape(came.shape) - came).sum()
    assert error < 0.95 * np.abs(repeated - came).sum()


def test_totals_of_new_data_are_covered_as_promised():
    values = sparse(600, 104 + 13)
    table = forecast_panel_totals(as_panel(values[:, :104]), 13, 52, QUANTILES)
    came = values[:, 104:].sum(axis=1)
    assert 0.86 <= (came <= table["p90"]).mean() <= 0.94
    assert 0.44 <= (came <= table["p50"]).mean() <= 0.60
    assert (came < table["p10"]).mean() <= 0.14


def test_given_demand_the_p90_covers_those_that_do_have_demand():
    values = sparse(600, 104 + 4)
    came = values[:, 104:].sum(axis=1)
    ages = np.full(600, 104)
    latest_first = values[:, :104][:, ::-1]
    _, plain = forecast_totals(latest_first, ages, Span(0, 4), 52, [0.9])
    _, given = forecast_totals(latest_first, ages, Span(0, 4), 52, [0.9], given_demand=True)
    with_demand = came > 0
    assert 0.86 <= (came <= given[:, 0])[with_demand].mean() <= 0.94
    assert (came <= plain[:, 0])[with_demand].mean() < (came <= given[:, 0])[with_demand].mean()


@pytest.mark.parametrize("forecast", [forecast_panel, forecast_panel_totals])
def test_quantiles_rise_with_their_share_and_stay_above_zero(forecast):
    table = forecast(as_panel(sparse(80, 60)), 5, 13, [0.9, 0.1, 0.5, 0.75])
    ordered = table[["p10", "p50", "p75", "p90"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()
    assert (ordered >= 0).all()
    assert np.isfinite(table[["mean", *NAMES]].to_numpy()).all()


@pytest.mark.parametrize("forecast", [forecast_panel, forecast_panel_totals])
def test_the_order_of_rows_changes_no_byte(forecast):
    rows = as_panel(sparse(80, 60))
    shuffled = rows.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(
        forecast(shuffled, 5, 13, QUANTILES), forecast(rows, 5, 13, QUANTILES), check_exact=True
    )


def test_steps_add_up_to_the_total():
    rows = as_panel(sparse(80, 60))
    steps = forecast_panel(rows, 5, 13, QUANTILES).groupby("unique_id")["mean"].sum()
    totals = forecast_panel_totals(rows, 5, 13, QUANTILES)["mean"]
    np.testing.assert_allclose(steps.to_numpy(), totals.to_numpy(), rtol=1e-9, atol=1e-9)


def test_a_panel_counted_in_larger_units_has_the_same_forecast_in_those_units():
    values = sparse(80, 60)
    small = forecast_panel_totals(as_panel(values), 5, 13, QUANTILES)[NAMES]
    large = forecast_panel_totals(as_panel(values * 2.0**20), 5, 13, QUANTILES)[NAMES]
    pd.testing.assert_frame_equal(large, small * 2.0**20, check_exact=True)


def test_a_series_that_never_had_demand_is_forecast_at_zero():
    values = sparse(80, 60)
    values[7] = 0
    table = forecast_panel(as_panel(values), 5, 13, QUANTILES)
    never = table[table["unique_id"] == "s0007"]
    assert (never[["mean", *NAMES]] == 0).all(axis=None)


def test_a_panel_that_never_had_demand_is_forecast_at_zero():
    table = forecast_panel_totals(as_panel(np.zeros((80, 60))), 5, 13, QUANTILES)
    assert (table[["mean", *NAMES]] == 0).all(axis=None)


def test_series_begun_in_the_last_period_are_forecast_with_the_rest():
    rows = as_panel(sparse(80, 60))
    newcomer = pd.DataFrame({"unique_id": "new", "ds": [59], "y": [40.0]})
    table = forecast_panel_totals(pd.concat([rows, newcomer]), 5, 13, QUANTILES)
    new = table.set_index("unique_id").loc["new"]
    assert 0 < new["mean"] < 5 * 40
    assert new["p90"] > new["p50"] >= new["p10"]


def test_values_on_both_sides_of_zero_stay_there():
    values = seasonal(60, 60, 12) - 20
    table = forecast_panel(as_panel(values), 6, 12, QUANTILES)
    assert (table["p50"] < 0).any()
    assert (table["p50"] > 0).any()


@pytest.mark.parametrize("periods", [1, 2, 3, 8])
def test_many_series_of_short_history_are_forecast(periods):
    table = forecast_panel(as_panel(sparse(500, periods)), 13, 52, QUANTILES)
    assert len(table) == 500 * 13
    assert np.isfinite(table[["mean", *NAMES]].to_numpy()).all()


def test_what_a_past_moment_is_learned_from_does_not_hold_what_followed():
    values, ages, span = sparse(50, 40), np.full(50, 40), Span(2, 6)
    changed = values.copy()
    changed[:, -1] += 1e6
    lessons, others = (gather(panel, ages, 6, 13, [span]) for panel in (values, changed))
    assert lessons is not None
    assert others is not None
    np.testing.assert_array_equal(lessons.features, others.features)
    np.testing.assert_array_equal(lessons.straight, others.straight)
    assert (lessons.target != others.target).any()


_DIGEST = """
import hashlib, sys
import numpy as np, pandas as pd
from fbacap_logic.forecast import forecast_panel
random = np.random.default_rng(1)
values = (random.random((90, 60)) < 0.4) * random.gamma(2, 9, (90, 60))
rows = pd.DataFrame({
    "unique_id": np.repeat(np.arange(90), 60), "ds": np.tile(np.arange(60), 90),
    "y": values.reshape(-1),
})
table = forecast_panel(rows, 5, 13, [0.1, 0.5, 0.9])
print(hashlib.sha256(table.to_numpy(dtype=float).tobytes()).hexdigest())
"""


def test_other_processes_with_other_threads_find_the_same_bytes():
    digests = set()
    for threads in ("1", "4"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(_DIGEST)],
            env=os.environ | dict.fromkeys(names, threads),
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(run.stdout.strip())
    assert len(digests) == 1


def test_a_panel_in_its_infancy_is_forecast_by_the_simple_rule():
    """What it could be taught by is only how series begin: with little."""
    ages = np.full(400, 24)
    ages[60:] = 4
    values = np.zeros((400, 24))
    values[:60, 2:5] = 1.0
    values[:, 20:] = 3.0
    total, _ = forecast_totals(values[:, ::-1], ages, Span(6, 13), 52, [0.5])
    assert total[60:].min() == pytest.approx(13 * 3)
