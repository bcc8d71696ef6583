"""The report's charts: what is drawn stands where its figures say."""

import re

import pytest

from orchestration.report.charts import (
    FeePicture,
    RoundPicture,
    demand_chart,
    fee_chart,
    spread_chart,
)
from orchestration.report.svg import Scale, path, words
from orchestration.statements.words import Currency

USD = Currency("USD", 2)
ROUND = RoundPicture(
    round=2,
    steps=((600, 20_000), (400, 70_000), (100, 100_000)),
    supply_milli_ft3=60_000,
    demanded_milli_ft3=100_000,
    granted_milli_ft3=60_000,
    clearing_fee_minor_per_ft3=400,
)


def points(drawing: str, name: str) -> list[tuple[float, float]]:
    [found] = re.findall(rf'<polyline class="{name}" points="([^"]*)"', drawing)
    return [tuple(map(float, each.split(","))) for each in found.split()]


def attributes(drawing: str, kind: str, name: str) -> dict[str, float]:
    [found] = re.findall(rf'<{kind} class="{name}" ([^/]*)/>', drawing)
    return {key: float(value) for key, value in re.findall(r'(\w+)="([^"]*)"', found)}


def test_demand_falls_from_step_to_step_and_ends_where_nobody_wants_more():
    drawn = points(demand_chart("standard", ROUND, (100_000, 600), USD).drawing, "demand")
    across = [x for x, _ in drawn]
    assert across == sorted(across)
    heights = [y for _, y in drawn]
    assert heights == sorted(heights)
    width = across[-1] - across[0]
    assert [round((x - across[0]) / width, 2) for x in across[1::2]] == [0.2, 0.7, 1.0]


def test_supply_and_granted_volume_stand_at_the_same_place_when_all_was_granted():
    drawing = demand_chart("standard", ROUND, (100_000, 600), USD).drawing
    supply = attributes(drawing, "line", "supply")
    granted = attributes(drawing, "rect", "granted")
    fee = attributes(drawing, "line", "fee")
    assert supply["x1"] == granted["x"] + granted["width"]
    assert fee["y1"] == granted["y"]


def test_a_round_without_grants_has_no_fee_and_no_granted_volume():
    empty = RoundPicture(1, (), 60_000, 0, 0, None)
    picture = demand_chart("standard", empty, (60_000, 1), USD)
    assert 'class="fee"' not in picture.drawing
    assert 'class="granted"' not in picture.drawing
    assert picture.description.endswith("no clearing fee. No demand curve: nobody asked.")


def test_a_demand_chart_says_what_it_shows_in_words():
    told = demand_chart("standard", ROUND, (100_000, 500), USD)
    assert told.title == "Demand against supply, standard, round 2"
    assert told.description == (
        "Wanted 100 ft³, supply 60 ft³, granted 60 ft³, clearing fee 4.00 USD. Half of what was "
        "wanted was wanted at 4.00 USD per ft³ or more. Fees above 5.00 USD are cut off."
    )


def test_fees_above_the_scale_are_drawn_at_its_top():
    drawn = points(demand_chart("standard", ROUND, (100_000, 500), USD).drawing, "demand")
    assert min(y for _, y in drawn) == 9.0


def test_the_fee_chart_shows_what_early_winners_pay_in_the_end():
    rounds = (
        FeePicture(1, 600, (400, 400)),
        FeePicture(2, 400, (400, 400)),
        FeePicture(3, None, None),
    )
    picture = fee_chart("standard", rounds, USD)
    assert len(points(picture.drawing, "feepath")) == 2
    assert picture.drawing.count('class="final"') == 2
    assert picture.description == (
        "Round 1 cleared at 6.00 USD, its winners pay 4.00 USD; round 2 cleared at 4.00 USD, its "
        "winners pay 4.00 USD; round 3: nothing granted."
    )


def test_winners_that_pay_their_own_fees_are_shown_from_least_to_most():
    picture = fee_chart("standard", (FeePicture(1, 400, (400, 900)),), USD)
    assert picture.drawing.count('class="final"') == 2
    assert "its winners pay 4.00 USD to 9.00 USD" in picture.description


def test_bars_are_as_high_as_their_counts():
    picture = spread_chart("Standard", "scores", (("0", 10), ("100", 0), ("200", 5)), "sellers")
    heights = [
        float(each) for each in re.findall(r'class="bar"[^>]*height="([^"]*)"', picture.drawing)
    ]
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.01)
    assert len(heights) == 2
    assert picture.description == (
        "15 sellers; the fullest class begins at 0 and holds 10; "
        "the highest with any begins at 200."
    )


def test_nobody_to_count_is_said_and_draws_no_bar():
    picture = spread_chart("Standard", "scores", (("0", 0),), "sellers")
    assert picture.description == "No sellers."
    assert 'class="bar"' not in picture.drawing


def test_words_in_a_drawing_are_escaped():
    assert words("<script>", (0, 0)) == '<text x="0" y="0">&lt;script&gt;</text>'


@pytest.mark.parametrize("largest", [1, 3, 99, 12_345, 10**18])
def test_ticks_are_round_few_and_start_at_zero(largest):
    ticks = Scale(largest, 0, 1_000).ticks(4)
    assert ticks[0] == 0
    assert len(ticks) <= 5
    assert ticks[-1] <= largest


def test_a_path_is_written_in_tenths_without_floats():
    assert (
        path("demand", [(10, 25), (1_001, 0)])
        == '<polyline class="demand" points="1,2.5 100.1,0"/>'
    )
