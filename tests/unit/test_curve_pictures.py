"""Pictures and text of a demand curve: the same bytes each time, and nothing hidden shown."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from orchestration.pictures.canvas import FORMATS
from orchestration.pictures.curve_data import Curve, Step
from orchestration.pictures.curve_picture import draw_curve
from orchestration.pictures.curve_text import headline, print_curve

CURVE = Curve(
    quarter="2026Q4",
    marketplace_id="US",
    storage_type="standard",
    round=1,
    currency="USD",
    minor_unit_digits=2,
    supply_milli_ft3=100_000,
    demanded_milli_ft3=150_500,
    granted_milli_ft3=100_000,
    unsold_milli_ft3=0,
    clearing_fee_minor_per_ft3=450,
    cover_ratio_bp=15_050,
    marginal_fill_bp=6_290,
    is_exact=False,
    steps=(Step(600, 3, 4, 60_000, 60_000), Step(400, 5, 5, 90_500, 150_500)),
)
UNSOLD = replace(
    CURVE,
    supply_milli_ft3=0,
    granted_milli_ft3=0,
    clearing_fee_minor_per_ft3=None,
    cover_ratio_bp=None,
    marginal_fill_bp=None,
    currency=None,
)


def printed(curve: Curve) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_curve(console, curve)
    return console.file.getvalue()


@pytest.mark.parametrize("file_format", FORMATS)
def test_one_curve_gives_the_same_bytes_each_time(file_format):
    first = draw_curve(CURVE, file_format)
    assert draw_curve(CURVE, file_format) == first
    assert first[:4] == (b"\x89PNG" if file_format == "png" else b"<?xm")
    assert first != draw_curve(replace(CURVE, supply_milli_ft3=90_000), file_format)
    assert b"Matplotlib v" not in first
    assert b"dc:date" not in first


@pytest.mark.parametrize("curve", [UNSOLD, replace(CURVE, is_exact=True), replace(
    CURVE, steps=CURVE.steps[1:])])  # fmt: skip
def test_a_round_without_grants_an_exact_curve_and_a_single_cell_can_be_drawn(curve):
    assert draw_curve(curve, "png").startswith(b"\x89PNG")


def test_a_markets_name_is_never_read_as_a_formula():
    assert draw_curve(replace(CURVE, storage_type="$\\frac{1}$"), "svg")


def test_the_figures_stand_in_one_sentence():
    assert headline(CURVE) == (
        "supply 100 ft3, demanded 150.5 ft3, granted 100 ft3, unsold 0 ft3, cover ratio 1.5050, "
        "clearing fee 4.50 USD per ft3, marginal requests 62 % filled"
    )
    assert headline(UNSOLD).endswith("unsold 0 ft3, no clearing fee, for nothing was granted")


def test_the_table_marks_the_cell_that_holds_the_clearing_fee():
    lines = printed(CURVE).splitlines()
    marked = [line for line in lines if "← clearing fee" in line]
    assert len(marked) == 1
    assert marked[0].split()[:4] == ["4.00", "5", "90.500", "150.500"]
    assert all(len(line) <= 80 for line in lines)
    assert "← clearing fee" not in printed(UNSOLD)


def test_an_exact_curve_says_that_it_is_not_for_publication():
    assert "not for publication" in printed(replace(CURVE, is_exact=True))
    assert "not for publication" not in printed(CURVE)


def test_a_curve_that_is_not_published_says_why():
    assert "fewer than 3 sellers asked for volume" in printed(replace(CURVE, steps=()))
    assert "nobody asked" in printed(replace(CURVE, steps=(), demanded_milli_ft3=0))
