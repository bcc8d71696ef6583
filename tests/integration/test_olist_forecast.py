"""How well the real quarters of Olist are foretold, held to the figures of docs/forecasting.md."""

from __future__ import annotations

import pytest

from benchmarks.forecast_accuracy import Compared, compare, open_olist, pooled
from orchestration.simulation.olist import olist_folder

pytestmark = [
    pytest.mark.olist,
    pytest.mark.skipif(
        not olist_folder().is_dir(),
        reason="the Olist data does not stand beside the project (see README, results)",
    ),
]


@pytest.fixture(scope="module", params=[False, True], ids=["by seller", "by market"])
def found(request) -> tuple[dict[str, Compared], list[Compared]]:
    with open_olist(olist_folder()) as connection:
        by_quarter = list(compare(connection, by_market=request.param))
    return {one.method: one for one in pooled(by_quarter)}, by_quarter


def test_the_published_median_errs_by_at_most_66_percent_of_the_volume(found):
    together, _ = found
    assert together["p50"].measured.wape <= 0.66


def test_the_mean_is_within_5_percent_of_what_was_shipped(found):
    together, _ = found
    assert abs(together["mean"].measured.bias) <= 0.05


def test_the_p90_covers_about_90_percent_of_sellers_with_demand(found):
    together, _ = found
    assert 0.87 <= together["p90"].measured.covered <= 0.93


def test_the_p10_is_seldom_above_what_was_shipped(found):
    together, _ = found
    assert together["p10"].measured.covered <= 0.10


def test_the_median_beats_every_simple_mean_in_all_quarters_together(found):
    together, _ = found
    simple = [one for name, one in together.items() if "mean of" in name or "average" in name]
    assert len(simple) == 4
    assert all(together["p50"].measured.wape < one.measured.wape for one in simple)
