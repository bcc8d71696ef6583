"""Measuring attribution against the truth: conduct, comparison, files."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from market_examples import CALENDAR, MARKET, QUARTER
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.errors import BadUsage
from orchestration.evaluation.conduct import (
    HONEST,
    PARKED_STOCK,
    SHIFT_DAYS,
    SHIFTED_SALES,
    SPLIT_GRANTS,
    Conduct,
)
from orchestration.evaluation.facts import LivedQuarter
from orchestration.evaluation.measure import COLUMNS, METHODS, evaluate, winners_of
from orchestration.evaluation.writing import write_evaluation
from orchestration.simulation.costume_shops import make_shops
from orchestration.simulation.demand import Lines
from orchestration.simulation.horizon import Horizon, day64

HORIZON = Horizon(QUARTER.previous, QUARTER.next)


def conduct(scenario: str) -> Conduct:
    return Conduct.of(scenario, make_shops(HORIZON), HORIZON)


def lived(net_sales: int, without_extra: int, used: int) -> LivedQuarter:
    """A winner of 1 ft³ beside a base of 1 ft³, the same on each of two days."""
    seller = MARKET | {"seller_id": "s1"}
    days = pd.DataFrame([seller | {"day": pd.Timestamp(f"2026-10-0{day}")} for day in (1, 2)])
    days = days.assign(
        net_sales_minor=net_sales // 2, used_milli_ft3=used, base_milli_ft3=1_000,
        extra_milli_ft3=1_000, is_carried=False, is_missing=False,
    )  # fmt: skip
    grant = {"request_id": "a", "round": 1, "granted_milli_ft3": 1_000, "max_fee_minor_per_ft3": 5}
    truth = {
        "net_sales_without_extra_minor": without_extra,
        "later_sales_minor": 500,
        "games": False,
    }
    return LivedQuarter(
        calendar=CALENDAR,
        days=days,
        grants=pd.DataFrame([seller | grant | {"priority_at": pd.Timestamp("2026-09-01")}]),
        forecasts=pd.DataFrame([seller | {"sales_forecast_minor": 6_000}]),
        truth=pd.DataFrame([seller | truth]),
    )


def test_a_winner_is_credited_beside_what_its_space_really_made():
    (row,) = winners_of(lived(10_000, 9_000, used=1_500)).to_dict(orient="records")
    assert row["net_sales"] == 100
    assert row["true_sales"] == pytest.approx(10)
    assert row["true_sales_with_later"] == pytest.approx(15)
    assert row["usage_layer"] == pytest.approx(100 / 3)
    assert row["capacity_share"] == pytest.approx(50)
    assert row["forecast_uplift"] == pytest.approx(40)
    assert row["fullness"] == 0.75


def test_held_back_orders_all_come_two_weeks_later_and_only_from_those_who_game():
    shifted, first_day = conduct(SHIFTED_SALES), day64(QUARTER.first_day)
    wanted = Lines(np.arange(9), np.arange(1, 10))
    days = [first_day + np.timedelta64(n, "D") for n in range(-SHIFT_DAYS - 1, SHIFT_DAYS + 1)]
    seen = {day: shifted.lines(day, wanted) for day in days}
    before, first = seen[first_day - np.timedelta64(1, "D")], seen[first_day]
    assert before.product.tolist() == [1, 3, 5, 7]
    assert first.product.tolist() == sorted([*range(9), 0, 2, 4, 6, 8])
    assert sum(lines.units.sum() for lines in seen.values()) == len(days) * wanted.units.sum()
    assert seen[days[0]].units.tolist() == seen[days[-1]].units.tolist() == wanted.units.tolist()


def test_only_parked_stock_looks_fuller_and_only_split_grants_are_cut():
    used, space = np.full(9, 300), np.full(9, 1_000)
    assert conduct(PARKED_STOCK).used_milli_ft3(used, space).tolist() == [1_000, 300] * 4 + [1_000]
    assert conduct(HONEST).used_milli_ft3(used, space) is used
    assert conduct(PARKED_STOCK).used_milli_ft3(space, used).tolist() == space.tolist()
    assert [conduct(name).pieces for name in (HONEST, SPLIT_GRANTS)] == [1, 10]


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    return evaluate(
        [HONEST, PARKED_STOCK, SPLIT_GRANTS],
        sellers=60, quarters=1, seed=3, last_quarter=QUARTER,
    )  # fmt: skip


def credited(measured: pd.DataFrame, scenario: str, group: str = "all") -> dict[str, int]:
    rows = measured[(measured["scenario"] == scenario) & (measured["group"] == group)]
    return dict(zip(rows["method"], rows["credited_sales"], strict=True))


def test_every_split_counts_every_winner_once(measured):
    assert list(measured.columns) == list(COLUMNS)
    honest = measured[(measured["scenario"] == HONEST) & (measured["method"] == METHODS[0])]
    counted = honest.groupby("split")["winners"].sum()
    assert set(counted) == {counted["all"]}
    assert counted["all"] > 5
    assert (honest["true_sales"] <= honest["net_sales"]).all()
    assert honest.loc[honest["split"] == "all", "true_sales"].item() > 0


def test_parked_stock_moves_usage_layer_alone_and_splitting_moves_nothing(measured):
    honest, parked, split = (
        credited(measured, name, "gaming half") for name in (HONEST, PARKED_STOCK, SPLIT_GRANTS)
    )
    assert parked["usage_layer"] > honest["usage_layer"]
    assert parked["capacity_share"] == honest["capacity_share"]
    assert parked["forecast_uplift"] == honest["forecast_uplift"]
    assert split == honest
    assert credited(measured, PARKED_STOCK, "honest half") == credited(
        measured, HONEST, "honest half"
    )


def test_the_same_evaluation_writes_the_same_bytes(measured, tmp_path):
    written = [
        [path.read_bytes() for path in write_evaluation(measured, {"seed": 3}, tmp_path / name)]
        for name in ("first", "second")
    ]
    assert written[0] == written[1]
    table, text, picture = written[0]
    assert table.decode().splitlines()[0] == ",".join(COLUMNS)
    assert len(json.loads(text)["rows"]) == len(measured)
    assert picture.startswith(b"\x89PNG")


def test_an_unknown_scenario_is_refused_before_anything_is_lived():
    failed = CliRunner().invoke(app, ["evaluate-attribution", "--scenario", "bribery"])
    assert isinstance(failed.exception, BadUsage)
    assert "'bribery' is not a scenario; choose from honest" in str(failed.exception)


def test_the_command_prints_what_it_measured():
    words = ["evaluate-attribution", "--sellers", "60", "--seed", "3", "--scenario", HONEST]
    shown = CliRunner().invoke(app, [*words, "--last", QUARTER.label])
    assert shown.exit_code == 0, shown.output
    assert "usage_layer" in shown.stdout
    asked = CliRunner().invoke(app, [*words, "--last", QUARTER.label, "--json"])
    found = json.loads(asked.stdout)
    assert found["arguments"]["sellers"] == 60
    assert {row["split"] for row in found["rows"]} == {"all", "size_decile", "fullness", "conduct"}
