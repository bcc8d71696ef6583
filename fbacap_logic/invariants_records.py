"""Invariants of money and of what traces to what (rules §8.5, 8–9), on published tables.

Here belongs one function per invariant: frames in, the rows that break it out (none when it holds).
Names and sentences are in ``invariants``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fbacap_logic.frames import GRANT_KEY, MARKET_KEY
from fbacap_logic.settlement import ACCOUNTS

_GRANT = (*MARKET_KEY, "seller_id", *GRANT_KEY)
_VERSION = ("request_id", "revision", "version_number")


def credits_within_fees(settlements: pd.DataFrame) -> pd.DataFrame:
    """Settlement rows that break 0 ≤ credit ≤ fee, or net due = fee − credit."""
    fee, credit = settlements["fee_minor"], settlements["credit_minor"]
    holds = (credit >= 0) & (credit <= fee) & (settlements["net_due_minor"] == fee - credit)
    return settlements[~holds].reset_index(drop=True)


def deltas_lead_to_latest(settlements: pd.DataFrame) -> pd.DataFrame:
    """Settlement rows with a delta that is not this run's amount less the run before's."""
    holds = np.ones(len(settlements), dtype=np.bool_)
    for name in ("fee", "credit", "net_due"):
        change = settlements[f"{name}_minor"] - settlements[f"previous_{name}_minor"]
        holds &= (settlements[f"delta_{name}_minor"] == change).to_numpy()
    return settlements[~holds].reset_index(drop=True)


def ledger_balances(ledger_entries: pd.DataFrame) -> pd.DataFrame:
    """Grants whose entries do not sum to zero in their market and currency.

    Balance per grant is stricter than per market and currency, and implies it.
    """
    key = [*MARKET_KEY, "currency", *GRANT_KEY]
    sums = ledger_entries.groupby(key)["amount_minor"].sum().reset_index()
    return sums.loc[sums["amount_minor"] != 0].reset_index(drop=True)


def ledger_matches_settlements(
    ledger_entries: pd.DataFrame, settlements: pd.DataFrame
) -> pd.DataFrame:
    """Entries that no delta accounts for, and deltas that no entry posts."""
    key = [*MARKET_KEY, "currency", "seller_id", *GRANT_KEY]
    parts = [
        settlements[key].assign(account=account, amount_minor=sign * settlements[column])
        for account, (column, sign) in ACCOUNTS.items()
    ]
    expected = pd.concat(parts, ignore_index=True)
    expected = expected[expected["amount_minor"] != 0]
    columns = [*key, "account", "amount_minor"]
    return _not_in_both(ledger_entries, expected, columns, ("ledger_entries", "settlements"))


def earlier_rounds_stand(
    cleared_allocations: pd.DataFrame,
    market_rounds: pd.DataFrame,
    earlier_cleared_allocations: pd.DataFrame,
    earlier_market_rounds: pd.DataFrame,
) -> pd.DataFrame:
    """Rows of rounds that an earlier run published and that differ now, or came or went.

    Compared are the rounds that both runs had cleared, as their market_rounds tell; of the sentence
    for the seller only the reason behind it, so that a sentence may be worded better.
    """
    shared = set(market_rounds["round"]) & set(earlier_market_rounds["round"])
    columns = [name for name in earlier_cleared_allocations.columns if name != "reason_text"]
    now = cleared_allocations[cleared_allocations["round"].isin(shared)]
    before = earlier_cleared_allocations[earlier_cleared_allocations["round"].isin(shared)]
    return _not_in_both(now, before, columns, ("this run", "earlier run"))


def every_request_judged_once(
    round_requests: pd.DataFrame, judged_requests: pd.DataFrame
) -> pd.DataFrame:
    """Versions received but not judged, judged but not received, judged twice or without reason."""
    key = list(_VERSION)
    lost = _not_in_both(round_requests, judged_requests, key, ("round_requests", "received"))
    twice = round_requests[round_requests.duplicated(key)]
    accepted = round_requests["is_accepted"].astype(bool)
    unreasoned = round_requests[
        (accepted != (round_requests["reason"] == "accepted"))
        | (round_requests["reason_text"].fillna("").str.len() == 0)
    ]
    return pd.concat(
        [
            lost,
            twice[key].assign(found_in="round_requests, twice"),
            unreasoned[key].assign(found_in="round_requests, reason and verdict disagree"),
        ],
        ignore_index=True,
    )


def allocations_trace_to_requests(
    cleared_allocations: pd.DataFrame, round_requests: pd.DataFrame
) -> pd.DataFrame:
    """Allocations without an accepted revision behind them, of the same terms and in time."""
    terms = ["max_fee_minor_per_ft3", "requested_milli_ft3", "priority_at", "seller_id"]
    key = [*MARKET_KEY, "request_id", "revision"]
    accepted = round_requests[round_requests["is_accepted"].astype(bool)]
    merged = cleared_allocations.merge(
        accepted[[*key, *terms, "first_round"]], how="left", on=key, suffixes=("", "_of_request")
    )
    holds = (merged["first_round"] <= merged["round"]).fillna(False).to_numpy(np.bool_)
    for term in terms:
        same = merged[term] == merged[f"{term}_of_request"]
        holds &= same.fillna(False).to_numpy(np.bool_)
    found = merged.loc[~holds, list(cleared_allocations.columns)]
    twice = cleared_allocations[cleared_allocations.duplicated(list(GRANT_KEY))]
    return pd.concat([found, twice], ignore_index=True)


def fees_trace_to_grants(
    repriced_fees: pd.DataFrame, cleared_allocations: pd.DataFrame
) -> pd.DataFrame:
    """Fees without a grant of the same volume and maximum fee, and grants without a fee."""
    won = cleared_allocations[cleared_allocations["granted_milli_ft3"] > 0]
    columns = [*_GRANT, "granted_milli_ft3", "max_fee_minor_per_ft3"]
    return _not_in_both(repriced_fees, won, columns, ("repriced_fees", "cleared_allocations"))


def settlements_trace_to_fees(
    settlements: pd.DataFrame, repriced_fees: pd.DataFrame
) -> pd.DataFrame:
    """Settlement rows without a repriced fee of the same amounts, and fees without a row."""
    columns = [*_GRANT, "granted_milli_ft3", "final_fee_minor_per_ft3", "fee_minor"]
    return _not_in_both(settlements, repriced_fees, columns, ("settlements", "repriced_fees"))


def _not_in_both(
    left: pd.DataFrame, right: pd.DataFrame, columns: Sequence[str], names: tuple[str, str]
) -> pd.DataFrame:
    """Rows (by ``columns``, repeats counted) that one side lacks; ``found_in`` says who has it."""
    sides = [
        side[list(columns)].assign(repeat=side.groupby(list(columns), dropna=False).cumcount())
        for side in (left, right)
    ]
    merged = sides[0].merge(sides[1], how="outer", on=[*columns, "repeat"], indicator=True)
    alone = merged[merged["_merge"] != "both"]
    found_in = np.where(alone["_merge"] == "left_only", *names)
    return alone.drop(columns=["_merge", "repeat"]).assign(found_in=found_in).reset_index(drop=True)
