"""Random markets at the edges: 63 bits, crowds, closes to the microsecond, per-market rules.

Here belong strategies for what ``strategies`` keeps small: books past 2^63 and of many thousands
of rows, and quarters of accepted revisions as ``clear_quarter`` takes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from reference import Ask, Revision
from strategies import FIRST_MOMENT, QUARTER, clearing_rules, fees, moments, request_ids

from fbacap_logic.calendar import QuarterCalendar
from fbacap_logic.policy import CalendarPolicy, MarketOverride, Policy, RequestPolicy

MAX = 2**63 - 1
MARKETS = (("DE", "oversize"), ("DE", "standard"), ("US", "standard"))
SELLERS = ("s1", "s2", "é")
PLENTY = 2**62

edge_volumes = st.one_of(st.integers(1, 3), st.sampled_from([PLENTY, MAX - 1, MAX]))
edge_fees = st.one_of(st.integers(1, 3), st.sampled_from([PLENTY, MAX]))
edge_supplies = st.one_of(
    st.just(0), st.integers(1, 9), st.sampled_from([PLENTY, PLENTY + 1, MAX - 1, MAX])
)


@st.composite
def edge_books(draw: st.DrawFn) -> list[Ask]:
    """Few fees, one or two moments, volumes and fees up to 2^63 − 1, rows that are not open."""
    asks = []
    for request_id in draw(st.lists(request_ids, unique=True, max_size=8)):
        wanted = draw(st.one_of(st.just(0), edge_volumes))
        minimum = draw(st.one_of(st.just(0), st.just(wanted), st.integers(0, wanted)))
        moment = draw(st.sampled_from([FIRST_MOMENT, FIRST_MOMENT + timedelta(microseconds=1)]))
        asks.append(Ask(request_id, draw(edge_fees), moment, wanted, minimum))
    return asks


@dataclass(frozen=True)
class LargeBook:
    """What a book of many rows is made from; printed instead of the rows when a test fails."""

    seed: int
    rows: int
    fees: int
    moments: int
    largest: int
    with_minimum: int
    halvings: int = 0  # volumes spread over so many orders of two below the largest

    @property
    def asks(self) -> list[Ask]:
        random = np.random.default_rng(self.seed)
        fee = random.integers(1, self.fees, self.rows, endpoint=True).tolist()
        moment = random.integers(0, self.moments, self.rows).tolist()
        volume = random.integers(1, self.largest, self.rows, endpoint=True)
        volume >>= random.integers(0, self.halvings, self.rows, endpoint=True)
        volume = np.maximum(volume, 1).tolist()
        minimum = np.zeros(self.rows, dtype=np.int64)
        chosen = random.choice(self.rows, min(self.with_minimum, self.rows), replace=False)
        minimum[chosen] = np.array(volume)[chosen]
        at = [FIRST_MOMENT + timedelta(hours=hours) for hours in range(self.moments)]
        name = random.permutation(self.rows).tolist()
        return [
            Ask(f"é{name[row]}" if name[row] % 7 == 0 else f"r{name[row]}", fee[row],
                at[moment[row]], volume[row], int(minimum[row]))
            for row in range(self.rows)
        ]  # fmt: skip


large_books = st.builds(
    LargeBook,
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([1_000, 3_000, 9_000, 20_000]),
    fees=st.sampled_from([1, 2, 40, 100_000]),
    moments=st.sampled_from([1, 3, 500]),
    largest=st.sampled_from([1, 5, 100_000, 2**50]),
    with_minimum=st.sampled_from([0, 1, 20]),
)
stubborn_books = st.builds(  # all or nothing on many fees, so that drop follows drop
    LargeBook,
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([40, 500]),
    fees=st.sampled_from([1, 5, 500]),
    moments=st.sampled_from([1, 3]),
    largest=st.sampled_from([40, 1_000, 2**50]),
    halvings=st.sampled_from([0, 10, 50]),
    with_minimum=st.sampled_from([30, 490, 500]),
)


@dataclass(frozen=True)
class AcceptedQuarter:
    """Accepted revisions, releases, caps and the policy: all that ``clear_quarter`` reads."""

    revisions: list[Revision]
    released: dict[tuple[str, int], int]
    caps: dict[tuple[str, str], int]
    policy: Policy
    withdrawals_have_amounts: bool

    @property
    def calendar(self) -> QuarterCalendar:
        return self.policy.calendar_of(QUARTER)

    @property
    def requests(self) -> pd.DataFrame:
        rows = [
            (
                each.request_id, each.revision, *each.market.split("/"), each.seller, each.fee,
                each.requested, each.minimum, each.at, each.received_at, each.withdrawn,
                self.caps[each.market, each.seller],
            )
            for each in self.revisions
        ]  # fmt: skip
        amounts = ["max_fee_minor_per_ft3", "requested_milli_ft3", "minimum_milli_ft3"]
        columns = [
            "request_id", "revision", "marketplace_id", "storage_type", "seller_id", *amounts,
            "priority_at", "received_at", "withdrawn", "cap_milli_ft3",
        ]  # fmt: skip
        types = dict.fromkeys(amounts, "Int64") | {
            "revision": "int64", "cap_milli_ft3": "int64", "withdrawn": "bool",
            "priority_at": "datetime64[us]", "received_at": "datetime64[us]",
        }  # fmt: skip
        frame = pd.DataFrame(rows, columns=columns).astype(types)
        if not self.withdrawals_have_amounts:
            frame.loc[frame["withdrawn"], amounts] = pd.NA
        return frame

    @property
    def round_supply(self) -> pd.DataFrame:
        rows = [(*market.split("/"), *rest) for (market, number), volume in self.released.items()
                for rest in [(number, volume)]]  # fmt: skip
        columns = ["marketplace_id", "storage_type", "round", "released_milli_ft3"]
        return pd.DataFrame(rows, columns=columns)


@st.composite
def received_moments(draw: st.DrawFn, calendar: QuarterCalendar) -> datetime:
    """Around the closes, to the microsecond, and any hour between."""
    close = draw(st.sampled_from(calendar.rounds)).closes_at.replace(tzinfo=None)
    near = st.sampled_from([-1, 0, 1]).map(lambda micro: timedelta(microseconds=micro))
    far = st.integers(-30, 20).map(lambda days: timedelta(days=days))
    return close + draw(st.one_of(near, far))


@st.composite
def accepted_quarters(draw: st.DrawFn, sellers: tuple[str, ...] = SELLERS) -> AcceptedQuarter:
    closes = draw(st.sampled_from([(-28, -14, 14, 42), (-1, 0, 1), (10,)]))
    other = draw(st.sampled_from(MARKETS))
    override = MarketOverride(
        marketplace_id=other[0], storage_type=other[1], clearing=draw(clearing_rules)
    )
    policy = Policy(
        calendar=CalendarPolicy(round_close_days=closes),
        clearing=draw(clearing_rules),
        requests=RequestPolicy(carry_over=draw(st.booleans())),
        market_overrides=(override,) if draw(st.booleans()) else (),
    )
    calendar = policy.calendar_of(QUARTER)
    is_huge = draw(st.integers(0, 4)) == 0
    volumes = edge_volumes if is_huge else st.integers(1, 60)
    names = draw(st.lists(request_ids, unique=True, max_size=7))
    market_names = ["/".join(market) for market in MARKETS]
    revisions = []
    for name in names:
        market, seller = draw(st.sampled_from(market_names)), draw(st.sampled_from(sellers))
        for number in draw(st.lists(st.integers(0, 4), unique=True, min_size=1, max_size=4)):
            requested = draw(volumes)
            revisions.append(
                Revision(
                    request_id=name,
                    revision=number,
                    market=market,
                    seller=seller,
                    fee=draw(edge_fees if is_huge else fees),
                    requested=requested,
                    minimum=draw(st.one_of(st.just(0), st.integers(0, requested))),
                    at=draw(moments),
                    received_at=draw(received_moments(calendar)),
                    withdrawn=draw(st.integers(0, 7)) == 0,
                )
            )
    keys = [(market, number + 1) for market in market_names for number in range(len(closes))]
    release = edge_volumes if is_huge else st.integers(0, 90)
    released = {key: draw(release) for key in draw(st.lists(st.sampled_from(keys), unique=True))}
    cap = st.sampled_from([0, 1, 20, 50, 300, PLENTY, MAX])
    caps = {(market, seller): draw(cap) for market in market_names for seller in SELLERS}
    return AcceptedQuarter(revisions, released, caps, policy, draw(st.booleans()))


@st.composite
def edge_priced_markets(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Grants and rounds of one market, as ``reprice`` takes them, with days of their own."""
    numbers = draw(st.lists(st.integers(1, 6), unique=True, min_size=1, max_size=5))
    volume = st.one_of(st.just(0), st.integers(1, 60), st.sampled_from([PLENTY, MAX]))
    granted = {number: draw(volume) for number in numbers}
    fee = st.one_of(st.integers(1, 9), st.sampled_from([10**6, PLENTY, MAX]))
    clearing_fee = {number: draw(fee if granted[number] else st.none() | fee) for number in numbers}
    whole = ["round", "granted_milli_ft3"]
    rounds = pd.DataFrame({"round": numbers, "granted_milli_ft3": [granted[n] for n in numbers]})
    rounds = rounds.astype(dict.fromkeys(whole, "int64"))
    rounds["clearing_fee_minor_per_ft3"] = pd.array(
        [clearing_fee[number] for number in numbers], dtype="Int64"
    )
    days_in_quarter = draw(st.integers(90, 92))
    rows = []
    for number in [number for number in numbers if granted[number]]:
        for place in range(draw(st.integers(0, 3))):
            above = draw(st.one_of(st.integers(0, 3), st.just(MAX)))
            max_fee = min(clearing_fee[number] + above, MAX)
            size = draw(st.one_of(st.integers(1, 99), st.just(granted[number])))
            days = draw(st.integers(1, days_in_quarter))
            name = draw(st.sampled_from(["a", "é", "Z", "0"]))
            rows.append((f"{name}{place}", number, size, max_fee, days, days_in_quarter))
    columns = [
        "request_id", "round", "granted_milli_ft3", "max_fee_minor_per_ft3", "days_in_force",
        "days_in_quarter",
    ]  # fmt: skip
    grants = pd.DataFrame(rows, columns=columns).drop_duplicates(["request_id", "round"])
    return grants.astype(dict.fromkeys(columns[1:], "int64")).reset_index(drop=True), rounds


