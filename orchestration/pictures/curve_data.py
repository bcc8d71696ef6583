"""One round's demand curve with the figures that stand beside it, read from the published zone.

Here belongs choosing market and round and reading their figures. How they are shown is in
``curve_picture`` and ``curve_text``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from fbacap_logic.calendar import Quarter
from fbacap_logic.demand_curve import MINIMUM_SELLERS
from orchestration.catalogue import open_catalogue
from orchestration.errors import BadUsage, NotPublished
from orchestration.paths import DataFolder

_ROUND_SQL = """
select round, supply_milli_ft3, demanded_milli_ft3, granted_milli_ft3, unsold_milli_ft3,
       clearing_fee_minor_per_ft3, cover_ratio_bp, marginal_fill_bp
from market_rounds
where quarter = ? and marketplace_id = ? and storage_type = ? order by round
"""
_CELLS_SQL = """
select from_fee_minor_per_ft3, sellers, requests, demanded_milli_ft3, cumulative_demanded_milli_ft3
from demand_curves
where quarter = ? and marketplace_id = ? and storage_type = ? and round = ? order by cell
"""
_LEVELS_SQL = """
select
    max_fee_minor_per_ft3, count(distinct seller_id), count(*),
    cast(sum(trimmed_milli_ft3) as bigint),
    cast(sum(sum(trimmed_milli_ft3)) over (order by max_fee_minor_per_ft3 desc) as bigint)
from cleared_allocations
where quarter = ? and marketplace_id = ? and storage_type = ? and round = ?
    and trimmed_milli_ft3 > 0
group by max_fee_minor_per_ft3 order by max_fee_minor_per_ft3 desc
"""
_SELLERS_SQL = """
select count(distinct seller_id) from cleared_allocations
where quarter = ? and marketplace_id = ? and storage_type = ? and round = ?
    and trimmed_milli_ft3 > 0
"""


@dataclass(frozen=True)
class Step:
    """Requests of neighbouring fees: a published cell, or in an exact curve one fee."""

    from_fee_minor_per_ft3: int
    sellers: int
    requests: int
    demanded_milli_ft3: int
    cumulative_demanded_milli_ft3: int


@dataclass(frozen=True)
class Curve:
    """Demand against supply of one market and round; steps from the highest fee down.

    ``is_exact``: a step a fee, which shows single sellers and is the operator's own. ``currency``
    is None until the marketplace's first settlement is published.
    """

    quarter: str
    marketplace_id: str
    storage_type: str
    round: int
    currency: str | None
    minor_unit_digits: int
    supply_milli_ft3: int
    demanded_milli_ft3: int
    granted_milli_ft3: int
    unsold_milli_ft3: int
    clearing_fee_minor_per_ft3: int | None
    cover_ratio_bp: int | None
    marginal_fill_bp: int | None
    is_exact: bool
    steps: tuple[Step, ...]

    @property
    def why_no_steps(self) -> str:
        """Why a curve without steps has none, in words."""
        if self.demanded_milli_ft3 == 0:
            return "nobody asked for volume in this round"
        return (
            f"fewer than {MINIMUM_SELLERS} sellers asked for volume in this round, so its demand "
            "curve is not published; the operator sees it with --exact"
        )


def read_curve(
    data: DataFolder,
    quarter: Quarter,
    market: tuple[str, str],
    round_number: int | None,
    *,
    exact: bool,
) -> Curve:
    """The curve of a market and round; without a round, of the last that was published.

    Raises:
        NotPublished: the quarter has no published round, or none that has demand curves.
        BadUsage: the quarter has no such market, or the market no such round.
    """
    with open_catalogue(data) as catalogue:
        rounds = catalogue.execute(_ROUND_SQL, [quarter.label, *market]).fetchall()
        if not rounds:
            raise _unknown_market(catalogue, quarter, market)
        chosen = rounds[-1][0] if round_number is None else round_number
        figures = next((row for row in rounds if row[0] == chosen), None)
        if figures is None:
            held = ", ".join(str(row[0]) for row in rounds)
            raise BadUsage(
                f"{_named(market)} has no round {round_number} in {quarter.label}; "
                f"its published rounds are {held}"
            )
        place = [quarter.label, *market, chosen]
        steps = catalogue.execute(_LEVELS_SQL if exact else _CELLS_SQL, place).fetchall()
        if not steps and _sellers(catalogue, place) >= MINIMUM_SELLERS:
            raise NotPublished(
                f"the published rounds of {quarter.label} have no demand curves; run its rounds "
                f"again with `fbacap run {quarter.label} --stage round-{chosen}`"
            )
        currency, digits = _currency(catalogue, market[0])
    _, supply, demanded, granted, unsold, clearing_fee, cover_ratio, marginal_fill = figures
    return Curve(
        quarter=quarter.label,
        marketplace_id=market[0],
        storage_type=market[1],
        round=chosen,
        currency=currency,
        minor_unit_digits=digits,
        supply_milli_ft3=supply,
        demanded_milli_ft3=demanded,
        granted_milli_ft3=granted,
        unsold_milli_ft3=unsold,
        clearing_fee_minor_per_ft3=clearing_fee,
        cover_ratio_bp=cover_ratio,
        marginal_fill_bp=marginal_fill,
        is_exact=exact,
        steps=tuple(Step(*row) for row in steps),
    )


def _sellers(catalogue: duckdb.DuckDBPyConnection, place: Sequence[object]) -> int:
    row = catalogue.execute(_SELLERS_SQL, place).fetchone()
    return 0 if row is None else int(row[0])


def _currency(catalogue: duckdb.DuckDBPyConnection, marketplace: str) -> tuple[str | None, int]:
    """The marketplace's currency, where a settlement names it, and its decimals."""
    named = catalogue.execute(
        "select max(currency) from fct_market_rounds where marketplace_id = ?", [marketplace]
    ).fetchone()
    digits = catalogue.execute(
        "select max(minor_unit_digits) from round_requests where marketplace_id = ?", [marketplace]
    ).fetchone()
    known = 2 if digits is None or digits[0] is None else int(digits[0])
    return (None if named is None else named[0]), known


def _unknown_market(
    catalogue: duckdb.DuckDBPyConnection, quarter: Quarter, market: tuple[str, str]
) -> BadUsage | NotPublished:
    held = catalogue.execute(
        "select distinct marketplace_id, storage_type from market_rounds where quarter = ? "
        "order by all",
        [quarter.label],
    ).fetchall()
    if not held:
        return NotPublished(
            f"no round of {quarter.label} has been published; `fbacap run {quarter.label}` clears "
            "those that are due"
        )
    names = ", ".join(_named(each) for each in held)
    return BadUsage(f"{quarter.label} has no market {_named(market)}; its markets are {names}")


def _named(market: Sequence[str]) -> str:
    return f"'{market[0]}' '{market[1]}'"
