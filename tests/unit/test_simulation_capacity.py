"""How the simulated operator plans its space against what it expects sellers to claim."""

import numpy as np
import pytest

from fbacap_logic.calendar import Quarter
from orchestration.simulation.base_estimates import Claims
from orchestration.simulation.capacity import plan_pools
from orchestration.simulation.population import MARKETS

MARKET = np.repeat(np.arange(MARKETS), 3)
CLAIM = np.tile([400.0, 250.0, 150.0], MARKETS)


def expected_claims(floor_ft3: float) -> Claims:
    return Claims(np.ones(len(CLAIM), dtype=bool), np.full(len(CLAIM), floor_ft3), CLAIM)


def shortage(quarter: Quarter, floor_ft3: float, seed: int) -> np.ndarray:
    pool = plan_pools(expected_claims(floor_ft3), MARKET, quarter, np.random.default_rng(seed))
    return np.bincount(MARKET, weights=CLAIM) / (pool / 1_000)


@pytest.mark.parametrize("seed", range(5))
def test_every_peak_market_is_planned_short_of_expected_claims_by_ten_to_twenty_percent(seed):
    found = shortage(Quarter(2025, 4), 5.0, seed)
    assert ((found > 1.10) & (found < 1.20)).all()


@pytest.mark.parametrize("seed", range(5))
def test_every_slack_market_is_planned_with_room_for_every_expected_claim(seed):
    assert (shortage(Quarter(2025, 2), 5.0, seed) < 1).all()


def test_a_pool_is_never_planned_below_the_floors_that_are_owed():
    found = shortage(Quarter(2025, 4), 260.0, seed=1)
    assert (800 / found > 3 * 260.0).all()