@st.composite
def credited_grants(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Grants of a few sellers over markets and their sales, as ``performance_credits`` takes them.

    Fees and times are few, so that the odd unit is decided by the bytes of ids and by rounds.
    """
    fee = draw(st.sampled_from([st.integers(0, 60), st.sampled_from([0, 1, PLENTY, MAX])]))
    keys = draw(st.lists(st.tuples(request_ids, st.integers(1, 3)), unique=True, max_size=9))
    rows = [
        (
            *draw(st.sampled_from(MARKETS)), request_id, number, draw(st.sampled_from(SELLERS)),
            draw(st.integers(1, 2)), draw(moments), draw(fee),
        )
        for request_id, number in keys
    ]  # fmt: skip
    columns = [
        "marketplace_id", "storage_type", "request_id", "round", "seller_id",
        "max_fee_minor_per_ft3", "submitted_at", "fee_minor",
    ]  # fmt: skip
    types = dict.fromkeys(["round", "max_fee_minor_per_ft3", "fee_minor"], "int64")
    grants = pd.DataFrame(rows, columns=columns).astype(types | {"submitted_at": "datetime64[us]"})
    amount = st.one_of(st.integers(-50, 5_000), st.sampled_from([-MAX, PLENTY, MAX]))
    sellers = [(*market, seller) for market in MARKETS for seller in SELLERS]
    sales = pd.DataFrame(sellers, columns=["marketplace_id", "storage_type", "seller_id"])
    sales["incremental_sales_minor"] = [draw(amount) for _ in sellers]
    return grants, sales
