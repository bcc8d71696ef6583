"""What must hold of base allocations whatever the facts are (rules §§2, 8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from proof_effort import examples

from fbacap_logic.base_allocation import (
    ALLOCATION_COLUMNS,
    INDIVIDUAL,
    BaseAllocation,
    allocate,
)
from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.score import SCORE_COLUMNS

QUARTER = Quarter(2026, 4)
ANNOUNCED_ON = date(2026, 8, 20)
POLICY = BaseAllocationPolicy()
KEYS = ["marketplace_id", "storage_type", "seller_id"]
CHANGES = [name for name in ALLOCATION_COLUMNS if name.startswith("change_")]
NOTHING_PUBLISHED = pd.DataFrame(
    {
        name: pd.Series(dtype="object" if name in (*KEYS, "cohort") else "int64")
        for name in ALLOCATION_COLUMNS
    }
)

volumes = st.one_of(st.integers(0, 30), st.integers(0, 200_000), st.integers(0, 2**50))


@dataclass(frozen=True)
class Seller:
    seller_id: str
    account_type: str
    joined_on: date | None
    history_start: date | None
    demand: int
    later: tuple[int, int]
    score: int


@dataclass(frozen=True)
class Facts:
    sellers: dict[str, tuple[Seller, ...]]  # by storage type
    pools: dict[str, tuple[int, ...]]


@st.composite
def one_market(draw: st.DrawFn, ids: tuple[str, ...] | None = None) -> tuple[Seller, ...]:
    if ids is None:
        ids = tuple(draw(st.lists(st.sampled_from("aBcéz9-"), min_size=1, unique=True)))
    days = st.one_of(
        st.none(), st.integers(0, 700).map(lambda ago: ANNOUNCED_ON - timedelta(days=ago))
    )
    return tuple(
        Seller(
            name,
            draw(st.sampled_from(["professional", "professional", "individual"])),
            draw(days),
            draw(days),
            draw(volumes),
            (draw(volumes), draw(volumes)),
            draw(st.integers(0, 1000)),
        )
        for name in ids
    )


@st.composite
def pools_of(draw: st.DrawFn, sellers: tuple[Seller, ...], least: int = 0) -> tuple[int, ...]:
    """This quarter's pool, never below anyone's possible floor nor ``least``; then later ones."""
    floors = len(sellers) * max(
        POLICY.individual_milli_ft3, POLICY.new_professional_floor_milli_ft3
    )
    claims = sum(seller.demand for seller in sellers) * 3
    this = max(least, floors) + draw(st.integers(0, claims + 10))
    return (this, *draw(st.lists(volumes, max_size=2)))


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    sellers = {"standard": draw(one_market())}
    if draw(st.booleans()):
        sellers["oversize"] = draw(one_market())
    return Facts(sellers, {name: draw(pools_of(rows)) for name, rows in sellers.items()})


@st.composite
def facts_that_change(draw: st.DrawFn) -> tuple[Facts, Facts]:
    """Facts, and others about the same sellers, whose pools still hold what was confirmed."""
    first = draw(facts())
    sellers, pools = {}, {}
    for name, rows in first.sellers.items():
        sellers[name] = draw(one_market(tuple(row.seller_id for row in rows)))
        floors = len(rows) * POLICY.individual_milli_ft3
        # 22/13 of the demand times 1.30 at most: nobody can have been given more.
        given_at_most = min(first.pools[name][0], floors + 3 * sum(row.demand for row in rows))
        pools[name] = draw(pools_of(sellers[name], given_at_most + floors))
    return first, Facts(sellers, pools)


def frames(given_facts: Facts) -> dict[str, pd.DataFrame]:
    rows = [(name, seller) for name, group in given_facts.sellers.items() for seller in group]
    sellers = pd.DataFrame(
        {
            "marketplace_id": "us",
            "storage_type": [name for name, _ in rows],
            "seller_id": [seller.seller_id for _, seller in rows],
            "account_type": [seller.account_type for _, seller in rows],
            "joined_on": [seller.joined_on for _, seller in rows],
            "history_start": [seller.history_start for _, seller in rows],
        }
    )
    demand = np.array([seller.demand for _, seller in rows], dtype=np.int64)
    forecast = sellers[KEYS].assign(
        demand_p10_milli_ft3=demand // 2,
        demand_p50_milli_ft3=demand,
        demand_p90_milli_ft3=2 * demand,
        demand_milli_ft3=demand,
        demand_next_milli_ft3=[seller.later[0] for _, seller in rows],
        demand_after_next_milli_ft3=[seller.later[1] for _, seller in rows],
        sales_forecast_minor=demand,
    )
    scores = sellers[KEYS].copy()
    for column in SCORE_COLUMNS:
        scores[column] = pd.array([pd.NA] * len(rows), dtype="Int64")
    scores["score"] = np.array([seller.score for _, seller in rows], dtype=np.int64)
    capacity = pd.DataFrame(
        [
            ("us", name, QUARTER.plus(later).first_day, pool)
            for name, pools in given_facts.pools.items()
            for later, pool in enumerate(pools)
        ],
        columns=["marketplace_id", "storage_type", "quarter_start", "base_pool_milli_ft3"],
    )
    return {
        "seller_markets": sellers,
        "forecast": forecast,
        "scores": scores,
        "market_capacity": capacity,
    }


def announce(
    given_facts: Facts,
    *,
    previous: pd.DataFrame = NOTHING_PUBLISHED,
    confirmed: pd.DataFrame = NOTHING_PUBLISHED,
    shuffled_by: int | None = None,
) -> BaseAllocation:
    tables = frames(given_facts)
    if shuffled_by is not None:
        order = np.random.default_rng(shuffled_by)
        tables = {name: table.take(order.permutation(len(table))) for name, table in tables.items()}
        previous = previous.take(order.permutation(len(previous)))
        confirmed = confirmed.take(order.permutation(len(confirmed)))
    return allocate(
        **tables,
        previous_base_allocations=previous,
        confirmed_base_allocations=confirmed,
        announced_on=ANNOUNCED_ON,
        quarter=QUARTER,
        policy=POLICY,
    )


def require_same(left: BaseAllocation, right: BaseAllocation) -> None:
    pd.testing.assert_frame_equal(left.allocations, right.allocations)
    pd.testing.assert_frame_equal(left.estimates, right.estimates)


def require_fit(allocations: pd.DataFrame, confirmed: pd.DataFrame) -> None:
    known = confirmed.set_index(KEYS)["base_milli_ft3"]
    keys = pd.MultiIndex.from_frame(allocations[KEYS])
    promised = known.reindex(keys, fill_value=0).to_numpy().astype(object)
    rows = allocations.assign(
        promised=promised, claim=np.maximum(promised, allocations["unscaled_milli_ft3"])
    )
    for _, market in rows.groupby("storage_type"):
        base = market["base_milli_ft3"].astype(object)
        pool = int(market["pool_milli_ft3"].iloc[0])
        assert base.sum() == min(pool, market["claim"].sum())
        assert (base >= market["floor_milli_ft3"]).all()
        assert (base >= market["promised"]).all()
        assert (base <= market["claim"]).all()
    individuals = rows[rows["cohort"] == INDIVIDUAL]
    assert (individuals["unscaled_milli_ft3"] == POLICY.individual_milli_ft3).all()
    assert (individuals["floor_milli_ft3"] == POLICY.individual_milli_ft3).all()


def require_estimates(result: BaseAllocation, given_facts: Facts) -> None:
    estimates = result.estimates
    assert estimates["is_estimate"].all()
    assert len(estimates) == 2 * len(result.allocations)
    for (name, start), market in estimates.groupby(["storage_type", "quarter_start"]):
        pools = given_facts.pools[str(name)]
        known = {QUARTER.plus(later).first_day: pool for later, pool in enumerate(pools)}
        total = int(market["estimate_milli_ft3"].astype(object).sum())
        floors_at_most = len(market) * POLICY.individual_milli_ft3
        assert total <= max(known.get(start, pools[0]), floors_at_most)


@examples(30)
@given(facts())
def test_a_short_pool_is_filled_exactly_and_announcing_again_changes_nothing(
    given_facts: Facts,
) -> None:
    first = announce(given_facts)
    require_fit(first.allocations, NOTHING_PUBLISHED)
    require_estimates(first, given_facts)
    require_same(announce(given_facts, confirmed=first.allocations), first)


@examples(25)
@given(facts_that_change())
def test_confirmed_volumes_are_kept_and_a_third_announcement_is_the_second(
    both: tuple[Facts, Facts],
) -> None:
    first = announce(both[0]).allocations
    second = announce(both[1], confirmed=first)
    require_fit(second.allocations, first)
    require_same(announce(both[1], confirmed=second.allocations), second)


@examples(20)
@given(facts_that_change(), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(both: tuple[Facts, Facts], seed: int) -> None:
    before = announce(both[0]).allocations
    in_order = announce(both[1], previous=before, confirmed=before)
    shuffled = announce(both[1], previous=before, confirmed=before, shuffled_by=seed)
    require_same(shuffled, in_order)


@examples(25)
@given(facts_that_change(), st.booleans())
def test_the_parts_of_a_change_sum_to_it(both: tuple[Facts, Facts], some_are_new: bool) -> None:
    previous = announce(both[0]).allocations
    previous = previous.iloc[1:] if some_are_new else previous
    now = announce(both[1], previous=previous).allocations
    moved = now["base_milli_ft3"] - now["previous_base_milli_ft3"]
    assert (now[CHANGES].sum(axis=1) == moved).all()
    published = previous.set_index(KEYS)["base_milli_ft3"]
    keys = pd.MultiIndex.from_frame(now[KEYS])
    assert now["previous_base_milli_ft3"].tolist() == published.reindex(keys, fill_value=0).tolist()


@examples(30)
@given(facts(), st.data())
def test_more_demand_or_a_better_score_never_lowers_a_base(
    given_facts: Facts, data: st.DataObject
) -> None:
    rows = given_facts.sellers["standard"]
    place = data.draw(st.integers(0, len(rows) - 1))
    if data.draw(st.booleans(), label="raise demand"):
        raised = replace(rows[place], demand=rows[place].demand + data.draw(volumes))
    else:
        raised = replace(rows[place], score=data.draw(st.integers(rows[place].score, 1000)))
    better = replace(
        given_facts,
        sellers=given_facts.sellers | {"standard": (*rows[:place], raised, *rows[place + 1 :])},
    )
    before, after = (announce(each).allocations.set_index(KEYS) for each in (given_facts, better))
    mine = ("us", "standard", raised.seller_id)
    assert after.loc[mine, "base_milli_ft3"] >= before.loc[mine, "base_milli_ft3"]
