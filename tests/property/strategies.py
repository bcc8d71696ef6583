"""Random markets: books, quarters of requests, settled sellers.

Here belong all Hypothesis strategies of the market. Fees, times and ids are drawn from few values,
so that ties are the rule, and volumes from both ends of what 64 bits hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from hypothesis import strategies as st
from reference import Ask, Revision

from fbacap_logic.calendar import Quarter, QuarterCalendar
from fbacap_logic.policy import ClearingRules, Policy, RequestPolicy, SettlementPolicy

QUARTER = Quarter(2026, 4)
FIRST_MOMENT = datetime.fromisoformat("2026-08-21")
MARKETS = (("DE", "oversize"), ("US", "standard"))
SELLERS = ("s1", "s2", "é")
HUGE = 2**62

small_volumes = st.integers(1, 40)
volumes = st.one_of(small_volumes, st.integers(1, 5_000), st.integers(HUGE - 3, HUGE))
fees = st.one_of(st.integers(1, 6), st.integers(1, 10_000))
moments = st.integers(0, 3).map(lambda hours: FIRST_MOMENT + timedelta(hours=hours))
request_ids = st.one_of(
    st.sampled_from(["a", "b", "B", "ab", "é", "z/1", "０", "<script>", "😀"]),
    st.text(min_size=1, max_size=3).filter(lambda text: text.isprintable()),
)
clearing_rules = st.builds(
    ClearingRules,
    minimum_fee_minor_per_ft3=st.integers(1, 3),
    tie_rule=st.sampled_from(["time_priority", "pro_rata"]),
    price_rule=st.sampled_from(["lowest_granted", "highest_rejected", "pay_as_bid"]),
    minimum_repricing_milli_ft3=st.sampled_from([0, 0, 1, 30]),
    fee_basis=st.sampled_from(["quarter", "prorated"]),
)
supplies = st.one_of(
    st.just(0), st.integers(0, 200), st.integers(0, 20_000), st.integers(HUGE - 2, 2 * HUGE - 1)
)
policies = st.builds(
    Policy,
    clearing=clearing_rules,
    requests=st.builds(
        RequestPolicy,
        minimum_request_milli_ft3=st.just(1),
        request_cap_floor_milli_ft3=st.sampled_from([20, 60, 2_000_000]),
        carry_over=st.booleans(),
        fee_ceiling_minor_per_ft3=st.sampled_from([None, 9_000]),
    ),
    settlement=st.builds(
        SettlementPolicy,
        attribution_method=st.sampled_from(["usage_layer", "capacity_share", "forecast_uplift"]),
        credit_rate_bp=st.integers(0, 20_000),
        credit_cap_bp=st.integers(0, 10_000),
    ),
)


@st.composite
def books(draw: st.DrawFn, with_minimums: bool = True) -> list[Ask]:
    identifiers = draw(st.lists(request_ids, unique=True, max_size=9))
    volume = draw(st.sampled_from([small_volumes, volumes]))
    asks = []
    for identifier in identifiers:
        wanted = draw(volume)
        minimum = 0
        if with_minimums:
            minimum = draw(st.one_of(st.just(0), st.just(wanted), st.integers(0, wanted)))
        asks.append(Ask(identifier, draw(fees), draw(moments), wanted, minimum))
    return asks


@st.composite
def crowded_levels(draw: st.DrawFn) -> list[Ask]:
    """Many requests at one or two fees, most of them all or nothing."""
    shape = st.tuples(st.integers(1, 2), st.integers(1, 12), st.sampled_from([0, 1, 2, 99]))
    asks = []
    for place, (fee, wanted, least) in enumerate(draw(st.lists(shape, max_size=25))):
        asks.append(Ask(f"r{place}", fee, FIRST_MOMENT, wanted, min(wanted, least)))
    return asks


def book_frame(asks: list[Ask]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "request_id": pd.Series([ask.request_id for ask in asks], dtype=object),
            "submitted_at": pd.Series([ask.at for ask in asks], dtype="datetime64[us]"),
            "max_fee_minor_per_ft3": pd.Series([ask.fee for ask in asks], dtype="int64"),
            "open_milli_ft3": pd.Series([ask.open for ask in asks], dtype="int64"),
            "minimum_milli_ft3": pd.Series([ask.minimum for ask in asks], dtype="int64"),
        }
    )


@dataclass(frozen=True)
class MarketQuarter:
    """A quarter's records and the policy that governs it."""

    revisions: list[Revision]
    released: dict[tuple[str, int], int]
    bases: dict[tuple[str, str], int]
    policy: Policy

    @property
    def calendar(self) -> QuarterCalendar:
        return self.policy.calendar_of(QUARTER)


