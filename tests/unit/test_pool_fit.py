"""The fit to a pool on markets small enough to work out by hand (rules §2.6)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fbacap_logic.pool_fit import fit_to_pool


def one(*values: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


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

    def test_volumes_whose_products_pass_63_bits_are_fitted_exactly(self) -> None:
        large = 2**61
        assert self.fit([large] * 3, [0, 0, 0], large) == [
            large // 3 + 1,
            large // 3 + 1,
            large // 3,
        ]

    def test_claims_whose_sum_passes_63_bits_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"2\^63"):
            self.fit([2**62, 2**62], [0, 0], 9)
