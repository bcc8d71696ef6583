"""Olist sellers' requests for extra space, made up from their real sales (rules §3).

Here belongs who asks for how much, at what fee and when. A simulated seller knows its real coming
quarter, with noise, and asks for the part of it that its base will not hold. What the operator
offers is ``olist_market``; what space is worth is ``bidding``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fbacap_logic.policy import Policy
from fbacap_logic.units import MILLI_PER_FT3
from orchestration.simulation.bidding import break_even_fee, whole_minor
from orchestration.simulation.olist_tables import MARKETPLACE_ID

WEEKS_IN_QUARTER = 13
_SHORT_QUARTER_BP = 8_000  # of the claim above the floor: what a seller expects of a tight pool

USUAL_MULTIPLIER_BP = 10_900
"""What the performance of these sellers' simulated stock earns them on average."""

_FIRST_ROUND_SHARES = (0.60, 0.15, 0.125, 0.125)
_STEP_FEES = np.array([1.0, 0.8, 0.6])
_DELIVERY_SECONDS = 2

Array = npt.NDArray[Any]

# Everything a seller's belief is made of, one row per seller, market and quarter with sales in it.
_CANDIDATES = """
select
  quarters.quarter,
  lines.storage_type,
  lines.seller_id,
  quarters.is_short,
  first_days.joined_on,
  coalesce(sum(unit_micro_ft3) filter (
    sold_on >= announced_on - 7 * {weeks} and sold_on < announced_on), 0)::bigint as recent_micro,
  sum(unit_micro_ft3) filter (sold_on between quarter and last_day)::bigint as coming_micro,
  sum(revenue_minor) filter (sold_on between quarter and last_day)::bigint as coming_minor,
  joined_on > new_since and joined_on < announced_on as has_floor
from quarters, lines inner join first_days on lines.seller_id = first_days.seller_id
where sold_on between announced_on - 7 * {weeks} and last_day
group by all
having coming_micro > 0
order by quarters.quarter, lines.storage_type, lines.seller_id
"""


class _Asking(NamedTuple):
    """The candidates that ask, column by column."""

    quarter: Array  # datetime64[D]
    storage_type: Array
    seller_id: Array
    joined_on: Array  # datetime64[D]
    extra_milli_ft3: Array
    fee_minor: Array


def build_requests(
    connection: duckdb.DuckDBPyConnection, policy: Policy, rng: np.random.Generator
) -> None:
    """Make table ``requests``: every revision of every request, whole and in order.

    Fees are millionths of BRL per cubic foot, volumes micro cubic feet, as BIGINT. Withdrawals
    and revisions come after what they change. Mistakes are added later (``olist_mistakes``), so
    that what the operator offers does not depend on them.
    """
    columns = connection.sql(_CANDIDATES.format(weeks=WEEKS_IN_QUARTER)).to_arrow_table()
    candidates = {name: _numpy(columns[name]) for name in columns.column_names}
    asking = _asking(candidates, policy, rng)
    steps = _steps(asking, policy, rng)
    revised = _revisions(steps, policy, rng)
    _register(connection, "first_requests", steps)
    _register(connection, "revised_requests", revised)
    connection.execute(
        f"""
        create table requests as
        select
          strftime(quarter, '%Y') || 'Q' || quarter(quarter) || '-{MARKETPLACE_ID}-' || seller_id
            || '-' || storage_type || '-' || step as request_id,
          revision, seller_id, storage_type, quarter, fee_micro, requested_micro_ft3,
          minimum_micro_ft3, submitted_at, withdrawn,
          submitted_at + to_seconds({_DELIVERY_SECONDS}) as received_at
        from (from first_requests union all by name from revised_requests)
        order by request_id, revision
        """
    )
    connection.unregister("first_requests")
    connection.unregister("revised_requests")


def _asking(candidates: dict[str, Array], policy: Policy, rng: np.random.Generator) -> _Asking:
    """Who expects more than its base holds, for how much it asks, and what that is worth."""
    count = len(candidates["quarter"])
    volume_noise = rng.lognormal(0.0, 0.20, count)
    sales_noise = rng.lognormal(0.0, 0.30, count)
    log_sd = rng.uniform(0.20, 0.60, count)
    margin = rng.uniform(0.02, 0.12, count)

    rules = policy.base_allocation
    target_milli = candidates["recent_micro"] * rules.cover_weeks // WEEKS_IN_QUARTER // 1_000
    claim_milli = target_milli * USUAL_MULTIPLIER_BP // 10_000
    floor_milli = np.where(candidates["has_floor"], rules.new_professional_floor_milli_ft3, 0)
    above_milli = np.maximum(claim_milli - floor_milli, 0)
    share_bp = np.where(candidates["is_short"], _SHORT_QUARTER_BP, 10_000)
    base_milli = floor_milli + above_milli * share_bp // 10_000

    expected_milli = np.floor(candidates["coming_micro"] * volume_noise / 1_000).astype(np.int64)
    extra_milli = expected_milli - base_milli
    sales_per_ft3_minor = candidates["coming_minor"] * 1e6 / candidates["coming_micro"]
    fee_minor = whole_minor(break_even_fee(sales_per_ft3_minor * sales_noise, log_sd, margin))

    last_close = candidates["quarter"] + np.timedelta64(policy.calendar.round_close_days[-1], "D")
    asks = (
        (extra_milli >= policy.requests.minimum_request_milli_ft3)
        & (fee_minor >= 1)
        & (candidates["joined_on"] + np.timedelta64(1, "D") < last_close)
    )
    return _Asking(
        quarter=candidates["quarter"][asks],
        storage_type=candidates["storage_type"][asks],
        seller_id=candidates["seller_id"][asks],
        joined_on=candidates["joined_on"][asks],
        extra_milli_ft3=extra_milli[asks],
        fee_minor=fee_minor[asks],
    )


