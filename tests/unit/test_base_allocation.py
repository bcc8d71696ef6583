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
    INDIVIDUAL,
    NEW_PROFESSIONAL,
    PROFESSIONAL,
    BaseAllocation,
    allocate,
    cohorts,
    explain_change,
    fit_to_pool,
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


class TestCohorts:
    def cohort(self, **row: Any) -> str:
        seller = {"seller_id": "a", "joined_on": None, "history_start": None} | row
        return str(cohorts(sellers_of(seller), ANNOUNCED_ON, POLICY)[0])

    def test_a_professional_is_new_until_39_weeks_have_passed(self) -> None:
        assert self.cohort(joined_on=date(2025, 11, 20)) == PROFESSIONAL  # 273 days, 39 weeks
        assert self.cohort(joined_on=date(2025, 11, 21)) == NEW_PROFESSIONAL

    def test_an_individual_is_an_individual_however_young(self) -> None:
        assert self.cohort(account_type="individual", joined_on=ANNOUNCED_ON) == INDIVIDUAL
        assert self.cohort(account_type="individual", joined_on=date(2010, 1, 1)) == INDIVIDUAL

    def test_without_a_joining_day_the_first_order_counts(self) -> None:
        assert self.cohort(history_start=date(2020, 1, 1)) == PROFESSIONAL
        assert self.cohort(history_start=date(2026, 8, 1)) == NEW_PROFESSIONAL

    def test_a_joining_day_goes_before_the_first_order(self) -> None:
        row = {"joined_on": date(2026, 8, 1), "history_start": date(2020, 1, 1)}
        assert self.cohort(**row) == NEW_PROFESSIONAL

    def test_with_neither_a_professional_is_new(self) -> None:
        assert self.cohort() == NEW_PROFESSIONAL

    def test_the_first_order_in_any_storage_type_of_the_same_marketplace_counts(self) -> None:
        known = {"joined_on": None, "history_start": date(2020, 1, 1)}
        unknown = {"joined_on": None, "history_start": None}
        sellers = sellers_of(
            {"seller_id": "a", "storage_type": "oversize"} | unknown,
            {"seller_id": "a"} | known,
            {"seller_id": "a", "marketplace_id": "br"} | unknown,
        )
        found = cohorts(sellers, ANNOUNCED_ON, POLICY).tolist()
        assert found == [PROFESSIONAL, PROFESSIONAL, NEW_PROFESSIONAL]

    @pytest.mark.parametrize("dtype", ["datetime64[ns]", "datetime64[us]", "datetime64[s]"])
    def test_days_may_be_dates_or_timestamps(self, dtype: str) -> None:
        sellers = sellers_of({"seller_id": "a"}, {"seller_id": "b", "joined_on": ANNOUNCED_ON})
        typed = sellers.astype({"joined_on": dtype, "history_start": dtype})
        expected = [PROFESSIONAL, NEW_PROFESSIONAL]
        assert cohorts(sellers, ANNOUNCED_ON, POLICY).tolist() == expected
        assert cohorts(typed, ANNOUNCED_ON, POLICY).tolist() == expected

    @pytest.mark.parametrize("account_type", ["Professional", "", None])
    def test_an_unknown_account_type_is_refused(self, account_type: str | None) -> None:
        with pytest.raises(ValueError, match=r"seller a of marketplace us has .*account type"):
            self.cohort(account_type=account_type)


class TestMultiplier:
    def test_it_runs_through_the_policys_points(self) -> None:
        assert multiplier_bp(one(0, 500, 1000), POLICY).tolist() == [6_000, 10_000, 13_000]

    def test_it_is_straight_between_them(self) -> None:
        assert multiplier_bp(one(125, 750), POLICY).tolist() == [7_000, 11_500]


