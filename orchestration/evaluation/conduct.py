"""How sellers behave in an evaluation: honestly, or so as to be credited with more (rules §6).

Here belong the ways of gaming and what each changes; living through the days is ``world``. Half of
all sellers game, the others are their own control group.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fbacap_logic.units import Int64Array
from orchestration.simulation.demand import Lines
from orchestration.simulation.horizon import Horizon, day64
from orchestration.simulation.population import BoolArray, Population

HONEST = "honest"
PARKED_STOCK = "parked-stock"
SHIFTED_SALES = "shifted-sales"
SPLIT_GRANTS = "split-grants"

SCENARIOS = {
    HONEST: "sellers stock what they expect to sell",
    PARKED_STOCK: "half of the sellers fill what they leave empty with stock that never sells",
    SHIFTED_SALES: "half of the sellers hold back two weeks of orders until the quarter",
    SPLIT_GRANTS: "every grant is cut into ten",
}

BURN_IN_QUARTERS = 1  # before it, sellers stocked as if space had no end
SHIFT_DAYS = 14
PIECES = 10


@dataclass
class Conduct:
    """One scenario in one marketplace. ``games``: which seller markets do, in any scenario."""

    scenario: str
    games: BoolArray
    _games_product: BoolArray
    _shifted_to: np.datetime64
    _held_back: dict[np.datetime64, Lines] = field(default_factory=dict)

    @classmethod
    def of(cls, scenario: str, population: Population, horizon: Horizon) -> Conduct:
        """The scenario's conduct among these sellers; every second seller games."""
        games = population.seller_markets.seller % 2 == 0
        return cls(
            scenario=scenario,
            games=games,
            _games_product=games[population.products.seller_market],
            _shifted_to=day64(horizon.market_quarters[BURN_IN_QUARTERS].first_day),
        )

    @property
    def pieces(self) -> int:
        """Into how many grants each grant is cut."""
        return PIECES if self.scenario == SPLIT_GRANTS else 1

    def lines(self, day: np.datetime64, wanted: Lines) -> Lines:
        """What of a day's demand reaches the warehouse that day."""
        if self.scenario != SHIFTED_SALES:
            return wanted
        later = day + np.timedelta64(SHIFT_DAYS, "D")
        if day < self._shifted_to <= later:
            held = self._games_product[wanted.product]
            self._held_back[later] = _taken(wanted, held)
            wanted = _taken(wanted, ~held)
        return _together(wanted, self._held_back.pop(day)) if day in self._held_back else wanted

    def used_milli_ft3(self, used: Int64Array, space: Int64Array) -> Int64Array:
        """Space that snapshots show as used, of what sellers may use, milli ft³."""
        if self.scenario != PARKED_STOCK:
            return used
        return np.where(self.games, np.maximum(used, space), used)


def _taken(lines: Lines, rows: BoolArray) -> Lines:
    return Lines(lines.product[rows], lines.units[rows])


def _together(first: Lines, second: Lines) -> Lines:
    product = np.concatenate([first.product, second.product])
    units = np.concatenate([first.units, second.units])
    order = np.argsort(product, kind="stable")
    return Lines(product[order], units[order])
