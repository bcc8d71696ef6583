"""Base allocations on markets small enough to work out by hand (rules §2)."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fbacap_logic.base_allocation import (
    ALLOCATION_COLUMNS,
    ESTIMATE_COLUMNS,
    BaseAllocation,
    allocate,
    multiplier_bp,
)
from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.score import SCORE_COLUMNS

QUARTER = Quarter(2026, 4)
ANNOUNCED_ON = date(2026, 8, 20)
POLICY = BaseAllocationPolicy()
KEYS = ["marketplace_id", "storage_type", "seller_id"]
NOTHING_PUBLISHED = pd.DataFrame({name: pd.Series(dtype="int64") for name in ALLOCATION_COLUMNS})
NOTHING_PUBLISHED = NOTHING_PUBLISHED.astype(dict.fromkeys([*KEYS, "cohort"], "object"))
CHANGES = [name for name in ALLOCATION_COLUMNS if name.startswith("change_")]


def sellers_of(*rows: dict[str, Any]) -> pd.DataFrame:
    usual = {
        "marketplace_id": "us",
        "storage_type": "standard",
        "account_type": "professional",
        "joined_on": date(2020, 1, 1),
        "currency": "USD",
        "history_start": date(2020, 2, 1),
    }
    return pd.DataFrame([usual | row for row in rows])


def forecast_of(
    sellers: pd.DataFrame, demand: list[int], later: list[int] | None = None
) -> pd.DataFrame:
    amounts = np.array(demand, dtype=np.int64)
    later_amounts = amounts if later is None else np.array(later, dtype=np.int64)
    return sellers[KEYS].assign(
        demand_p10_milli_ft3=amounts // 2,
        demand_p50_milli_ft3=amounts,
        demand_p90_milli_ft3=2 * amounts,
        demand_milli_ft3=amounts,
        demand_next_milli_ft3=later_amounts,
        demand_after_next_milli_ft3=later_amounts,
        sales_forecast_minor=7 * amounts,
    )


def scores_of(sellers: pd.DataFrame, score: list[int]) -> pd.DataFrame:
    frame = sellers[KEYS].copy()
    for column in SCORE_COLUMNS:
        frame[column] = pd.array([pd.NA] * len(sellers), dtype="Int64")
    frame["score"] = np.array(score, dtype=np.int64)
    return frame


def capacity_of(*pools: int, market: str = "standard") -> pd.DataFrame:
    """Pools of the quarter and the ones after, as many as given."""
    return pd.DataFrame(
        {
            "marketplace_id": "us",
            "storage_type": market,
            "quarter_start": [QUARTER.plus(later).first_day for later in range(len(pools))],
            "base_pool_milli_ft3": np.array(pools, dtype=np.int64),
        }
    )


def announce(
    sellers: pd.DataFrame,
    demand: list[int],
    *,
    score: list[int] | None = None,
    later: list[int] | None = None,
    capacity: pd.DataFrame | None = None,
    previous: pd.DataFrame = NOTHING_PUBLISHED,
    confirmed: pd.DataFrame = NOTHING_PUBLISHED,
    policy: BaseAllocationPolicy = POLICY,
) -> BaseAllocation:
    return allocate(
        sellers,
        forecast_of(sellers, demand, later),
        scores_of(sellers, score or [500] * len(sellers)),
        capacity_of(10**9) if capacity is None else capacity,
        previous_base_allocations=previous,
        confirmed_base_allocations=confirmed,
        announced_on=ANNOUNCED_ON,
        quarter=QUARTER,
        policy=policy,
    )


def bases(result: BaseAllocation) -> dict[str, int]:
    frame = result.allocations
    return dict(zip(frame["seller_id"], frame["base_milli_ft3"], strict=True))


def one(*values: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


class TestMultiplier:
    def test_it_runs_through_the_policys_points(self) -> None:
        assert multiplier_bp(one(0, 500, 1000), POLICY).tolist() == [6_000, 10_000, 13_000]

    def test_it_is_straight_between_them(self) -> None:
        assert multiplier_bp(one(125, 750), POLICY).tolist() == [7_000, 11_500]


class TestAllocate:
    def test_the_columns_are_those_of_the_table_in_its_order(self) -> None:
        result = announce(sellers_of({"seller_id": "a"}), [13_000])
        assert tuple(result.allocations.columns) == ALLOCATION_COLUMNS
        assert tuple(result.estimates.columns) == ESTIMATE_COLUMNS
        assert ALLOCATION_COLUMNS[:4] == ("marketplace_id", "storage_type", "seller_id", "cohort")

    def test_a_seller_gets_demand_times_cover_times_multiplier(self) -> None:
        row = announce(sellers_of({"seller_id": "a"}), [13_000], score=[750]).allocations.iloc[0]
        assert row["target_milli_ft3"] == 22_000
        assert row["multiplier_bp"] == 11_500
        assert row["unscaled_milli_ft3"] == row["base_milli_ft3"] == 25_300
        assert row["floor_milli_ft3"] == 0

    def test_individuals_get_the_fixed_volume_whatever_they_sell(self) -> None:
        sellers = sellers_of(
            {"seller_id": "a", "account_type": "individual"},
            {"seller_id": "b", "account_type": "individual"},
        )
        result = announce(sellers, [0, 10**6], score=[0, 1000])
        assert bases(result) == {"a": 15_000, "b": 15_000}
        assert result.allocations["floor_milli_ft3"].tolist() == [15_000, 15_000]

    def test_new_professionals_get_at_least_their_floor(self) -> None:
        new = {"joined_on": ANNOUNCED_ON}
        sellers = sellers_of({"seller_id": "a"} | new, {"seller_id": "b"} | new)
        assert bases(announce(sellers, [1_300, 13_000])) == {"a": 5_000, "b": 22_000}

    def test_a_short_pool_is_filled_exactly_and_floors_are_whole(self) -> None:
        sellers = sellers_of(
            {"seller_id": "a"},
            {"seller_id": "b"},
            {"seller_id": "i", "account_type": "individual"},
        )
        result = announce(sellers, [13_000, 26_000, 0], capacity=capacity_of(48_000))
        assert bases(result) == {"a": 11_000, "b": 22_000, "i": 15_000}
        assert result.allocations["pool_milli_ft3"].tolist() == [48_000] * 3

    def test_rows_stand_in_the_order_of_their_key(self) -> None:
        sellers = sellers_of({"seller_id": "é"}, {"seller_id": "a"}, {"seller_id": "Z"})
        result = announce(sellers, [3, 2, 1])
        assert result.allocations["seller_id"].tolist() == ["Z", "a", "é"]
        assert result.allocations["demand_milli_ft3"].tolist() == [1, 2, 3]

    def test_no_sellers_give_no_rows(self) -> None:
        result = announce(sellers_of({"seller_id": "a"}).iloc[:0], [], score=[])
        assert result.allocations.empty
        assert result.estimates.empty
        assert tuple(result.allocations.columns) == ALLOCATION_COLUMNS

    def test_nulls_in_the_evidence_stay_nulls(self) -> None:
        result = announce(sellers_of({"seller_id": "a"}), [1])
        assert result.allocations["excess_share_bp"].isna().all()
        assert str(result.allocations["excess_share_bp"].dtype) == "Int64"

    @pytest.mark.parametrize("quarter_start", ["date", "timestamp"])
    def test_the_capacitys_quarter_may_be_a_date_or_a_timestamp(self, quarter_start: str) -> None:
        capacity = capacity_of(20_000)
        if quarter_start == "timestamp":
            capacity["quarter_start"] = capacity["quarter_start"].astype("datetime64[us]")
        assert bases(announce(sellers_of({"seller_id": "a"}), [13_000], capacity=capacity)) == {
            "a": 20_000
        }


class TestAllocateRefuses:
    def test_a_market_without_capacity_in_the_quarter(self) -> None:
        sellers = sellers_of({"seller_id": "a", "storage_type": "oversize"}, {"seller_id": "a"})
        with pytest.raises(ValueError, match=r"us/oversize has sellers but no capacity in 2026Q4"):
            announce(sellers, [1, 1])

    def test_a_pool_that_is_null(self) -> None:
        capacity = capacity_of(0)
        capacity["base_pool_milli_ft3"] = pd.array([pd.NA], dtype="Int64")
        with pytest.raises(ValueError, match=r"us/standard has sellers but no capacity"):
            announce(sellers_of({"seller_id": "a"}), [1], capacity=capacity)

    def test_a_negative_pool(self) -> None:
        with pytest.raises(ValueError, match=r"us/standard keeps more space .* in 2026Q4"):
            announce(sellers_of({"seller_id": "a"}), [1], capacity=capacity_of(-1))

    def test_capacity_given_twice(self) -> None:
        capacity = pd.concat([capacity_of(5), capacity_of(6)])
        with pytest.raises(ValueError, match=r"facts.market_capacity of 2026Q4: .* repeats"):
            announce(sellers_of({"seller_id": "a"}), [1], capacity=capacity)

    def test_floors_above_the_pool(self) -> None:
        sellers = sellers_of({"seller_id": "i", "account_type": "individual"})
        with pytest.raises(ValueError, match=r"us/standard: the floors need 15 ft³ .* 14\.999 ft³"):
            announce(sellers, [0], capacity=capacity_of(14_999))

    def test_a_seller_without_a_forecast_or_a_forecast_without_a_seller(self) -> None:
        sellers = sellers_of({"seller_id": "a"}, {"seller_id": "b"})
        frames = {
            "fewer": (sellers, sellers.iloc[:1]),
            "more": (sellers.iloc[:1], sellers),
        }
        for known, forecast_for in frames.values():
            with pytest.raises(ValueError, match="'b'"):
                allocate(
                    known,
                    forecast_of(forecast_for, [1] * len(forecast_for)),
                    scores_of(known, [500] * len(known)),
                    capacity_of(100),
                    previous_base_allocations=NOTHING_PUBLISHED,
                    confirmed_base_allocations=NOTHING_PUBLISHED,
                    announced_on=ANNOUNCED_ON,
                    quarter=QUARTER,
                    policy=POLICY,
                )

    def test_a_confirmed_seller_that_is_gone(self) -> None:
        sellers = sellers_of({"seller_id": "a"}, {"seller_id": "b"})
        first = announce(sellers, [1, 1]).allocations
        with pytest.raises(ValueError, match=r"seller b .* us/standard .* never lowered"):
            announce(sellers.iloc[:1], [1], confirmed=first)

    def test_a_pool_that_shrank_below_what_was_confirmed(self) -> None:
        sellers = sellers_of({"seller_id": "a"})
        first = announce(sellers, [13_000]).allocations
        with pytest.raises(ValueError, match=r"us/standard.* 22 ft³ .* 21 ft³"):
            announce(sellers, [13_000], capacity=capacity_of(21_000), confirmed=first)


class TestConfirmed:
    SELLERS = sellers_of(
        {"seller_id": "a"}, {"seller_id": "b"}, {"seller_id": "i", "account_type": "individual"}
    )

    def test_announcing_again_from_the_same_facts_gives_the_same_rows(self) -> None:
        for pool in (30_000, 40_001, 10**9):
            first = announce(self.SELLERS, [9_000, 17_000, 0], capacity=capacity_of(pool))
            again = announce(
                self.SELLERS,
                [9_000, 17_000, 0],
                capacity=capacity_of(pool),
                confirmed=first.allocations,
            )
            pd.testing.assert_frame_equal(again.allocations, first.allocations)
            pd.testing.assert_frame_equal(again.estimates, first.estimates)

    def test_a_fall_in_demand_does_not_lower_what_was_confirmed(self) -> None:
        first = announce(self.SELLERS, [13_000, 13_000, 0])
        again = announce(self.SELLERS, [0, 26_000, 0], confirmed=first.allocations)
        assert bases(again) == {"a": 22_000, "b": 44_000, "i": 15_000}

    def test_each_confirmed_volume_stays_with_its_own_seller(self) -> None:
        first = announce(self.SELLERS, [13_000, 26_000, 0]).allocations
        only_b = first[first["seller_id"] == "b"]
        again = announce(self.SELLERS, [0, 0, 0], confirmed=only_b)
        assert bases(again) == {"a": 0, "b": 44_000, "i": 15_000}

    def test_the_floor_stays_the_cohorts(self) -> None:
        first = announce(self.SELLERS, [13_000, 13_000, 0])
        again = announce(self.SELLERS, [0, 26_000, 0], confirmed=first.allocations)
        assert again.allocations["floor_milli_ft3"].tolist() == [0, 0, 15_000]

    def test_what_was_confirmed_beyond_the_claim_counts_as_pool(self) -> None:
        first = announce(self.SELLERS, [13_000, 13_000, 0])
        row = announce(self.SELLERS, [0, 0, 0], confirmed=first.allocations).allocations.iloc[0]
        assert row[CHANGES].tolist() == [0, 0, 0, 22_000]


class TestEstimates:
    def estimates(self, sellers: pd.DataFrame, later: list[int], *pools: int) -> list[list[int]]:
        result = announce(sellers, later, later=later, capacity=capacity_of(*pools))
        frame = result.estimates.pivot_table(
            index="seller_id", columns="quarter_start", values="estimate_milli_ft3"
        )
        return frame.astype("int64").to_numpy().tolist()

    def test_there_are_two_a_seller_marked_and_dated(self) -> None:
        sellers = sellers_of({"seller_id": "b"}, {"seller_id": "a"})
        frame = announce(sellers, [1, 2], later=[3, 4]).estimates
        assert frame["seller_id"].tolist() == ["a", "a", "b", "b"]
        assert frame["quarter_start"].tolist() == [date(2027, 1, 1), date(2027, 4, 1)] * 2
        assert frame["demand_milli_ft3"].tolist() == [4, 4, 3, 3]
        assert frame["is_estimate"].dtype == np.bool_
        assert frame["is_estimate"].all()

    def test_each_later_quarter_has_its_own_pool(self) -> None:
        sellers = sellers_of({"seller_id": "a"}, {"seller_id": "b"})
        found = self.estimates(sellers, [13_000, 13_000], 100_000, 30_000, 20_000)
        assert found == [[15_000, 10_000], [15_000, 10_000]]

    def test_where_a_later_pool_is_unknown_this_quarters_stands_for_it(self) -> None:
        sellers = sellers_of({"seller_id": "a"})
        assert self.estimates(sellers, [13_000], 9_000, 8_000) == [[8_000, 9_000]]

    def test_a_later_pool_below_the_floors_gives_everyone_the_floor(self) -> None:
        sellers = sellers_of({"seller_id": "a"}, {"seller_id": "i", "account_type": "individual"})
        found = self.estimates(sellers, [13_000, 0], 100_000, 14_000, 15_000)
        assert found == [[0, 0], [15_000, 15_000]]

    def test_a_seller_that_will_be_old_enough_loses_the_floor_of_new_ones(self) -> None:
        # 39 weeks after it joined lies between the next announcement and the one after it.
        sellers = sellers_of({"seller_id": "a", "joined_on": date(2026, 3, 1)})
        assert self.estimates(sellers, [0], 10**6) == [[5_000, 0]]

    def test_confirmed_volumes_bind_this_quarter_only(self) -> None:
        sellers = sellers_of({"seller_id": "a"})
        first = announce(sellers, [13_000]).allocations
        again = announce(sellers, [0], confirmed=first)
        assert bases(again) == {"a": 22_000}
        assert again.estimates["estimate_milli_ft3"].tolist() == [0, 0]
