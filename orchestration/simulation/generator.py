"""Generating a marketplace from a seed: the day-by-day life of all its sellers, and its files.

Here belongs the order of things on a day, and which files are written when. Each thing itself is in
the module named after it. Nothing made here describes a real seller or sale.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from fbacap_logic.calendar import Quarter
from orchestration.simulation import capacity
from orchestration.simulation.base_estimates import Track
from orchestration.simulation.bids import bid_columns
from orchestration.simulation.costume_shops import SHOPS, make_shops
from orchestration.simulation.demand import Demand
from orchestration.simulation.horizon import Horizon, calendar_of, day64
from orchestration.simulation.mistakes import mistake_columns
from orchestration.simulation.population import (
    CURRENCIES,
    MARKETPLACES,
    STORAGE_TYPES,
    Float64Array,
    Population,
    make_population,
)
from orchestration.simulation.quarter_plan import QuarterPlan, plan_quarter
from orchestration.simulation.records import Records
from orchestration.simulation.stock import Stock, planning_day, reviewing, target_units
from orchestration.simulation.streams import Streams, streams_of
from orchestration.simulation.truth import QuarterTruth, truth_writer
from orchestration.simulation.writing import (
    Summary,
    TableWriter,
    input_table,
    input_writer,
    summary_of,
    texts,
    write_delivery_note,
    write_input,
)
from orchestration.stages import INPUT_TABLES

FEWEST_SELLERS = SHOPS + 3
LAST_QUARTER = Quarter(2025, 4)
MADE_UP = "made up by the generator from its seed; no row describes a real seller or sale"

Progress = Callable[[int, int], None]
"""Told after every day: days done, days in all."""

_JOINED_AT, _LISTED_AT = np.timedelta64(9, "h"), np.timedelta64(10, "h")
_MARKETPLACES_SINCE_DAYS = 1_500  # before the history begins
_INITIAL_FILL = 0.75  # of their targets, on the first day


def generate(
    directory: Path,
    *,
    sellers: int,
    quarters: int,
    seed: int,
    last_quarter: Quarter = LAST_QUARTER,
    until_settled: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Write a made-up delivery of the nine input tables, and the truth behind it.

    The same arguments give the same bytes. The history begins two years before the first market
    quarter; the Halloween shop of rules §9 is among the sellers.

    Args:
        directory: where ``<table>.parquet``, ``_delivery.json`` and ``_truth/`` are written; files
            of those names are replaced.
        sellers: how many, the nine costume shops included; at least 12.
        quarters: how many quarters hold a market, up to ``last_quarter``; at least 1.
        seed: whole number of at least 0.
        last_quarter: the last quarter with a market.
        until_settled: go on selling until that quarter's true-up; else the feeds end with it. What
            happens until its last day is the same.
        progress: called after every simulated day.

    Returns:
        Rows written per input table.

    Raises:
        ValueError: too few sellers or quarters, or a negative seed.
    """
    if sellers < FEWEST_SELLERS:
        raise ValueError(f"sellers is {sellers}; a marketplace needs at least {FEWEST_SELLERS}")
    if quarters < 1:
        raise ValueError(f"quarters is {quarters}; give at least 1")
    horizon = Horizon(last_quarter.plus(1 - quarters), last_quarter, until_settled)
    streams = streams_of(seed)
    population = make_population(sellers, horizon, streams.population, make_shops(horizon))
    world = _World.begin(horizon, population, streams)
    with ExitStack() as stack:
        records = stack.enter_context(Records(directory, population))
        truth = stack.enter_context(truth_writer(directory))
        requests = stack.enter_context(input_writer(directory, "capacity_requests"))
        for number in range(len(horizon.days)):
            world.live(number, records, truth, requests)
            if progress is not None:
                progress(number + 1, len(horizon.days))
    rows = {**records.rows, "capacity_requests": requests.rows}
    rows |= _write_standing_tables(directory, horizon, population)
    rows |= _write_capacity(directory, population, world.plans)
    write_delivery_note(
        directory,
        dict.fromkeys(INPUT_TABLES, MADE_UP),
        generator={
            "sellers": sellers,
            "quarters": [quarter.label for quarter in horizon.market_quarters],
            "seed": seed,
            **({"until_settled": True} if until_settled else {}),
        },
    )
    return summary_of(rows)