class TestFit:
    def fit(self, claims: list[int], floors: list[int], pool: int, **more: Any) -> list[int]:
        market = np.zeros(len(claims), dtype=np.int64)
        return fit_to_pool(
            one(*claims), one(*floors), market, one(pool), ["us/standard"], **more
        ).tolist()

    def test_nobody_is_scaled_up(self) -> None:
        assert self.fit([100, 50], [0, 0], 1_000) == [100, 50]

    def test_claims_that_fill_the_pool_exactly_are_kept(self) -> None:
        assert self.fit([100, 50], [20, 0], 150) == [100, 50]

    def test_only_what_lies_above_the_floors_is_scaled(self) -> None:
        # 30 of floors; 70 left for 150 + 50 above them.
        assert self.fit([180, 50], [30, 0], 100) == [30 + 53, 17]

    def test_a_unit_left_goes_to_the_first_seller_when_remainders_are_equal(self) -> None:
        assert self.fit([10, 10, 10], [0, 0, 0], 10) == [4, 3, 3]

    def test_floors_that_fill_the_pool_leave_everyone_the_floor(self) -> None:
        assert self.fit([50, 40], [15, 5], 20) == [15, 5]

    def test_an_empty_pool_gives_nothing(self) -> None:
        assert self.fit([50, 40], [0, 0], 0) == [0, 0]

    def test_markets_do_not_share_space(self) -> None:
        market = one(0, 1, 0, 1)
        base = fit_to_pool(
            one(60, 60, 40, 40), one(0, 0, 0, 0), market, one(50, 500), ["us/a", "us/b"]
        )
        assert base.tolist() == [30, 60, 20, 40]

    def test_floors_above_the_pool_stop_with_both_figures_in_cubic_feet(self) -> None:
        with pytest.raises(ValueError, match=r"us/standard.* 30 ft³ .* 20\.5 ft³"):
            self.fit([20_000, 10_000], [20_000, 10_000], 20_500)

    def test_a_claim_below_its_floor_is_refused(self) -> None:
        with pytest.raises(ValueError, match="below its floor"):
            self.fit([10], [11], 100)

    def test_a_confirmed_volume_is_kept_and_the_others_share_the_rest(self) -> None:
        confirmed = one(60, 0, 0)
        assert self.fit([80, 40, 40], [0, 0, 0], 100, confirmed_milli_ft3=confirmed) == [60, 20, 20]

    def test_a_confirmed_volume_below_the_fair_share_changes_nothing(self) -> None:
        confirmed = one(40, 10, 0)
        assert self.fit([80, 40, 40], [0, 0, 0], 100, confirmed_milli_ft3=confirmed) == [50, 25, 25]

    def test_holding_one_seller_may_push_another_down_to_its_own_confirmed_volume(self) -> None:
        # Fair shares are 40, 40, 20; holding the first at 70 leaves 20 and 10, and 25 is confirmed.
        confirmed = one(70, 25, 0)
        assert self.fit([80, 80, 40], [0, 0, 0], 100, confirmed_milli_ft3=confirmed) == [70, 25, 5]

    def test_a_confirmed_volume_above_the_claim_is_kept(self) -> None:
        assert self.fit([10, 5], [0, 0], 100, confirmed_milli_ft3=one(30, 0)) == [30, 5]
        assert self.fit([10, 80], [0, 0], 100, confirmed_milli_ft3=one(30, 0)) == [30, 70]

    def test_confirmed_volumes_above_a_shrunk_pool_stop_by_name(self) -> None:
        with pytest.raises(ValueError, match=r"us/standard.*confirmed.*0\.06 ft³.*0\.05 ft³"):
            self.fit([10, 5], [0, 5], 50, confirmed_milli_ft3=one(55, 0))

    def test_volumes_whose_sum_passes_63_bits_are_fitted_exactly(self) -> None:
        large = 2**62
        assert self.fit([large, large, large], [0, 0, 0], 9, confirmed_milli_ft3=None) == [3, 3, 3]


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

    def test_the_floor_stays_the_cohorts(self) -> None:
        first = announce(self.SELLERS, [13_000, 13_000, 0])
        again = announce(self.SELLERS, [0, 26_000, 0], confirmed=first.allocations)
        assert again.allocations["floor_milli_ft3"].tolist() == [0, 0, 15_000]

    def test_what_was_confirmed_beyond_the_claim_counts_as_pool(self) -> None:
        first = announce(self.SELLERS, [13_000, 13_000, 0])
        row = announce(self.SELLERS, [0, 0, 0], confirmed=first.allocations).allocations.iloc[0]
        assert row[CHANGES].tolist() == [0, 0, 0, 22_000]