@st.composite
def quarters(draw: st.DrawFn) -> MarketQuarter:
    days = st.sampled_from([0, 5, 12, 20, 40, 55, 70, 83, 100])
    revisions = []
    for number in range(draw(st.integers(0, 7))):
        market = "/".join(draw(st.sampled_from(MARKETS)))
        seller = draw(st.sampled_from(SELLERS))
        for revision in draw(st.lists(st.integers(1, 4), unique=True, min_size=1, max_size=3)):
            received_at = FIRST_MOMENT + timedelta(days=draw(days), hours=draw(st.integers(0, 2)))
            requested = draw(st.integers(1, 60))
            revisions.append(
                Revision(
                    request_id=f"r{number}",
                    revision=revision,
                    market=market,
                    seller=seller,
                    fee=draw(fees),
                    requested=requested,
                    minimum=draw(st.one_of(st.just(0), st.integers(0, requested))),
                    at=received_at - timedelta(hours=draw(st.integers(0, 2))),
                    received_at=received_at,
                    withdrawn=draw(st.integers(0, 5)) == 0,
                )
            )
    rounds = range(1, draw(st.integers(1, 4)) + 1)
    markets = ["/".join(market) for market in MARKETS]
    return MarketQuarter(
        revisions,
        {(market, number): draw(st.integers(0, 90)) for market in markets for number in rounds},
        {
            (market, seller): draw(st.sampled_from([0, 50, 300]))
            for market in markets
            for seller in SELLERS
        },
        draw(policies),
    )


def judged_frame(quarter: MarketQuarter) -> pd.DataFrame:
    """facts.judged_requests of a quarter."""
    closes = [window.closes_at.replace(tzinfo=None) for window in quarter.calendar.rounds]
    rows = []
    for place, each in enumerate(quarter.revisions, start=1):
        passed = sum(each.received_at >= close for close in closes)
        rows.append(
            (
                each.request_id, each.revision, 1, *each.market.split("/"), each.seller,
                QUARTER.first_day, 2, each.fee * 10_000, each.requested * 1_000,
                each.minimum * 1_000, each.at, each.received_at, each.withdrawn,
                passed + 1 if passed < len(closes) else None, "professional", True,
                quarter.bases[each.market, each.seller], "file", place,
            )
        )  # fmt: skip
    columns = [
        "request_id", "revision", "version_number", "marketplace_id", "storage_type", "seller_id",
        "quarter_start", "minor_unit_digits", "max_fee_micro", "requested_micro_ft3",
        "minimum_micro_ft3", "submitted_at", "received_at", "withdrawn", "first_round",
        "account_type", "market_exists", "base_milli_ft3", "source_file", "source_row",
    ]  # fmt: skip
    moments_of = dict.fromkeys(["submitted_at", "received_at"], "datetime64[us]")
    return pd.DataFrame(rows, columns=columns).astype({"first_round": "Int64", **moments_of})


def supply_frame(quarter: MarketQuarter) -> pd.DataFrame:
    """round_supply of a quarter."""
    return pd.DataFrame(
        [
            (*market.split("/"), number, volume)
            for (market, number), volume in quarter.released.items()
        ],
        columns=["marketplace_id", "storage_type", "round", "released_milli_ft3"],
    )


def shuffled(draw: st.DrawFn, frame: pd.DataFrame) -> pd.DataFrame:
    order = draw(st.permutations(range(len(frame))))
    return frame.iloc[list(order)].reset_index(drop=True)