def _steps(asking: _Asking, policy: Policy, rng: np.random.Generator) -> dict[str, Array]:
    """Each seller's demand curve: one to three requests, each lower than the one before."""
    count = len(asking.quarter)
    least_milli = policy.requests.minimum_request_milli_ft3
    wanted_steps = rng.choice(np.array([1, 2, 3]), size=count, p=[0.70, 0.20, 0.10])
    steps = np.minimum(wanted_steps, asking.extra_milli_ft3 // least_milli)
    owner = np.repeat(np.arange(count), steps)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps)
    requested_milli = (asking.extra_milli_ft3 // np.maximum(steps, 1))[owner]
    fee_minor = np.maximum(whole_minor(asking.fee_minor[owner] * _STEP_FEES[step]), 1)
    # A seller who needs a truckload or nothing says so on the part that it wants most.
    has_minimum = (rng.random(len(owner)) < 0.20) & (step == 0)
    minimum_milli = np.where(has_minimum, requested_milli // 2, 0)
    return {
        "quarter": asking.quarter[owner],
        "storage_type": asking.storage_type[owner],
        "seller_id": asking.seller_id[owner],
        "step": step + 1,
        "revision": np.ones(len(owner), dtype=np.int32),
        "fee_micro": fee_minor * 10_000,
        "requested_micro_ft3": requested_milli * MILLI_PER_FT3,
        "minimum_micro_ft3": minimum_milli * MILLI_PER_FT3,
        "submitted_at": _submitted_at(asking.quarter[owner], asking.joined_on[owner], policy, rng),
        "withdrawn": np.zeros(len(owner), dtype=np.bool_),
    }


def _submitted_at(
    quarter: Array, joined_on: Array, policy: Policy, rng: np.random.Generator
) -> Array:
    """A moment before one of the rounds closes, and not before the seller has joined."""
    count = len(quarter)
    days = policy.calendar.round_close_days
    edges = np.array([-policy.calendar.announce_days_before, *days])
    shares = np.resize(np.array(_FIRST_ROUND_SHARES), len(days))
    wished = rng.choice(np.arange(len(days)), size=count, p=shares / shares.sum())
    joined_day = (joined_on - quarter).astype(np.int64) + 1
    first_open = np.searchsorted(np.array(days), joined_day, side="right")
    chosen = np.maximum(wished, first_open)
    opens = np.maximum(edges[chosen], joined_day)
    window_seconds = (edges[chosen + 1] - opens) * 86_400 - 60
    seconds = np.floor(rng.random(count) * window_seconds).astype(np.int64)
    return (quarter + opens.astype("timedelta64[D]")).astype("datetime64[us]") + seconds.astype(
        "timedelta64[s]"
    )


def _revisions(
    steps: dict[str, Array], policy: Policy, rng: np.random.Generator
) -> dict[str, Array]:
    """Second thoughts: one request in eight is revised, one in forty withdrawn."""
    count = len(steps["quarter"])
    draw = rng.random(count)
    fee_factor = rng.uniform(0.85, 1.25, count)
    volume_factor = rng.uniform(0.90, 1.30, count)
    wait = rng.random(count)
    last_close = (
        steps["quarter"] + np.timedelta64(policy.calendar.round_close_days[-1], "D")
    ).astype("datetime64[us]")
    left_seconds = (last_close - steps["submitted_at"]) // np.timedelta64(1, "s")
    # Nobody thinks again within the hour, and nobody in the last minute.
    chosen = (draw < 0.15) & (left_seconds > 2 * 3600)
    seconds = 3600 + np.floor(wait * (left_seconds - 3660)).astype(np.int64)
    fee_minor = np.maximum(whole_minor(steps["fee_micro"] / 10_000 * fee_factor), 1)
    requested_milli = np.maximum(
        np.floor(steps["requested_micro_ft3"] / MILLI_PER_FT3 * volume_factor).astype(np.int64),
        policy.requests.minimum_request_milli_ft3,
    )
    revised = {
        **steps,
        "revision": steps["revision"] + np.int32(1),
        "fee_micro": fee_minor * 10_000,
        "requested_micro_ft3": requested_milli * MILLI_PER_FT3,
        "minimum_micro_ft3": np.minimum(
            steps["minimum_micro_ft3"], requested_milli * MILLI_PER_FT3
        ),
        "submitted_at": steps["submitted_at"] + seconds.astype("timedelta64[s]"),
        "withdrawn": draw < 0.025,
    }
    return {name: column[chosen] for name, column in revised.items()}


def _register(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, Array]) -> None:
    texts = ("storage_type", "seller_id")
    table = {
        column: pa.array(values, pa.string()) if column in texts else pa.array(values)
        for column, values in columns.items()
    }
    connection.register(name, pa.table(table))


def _numpy(column: pa.ChunkedArray) -> Array:
    if pa.types.is_date32(column.type):
        return np.asarray(column.cast(pa.int32()).to_numpy()).astype("datetime64[D]")
    return np.asarray(column.to_numpy())