class TestChange:
    def row(self, seller: str = "a", **values: Any) -> pd.DataFrame:
        usual = {
            "marketplace_id": "us",
            "storage_type": "standard",
            "seller_id": seller,
            "cohort": PROFESSIONAL,
            "target_milli_ft3": 0,
            "multiplier_bp": 10_000,
            "floor_milli_ft3": 0,
            "base_milli_ft3": 0,
        }
        return pd.DataFrame([usual | values])

    def parts(self, now: pd.DataFrame, before: pd.DataFrame) -> list[int]:
        return explain_change(now, before)[CHANGES].iloc[0].tolist()

    def test_each_factor_has_its_own_part(self) -> None:
        before = self.row(target_milli_ft3=100, multiplier_bp=10_000, base_milli_ft3=90)
        now = self.row(target_milli_ft3=200, multiplier_bp=12_000, base_milli_ft3=150)
        # Demand 100 → 200, score 200 → 240; the pool took 10 of 100 before and takes 90 now.
        assert self.parts(now, before) == [100, 40, 0, -80]

    def test_a_new_seller_starts_from_nothing_with_a_neutral_multiplier(self) -> None:
        now = self.row(target_milli_ft3=200, multiplier_bp=8_000, base_milli_ft3=120)
        assert self.parts(now, self.row(seller="b")) == [200, -40, 0, -40]
        assert explain_change(now, self.row(seller="b"))["previous_base_milli_ft3"].tolist() == [0]

    def test_what_a_new_individual_gets_is_floor(self) -> None:
        now = self.row(cohort=INDIVIDUAL, target_milli_ft3=9, floor_milli_ft3=15, base_milli_ft3=15)
        assert self.parts(now, self.row(seller="b")) == [0, 0, 15, 0]

    def test_outgrowing_the_floor_of_new_professionals_counts_as_floor(self) -> None:
        before = self.row(cohort=NEW_PROFESSIONAL, floor_milli_ft3=50, base_milli_ft3=50)
        now = self.row(target_milli_ft3=30, base_milli_ft3=30)
        assert self.parts(now, before) == [0, 0, -20, 0]

    def test_turning_professional_counts_as_floor(self) -> None:
        before = self.row(
            cohort=INDIVIDUAL, target_milli_ft3=10, floor_milli_ft3=15, base_milli_ft3=15
        )
        now = self.row(target_milli_ft3=100, multiplier_bp=9_000, base_milli_ft3=80)
        assert self.parts(now, before) == [0, 0, 75, -10]

    def test_nothing_changed_means_no_parts(self) -> None:
        same = self.row(target_milli_ft3=100, multiplier_bp=9_000, base_milli_ft3=50)
        assert self.parts(same, same) == [0, 0, 0, 0]

    def test_claims_too_large_to_subtract_are_refused(self) -> None:
        with pytest.raises(ValueError, match="passes 2\\^60"):
            explain_change(self.row(target_milli_ft3=2**60 + 1), self.row())

    def test_the_previous_quarter_may_not_hold_a_seller_twice(self) -> None:
        with pytest.raises(ValueError, match=r"previous_base_allocations: row 1 repeats"):
            explain_change(self.row(), pd.concat([self.row(), self.row()]))


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