@st.composite
def priced_markets(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Grants and rounds of one market, as ``reprice`` takes them."""
    numbers = draw(st.lists(st.integers(1, 5), unique=True, min_size=1, max_size=4))
    granted = {number: draw(st.integers(0, 60)) for number in numbers}
    clearing_fees = {
        number: draw(st.integers(1, 9) if granted[number] else st.none() | st.integers(1, 9))
        for number in numbers
    }
    rounds = pd.DataFrame(
        {
            "round": numbers,
            "clearing_fee_minor_per_ft3": pd.array(list(clearing_fees.values()), dtype="Int64"),
            "granted_milli_ft3": list(granted.values()),
        }
    )
    winning = [number for number in numbers if granted[number]]
    rows = []
    for place in range(draw(st.integers(0, 6)) if winning else 0):
        number = draw(st.sampled_from(winning))
        max_fee = clearing_fees[number] + draw(st.integers(0, 3))
        rows.append((f"g{place}", number, draw(volumes), max_fee))
    columns = ["request_id", "round", "granted_milli_ft3", "max_fee_minor_per_ft3"]
    grants = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], "int64"))
    grants["granted_milli_ft3"] = grants["granted_milli_ft3"].clip(upper=HUGE // 8)
    return grants.assign(days_in_force=61, days_in_quarter=92), rounds


@st.composite
def seller_days(draw: st.DrawFn, largest: int = 10**9) -> pd.DataFrame:
    """seller_market_days of a few sellers over the first days of the quarter."""
    amounts = st.one_of(st.just(0), st.integers(0, 50), st.integers(0, largest))
    rows = [
        (
            "US", "standard", seller, pd.Timestamp(QUARTER.first_day) + pd.Timedelta(days=day),
            draw(amounts), draw(amounts), draw(amounts), draw(amounts), draw(st.booleans()),
        )
        for seller in draw(st.lists(st.sampled_from(SELLERS), unique=True))
        for day in range(draw(st.integers(1, 5)))
    ]  # fmt: skip
    columns = [
        "marketplace_id", "storage_type", "seller_id", "day", "net_sales_minor", "used_milli_ft3",
        "base_milli_ft3", "extra_milli_ft3", "is_carried",
    ]  # fmt: skip
    days = pd.DataFrame(rows, columns=columns).assign(is_missing=False)
    return days.astype({"is_carried": bool, "day": "datetime64[us]"})


@st.composite
def settled_grants(draw: st.DrawFn) -> pd.DataFrame:
    """repriced_fees of a few sellers, as ``settle`` and ``performance_credits`` take them."""
    rows = [
        (
            "US", "standard", f"g{place}", draw(st.integers(1, 3)),
            draw(st.sampled_from(SELLERS)), draw(st.integers(1, 99)), draw(fees),
            draw(moments), draw(st.one_of(st.integers(0, 60), st.integers(0, 10**12))),
        )
        for place in draw(st.permutations(range(draw(st.integers(0, 7)))))
    ]  # fmt: skip
    columns = [
        "marketplace_id", "storage_type", "request_id", "round", "seller_id", "granted_milli_ft3",
        "max_fee_minor_per_ft3", "priority_at", "fee_minor",
    ]  # fmt: skip
    whole = ["round", "granted_milli_ft3", "max_fee_minor_per_ft3", "fee_minor"]
    types = {**dict.fromkeys(whole, "int64"), "priority_at": "datetime64[us]"}
    grants = pd.DataFrame(rows, columns=columns).astype(types)
    return grants.assign(final_fee_minor_per_ft3=grants["max_fee_minor_per_ft3"])


def sales_of(draw: st.DrawFn, grants: pd.DataFrame) -> pd.DataFrame:
    """incremental_sales of every seller that has a grant."""
    sellers = grants[["marketplace_id", "storage_type", "seller_id"]].drop_duplicates()
    amounts = [draw(st.integers(0, 10**6)) for _ in range(len(sellers))]
    return sellers.assign(incremental_sales_minor=pd.Series(amounts, sellers.index, dtype="int64"))
