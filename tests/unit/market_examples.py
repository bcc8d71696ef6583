"""Small markets that unit tests bend: a book, a quarter of requests, a settled quarter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from fbacap_logic.calendar import Quarter, QuarterCalendar
from fbacap_logic.clearing import QuarterClearing, clear_quarter
from fbacap_logic.policy import Policy
from fbacap_logic.requests import judge_requests

QUARTER = Quarter(2026, 4)
CALENDAR: QuarterCalendar = Policy().calendar_of(QUARTER)
MARKET = {"marketplace_id": "US", "storage_type": "standard"}
CURRENCIES = pd.DataFrame({"marketplace_id": ["JP", "US"], "currency": ["JPY", "USD"]})


def book(*asks: tuple[str, int, int, int]) -> pd.DataFrame:
    """Rows of (request_id, fee, open, minimum), submitted in the order given."""
    frame = pd.DataFrame(
        asks,
        columns=["request_id", "max_fee_minor_per_ft3", "open_milli_ft3", "minimum_milli_ft3"],
    )
    frame["submitted_at"] = pd.date_range("2026-09-01", periods=len(asks), freq="h")
    return frame


def received(*rows: dict[str, Any]) -> pd.DataFrame:
    """facts.judged_requests: each row says only what differs from a good request."""
    closes = [window.closes_at.replace(tzinfo=None) for window in CALENDAR.rounds]
    filled = []
    for place, row in enumerate(rows, start=1):
        moment = datetime.fromisoformat(row.get("received_at", "2026-09-01"))
        passed = sum(moment >= close for close in closes)
        filled.append(
            MARKET
            | {
                "request_id": f"r{place}",
                "revision": 1,
                "version_number": 1,
                "seller_id": "s1",
                "quarter_start": QUARTER.first_day,
                "minor_unit_digits": 2,
                "max_fee_micro": 4_000_000,
                "requested_micro_ft3": 50_000_000,
                "minimum_micro_ft3": 0,
                "submitted_at": moment,
                "withdrawn": False,
                "first_round": passed + 1 if passed < len(closes) else None,
                "account_type": "professional",
                "market_exists": True,
                "base_milli_ft3": 0,
                "source_file": "file",
                "source_row": place,
            }
            | row
            | {"received_at": moment}
        )
    whole = ["max_fee_micro", "requested_micro_ft3", "minimum_micro_ft3", "minor_unit_digits"]
    moments = dict.fromkeys(["submitted_at", "received_at"], "datetime64[us]")
    return pd.DataFrame(filled).astype(
        {**dict.fromkeys([*whole, "first_round"], "Int64"), **moments}
    )


def judge(*rows: dict[str, Any], policy: Policy | None = None) -> pd.DataFrame:
    """round_requests of the rows."""
    return judge_requests(received(*rows), CALENDAR, policy or Policy())


def supply(*released_milli_ft3: int, storage_type: str = "standard") -> pd.DataFrame:
    """round_supply of one market, a volume for each round from the first."""
    return pd.DataFrame(
        {
            "marketplace_id": "US",
            "storage_type": storage_type,
            "round": range(1, len(released_milli_ft3) + 1),
            "released_milli_ft3": released_milli_ft3,
        }
    )


def cleared(
    requests: pd.DataFrame, *released_milli_ft3: int, policy: Policy | None = None
) -> QuarterClearing:
    """The quarter cleared over the accepted rows of ``requests``."""
    accepted = requests[requests["is_accepted"]]
    return clear_quarter(accepted, supply(*released_milli_ft3), CALENDAR, policy or Policy())
