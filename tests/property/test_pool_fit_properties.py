"""What must hold of the fit to a pool, whatever is claimed, floored and confirmed (rules §2.6)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from proof_effort import examples

from fbacap_logic.pool_fit import fit_to_pool
from fbacap_logic.units import Int64Array

volumes = st.one_of(st.integers(0, 5), st.integers(0, 200_000), st.integers(0, 2**50))


@dataclass(frozen=True)
class Case:
    """One market's rows: floor, what is claimed above it, and what was confirmed."""

    floor: Int64Array
    above: Int64Array
    confirmed: Int64Array
    pool: int

    @property
    def promised(self) -> Int64Array:
        return np.maximum(self.floor, self.confirmed)

    @property
    def claim(self) -> Int64Array:
        return np.maximum(self.floor + self.above, self.promised)

    def fit(self) -> Int64Array:
        return fit_to_pool(
            self.floor + self.above,
            self.floor,
            np.zeros(len(self.floor), dtype=np.int64),
            np.array([self.pool], dtype=np.int64),
            ["us/standard"],
            self.confirmed,
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows = draw(st.lists(st.tuples(volumes, volumes, volumes), min_size=1, max_size=12))
    floor, above, confirmed = (
        np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)
    )
    if draw(st.booleans()):
        confirmed = np.zeros_like(confirmed)
    case = Case(floor, above, confirmed, 0)
    wanted = int((case.claim - case.promised).sum())
    return replace(case, pool=int(case.promised.sum()) + draw(st.integers(0, wanted + 3)))


@examples(100)
@given(cases())
def test_the_pool_is_filled_where_claims_exceed_it_and_claims_are_met_otherwise(case: Case) -> None:
    base = case.fit()
    assert base.sum() == min(case.pool, case.claim.sum())
    assert (base >= case.promised).all()
    assert (base <= case.claim).all()


@examples(100)
@given(cases())
def test_a_fit_that_is_confirmed_is_found_again(case: Case) -> None:
    base = case.fit()
    assert replace(case, confirmed=base).fit().tolist() == base.tolist()


@examples(100)
@given(cases())
def test_all_that_was_not_promised_is_scaled_by_one_factor(case: Case) -> None:
    # Compared by products, never by quotients: share_i / above_i = share_j / above_j to a unit.
    # Rounding takes or gives less than one; rows held at their promise once may be one above.
    base = case.fit()
    free = np.flatnonzero(base > case.promised)
    shares = [int(share) for share in (base - case.floor)[free]]
    weights = [int(weight) for weight in case.above[free]]
    for share, weight in zip(shares, weights, strict=True):
        for other_share, other_weight in zip(shares, weights, strict=True):
            assert (share - 1) * other_weight <= (other_share + 1) * weight


@examples(100)
@given(cases(), volumes, st.data())
def test_claiming_more_never_gives_less(case: Case, more: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(case.floor) - 1))
    above = case.above.copy()
    above[place] += more
    assert replace(case, above=above).fit()[place] >= case.fit()[place]


@examples(100)
@given(cases(), st.integers(0, 2**32 - 1))
def test_a_market_is_fitted_as_if_it_were_alone(case: Case, seed: int) -> None:
    """Two copies of a market, rows interleaved at random, get what each gets alone."""
    rows = len(case.floor)
    market = np.random.default_rng(seed).permutation(np.repeat([0, 1], rows))
    place = np.zeros(2 * rows, dtype=np.int64)
    for number in (0, 1):
        place[market == number] = np.arange(rows)
    other = replace(case, pool=int(case.promised.sum()))
    together = fit_to_pool(
        (case.floor + case.above)[place],
        case.floor[place],
        market,
        np.array([case.pool, other.pool], dtype=np.int64),
        ["us/standard", "us/oversize"],
        case.confirmed[place],
    )
    assert together[market == 0].tolist() == case.fit().tolist()
    assert together[market == 1].tolist() == other.fit().tolist()