@dataclass
class _World:
    """Everything that changes from day to day."""

    horizon: Horizon
    population: Population
    streams: Streams
    demand: Demand
    stock: Stock
    track: Track
    plans: list[QuarterPlan]
    announcements: dict[np.datetime64, Quarter]
    plan: QuarterPlan | None = None  # of the quarter that today belongs to
    truth: QuarterTruth | None = None

    @classmethod
    def begin(cls, horizon: Horizon, population: Population, streams: Streams) -> _World:
        announcements = {
            day64(calendar_of(quarter).announced_at.date()): quarter
            for quarter in horizon.market_quarters
        }
        world = cls(
            horizon=horizon,
            population=population,
            streams=streams,
            demand=Demand(population, horizon, streams.shocks),
            stock=Stock(population),
            track=Track(population, announcements),
            plans=[],
            announcements=announcements,
        )
        first_day = horizon.days[0]
        space = population.seller_markets.unallocated_ft3
        world.stock.fill_up(_INITIAL_FILL * world.target(first_day), space)
        return world

    def target(self, day: np.datetime64) -> Float64Array:
        """What sellers want in stock on a day, by product."""
        expected = self.demand.units_per_day(planning_day(day), expected=True)
        return target_units(self.population, expected, day)

    def live(
        self, number: int, records: Records, truth: TableWriter, requests: TableWriter
    ) -> None:
        """One day: morning news, goods in, sales, orders out, evening records."""
        day = self.horizon.days[number]
        self._morning(day, requests)
        self.stock.receive(number)
        lines = self.demand.lines(day, self.streams.demand)
        sold = self.stock.sell(lines)
        records.add_sales(day, lines, sold, self.streams.demand, self.streams.refunds)
        chance = self.streams.stranding.random(len(self.stock.on_hand))
        arranged = self.population.seller_markets.demand_is_arranged
        chance = np.where(arranged[self.population.products.seller_market], 0.5, chance)
        self.stock.strand(chance)
        target = np.where(reviewing(self.population, number), self.target(day), 0.0)
        self.stock.order(number, target, self._space(day))
        self.track.evening(day, lines, sold, self.stock)
        if day >= self.horizon.first_snapshot:
            records.add_snapshot(day, self.stock)
        if self.truth is not None:
            self.truth.live(number, lines, chance, target, self.stock, sold)
            if self.plan is not None and day == day64(self.plan.calendar.quarter.last_day):
                self.truth.write(truth, self.demand, self.horizon)
                self.truth = None

    def _morning(self, day: np.datetime64, requests: TableWriter) -> None:
        self.track.morning(day)
        if day in self.announcements:
            quarter = self.announcements[day]
            is_example = quarter == self.horizon.halloween_quarter
            plan = plan_quarter(
                quarter,
                self.population,
                self.demand,
                self.track,
                self.streams,
                is_example=is_example,
            )
            self.plans.append(plan)
            _write_requests(requests, self.population, plan)
        for plan in self.plans[-1:]:
            if day == day64(plan.calendar.quarter.first_day):
                self.plan = plan
                self.truth = QuarterTruth(self.population, plan, self.stock)

    def _space(self, day: np.datetime64) -> Float64Array:
        if self.plan is None:
            return self.population.seller_markets.unallocated_ft3
        return self.plan.base_ft3 + self.plan.extra_ft3(day)


def _write_requests(writer: TableWriter, population: Population, plan: QuarterPlan) -> None:
    """A quarter's requests, good and bad, by name, revision and time received."""
    good = bid_columns(population, plan.bids, plan.calendar)
    bad = mistake_columns(population, plan.claims, plan.bids, plan.calendar)
    tables = [input_table("capacity_requests", columns) for columns in (good, bad) if columns]
    keys = [(name, "ascending") for name in ("request_id", "revision", "received_at")]
    ordered = pa.concat_tables(tables).sort_by(keys)
    writer.append({name: ordered[name] for name in ordered.column_names})


def _write_standing_tables(
    directory: Path, horizon: Horizon, population: Population
) -> dict[str, int]:
    sellers, products = population.sellers, population.products
    owner = products.seller_market
    since = day64(horizon.first_day) - np.timedelta64(_MARKETPLACES_SINCE_DAYS, "D")
    tables = {
        "marketplaces": {
            "marketplace_id": list(MARKETPLACES),
            "currency": list(CURRENCIES),
            "received_at": np.full(len(MARKETPLACES), since),
        },
        "sellers": {
            "marketplace_id": texts(MARKETPLACES, sellers.marketplace),
            "seller_id": texts(sellers.name, np.arange(len(sellers.name))),
            "account_type": texts(
                ("professional", "individual"), sellers.is_individual.astype(np.int64)
            ),
            "joined_on": sellers.joined_on,
            "received_at": sellers.joined_on + _JOINED_AT,
        },
        "products": {
            "marketplace_id": texts(MARKETPLACES, population.marketplace[owner]),
            "seller_id": texts(sellers.name, population.seller_markets.seller[owner]),
            "sku": texts(products.name, np.arange(len(products.name))),
            "storage_type": texts(STORAGE_TYPES, population.seller_markets.storage_type[owner]),
            "unit_volume_ft3": products.volume_micro_ft3,
            "received_at": population.joined_on[owner] + _LISTED_AT,
        },
    }
    return {table: write_input(directory, table, columns) for table, columns in tables.items()}


def _write_capacity(
    directory: Path, population: Population, plans: list[QuarterPlan]
) -> dict[str, int]:
    markets = np.unique(population.market)
    spaces = [plan.space for plan in plans]
    releases = [plan.released_milli_ft3 for plan in plans]
    tables = {
        "network_capacity": capacity.capacity_columns(spaces, markets),
        "round_supply": capacity.supply_columns(spaces, releases, markets),
    }
    return {table: write_input(directory, table, columns) for table, columns in tables.items()}
