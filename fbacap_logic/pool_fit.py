"""Fitting claims to a market's base pool (rules §2.6).

Here belongs the one place where base volume is scaled down. What a seller claims and what its floor
is come from ``base_cohorts``; the pools of a market's quarters are read here, because the fit is
what they are for. The space kept for requests is cleared elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from fbacap_logic.calendar import Quarter
from fbacap_logic.frames import MARKET_KEY, nullable_integers, require_columns, require_unique
from fbacap_logic.units import MILLI_PER_FT3, Int64Array, group_sums, largest_remainder

BoolArray = npt.NDArray[np.bool_]

_CAPACITY_COLUMNS = (*MARKET_KEY, "quarter_start", "base_pool_milli_ft3")


def fit_to_pool(
    unscaled_milli_ft3: Int64Array,
    floor_milli_ft3: Int64Array,
    market: Int64Array,
    pool_milli_ft3: Int64Array,
    market_names: Sequence[str],
    confirmed_milli_ft3: Int64Array | None = None,
) -> Int64Array:
    """Base allocations that fit each market's pool (rules §2.6).

    Where a market's claims exceed its pool, all that lies above the floors is scaled by one common
    factor, by largest remainder, so that the bases sum to the pool exactly. Nobody is scaled up.
    With confirmed volumes every base is ``max(confirmed, floor + factor × (unscaled − floor))``,
    the factor again such that a short pool is filled exactly.

    Args:
        unscaled_milli_ft3: each row's claim, at least its floor.
        floor_milli_ft3: each row's floor, not negative.
        market: each row's market, an index into the pools; within a market the rows stand in the
            bytes order of seller_id, which breaks ties of equal remainders.
        pool_milli_ft3: one pool a market.
        market_names: one name a market, for errors.
        confirmed_milli_ft3: what was announced before for this quarter, 0 where nothing was.

    Raises:
        ValueError: a claim is below its floor, or a market's floors, or its confirmed volumes
            with its floors, exceed its pool, or its claims sum past 63 bits.

    >>> fit_to_pool(np.array([10_000, 30_000]), np.array([5_000, 0]), np.zeros(2, int),
    ...     np.array([12_000]), ["us/standard"])
    array([6000, 6000])
    """
    if np.any(floor_milli_ft3 < 0) or np.any(unscaled_milli_ft3 < floor_milli_ft3):
        raise ValueError("a claim to base space is below its floor, or a floor is negative")
    _refuse_more_than_pool(
        floor_milli_ft3,
        market,
        pool_milli_ft3,
        market_names,
        what="the floors",
        remedy="give it more base space or lower the policy's floors",
    )
    promised = floor_milli_ft3
    if confirmed_milli_ft3 is not None:
        promised = np.maximum(floor_milli_ft3, confirmed_milli_ft3)
        _refuse_more_than_pool(
            promised,
            market,
            pool_milli_ft3,
            market_names,
            what="confirmed allocations and floors",
            remedy="a confirmed allocation is never lowered, so restore its base space",
        )
    base = np.maximum(unscaled_milli_ft3, promised)
    is_short = _sums_exceed(base, market, pool_milli_ft3)
    rows = np.flatnonzero(is_short[market])
    if len(rows):
        base[rows] = _share_pool(
            unscaled_milli_ft3[rows],
            floor_milli_ft3[rows],
            promised[rows],
            market[rows],
            np.where(is_short, pool_milli_ft3, 0),
        )
    return base


def _share_pool(
    unscaled: Int64Array,
    floor: Int64Array,
    promised: Int64Array,
    market: Int64Array,
    pool: Int64Array,
) -> Int64Array:
    """Fill the pools of short markets exactly; no row below what it was promised.

    A row whose share falls short of its promise is held at the promise and leaves the sharing; the
    others share what is left. Rows are only ever held, so this ends, after a handful of turns. The
    shares left are never above their claims: in a short market the factor is below one.
    """
    held = promised >= unscaled
    rank = np.arange(len(unscaled), dtype=np.int64)
    while True:
        least = np.where(held, promised, floor)
        room = pool - group_sums(least, market, len(pool))
        share = least.copy()
        free = ~held
        share[free] += largest_remainder(room, market[free], (unscaled - floor)[free], rank[free])
        below = share < promised
        if not below.any():
            return share
        held |= below


def pools_of_quarter(
    market_capacity: pd.DataFrame, quarter: Quarter, markets: pd.MultiIndex
) -> tuple[Int64Array, BoolArray]:
    """Base pools of one quarter, and whether each is known (rules §2.6).

    Args:
        market_capacity: ``facts.market_capacity``.
        quarter: the quarter to read.
        markets: (marketplace_id, storage_type) of the markets wanted.

    Returns:
        base_pool_milli_ft3 in the order of ``markets`` (0 where unknown), and a mask of the known.

    Raises:
        ValueError: a column is missing, a market stands twice in the quarter, or a pool is
            negative.
    """
    table = "facts.market_capacity"
    require_columns(market_capacity, _CAPACITY_COLUMNS, table)
    pools, is_unknown = nullable_integers(
        market_capacity, "base_pool_milli_ft3", table, minimum=None
    )
    starts = pd.to_datetime(market_capacity["quarter_start"])
    chosen = (starts == pd.Timestamp(quarter.first_day)).to_numpy() & ~is_unknown
    keys = market_capacity.loc[chosen, list(MARKET_KEY)]
    require_unique(keys, MARKET_KEY, f"{table} of {quarter.label}")
    place = pd.MultiIndex.from_frame(keys).get_indexer(markets)
    found = place >= 0
    result = np.zeros(len(markets), dtype=np.int64)
    result[found] = pools[chosen][place[found]]
    if np.any(result < 0):
        name = names_of(markets)[int(np.argmax(result < 0))]
        raise ValueError(
            f"market {name} keeps more space for requests in {quarter.label} than it has; "
            "correct its row of network_capacity"
        )
    return result, found


def names_of(markets: pd.MultiIndex) -> list[str]:
    """Markets as people write them.

    >>> names_of(pd.MultiIndex.from_tuples([("us", "standard")]))
    ['us/standard']
    """
    return [f"{marketplace}/{storage_type}" for marketplace, storage_type in markets]


def ft3_text(milli_ft3: int) -> str:
    """A volume as people read it, exactly.

    >>> ft3_text(1_234_500)
    '1,234.5 ft³'
    """
    whole, milli = divmod(milli_ft3, MILLI_PER_FT3)
    decimals = f".{milli:03d}".rstrip("0") if milli else ""
    return f"{whole:,}{decimals} ft³"


def _sums_exceed(values: Int64Array, market: Int64Array, pool: Int64Array) -> BoolArray:
    return group_sums(values, market, len(pool)) > pool


def _refuse_more_than_pool(
    volumes: Int64Array,
    market: Int64Array,
    pool: Int64Array,
    names: Sequence[str],
    *,
    what: str,
    remedy: str,
) -> None:
    exceeding = np.flatnonzero(_sums_exceed(volumes, market, pool))
    if not len(exceeding):
        return
    first = int(exceeding[0])
    needed = int(group_sums(volumes, market, len(pool))[first])
    others = f" (and in {len(exceeding) - 1} more markets)" if len(exceeding) > 1 else ""
    raise ValueError(
        f"market {names[first]}{others}: {what} need {ft3_text(needed)} but the base pool has "
        f"{ft3_text(int(pool[first]))}; {remedy}"
    )
