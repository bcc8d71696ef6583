"""Settlement runs and the ledger (rules §7).

Here belong what each grant costs net of credit, the difference to the run before, and balanced
entries for it. Where earlier runs are kept is ``orchestration.published``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fbacap_logic.credits import performance_credits
from fbacap_logic.frames import (
    GRANT_KEY,
    TextArray,
    integers,
    require_columns,
    require_unique,
    texts,
)
from fbacap_logic.policy import Policy
from fbacap_logic.units import Int64Array

SETTLEMENT_COLUMNS = (
    "marketplace_id", "storage_type", "request_id", "round", "seller_id", "currency",
    "granted_milli_ft3", "final_fee_minor_per_ft3", "fee_minor", "credit_minor", "net_due_minor",
    "previous_fee_minor", "previous_credit_minor", "previous_net_due_minor", "delta_fee_minor",
    "delta_credit_minor", "delta_net_due_minor",
)  # fmt: skip
LEDGER_ENTRY_COLUMNS = (
    "entry_id", "marketplace_id", "storage_type", "currency", "seller_id", "request_id", "round",
    "account", "amount_minor",
)  # fmt: skip
ACCOUNTS = {
    "seller_receivable": ("delta_net_due_minor", 1),
    "reservation_fee_revenue": ("delta_fee_minor", -1),
    "performance_credit_expense": ("delta_credit_minor", 1),
}
_AMOUNTS = ("fee", "credit", "net_due")


def settle(
    repriced: pd.DataFrame,
    incremental: pd.DataFrame,
    currencies: pd.DataFrame,
    previous: pd.DataFrame | None,
    policy: Policy,
) -> pd.DataFrame:
    """One settlement run: full determinants and the delta against the run before (rules §7).

    ``net_due_minor = fee_minor − credit_minor ≥ 0``, and every ``delta_x = x − previous_x``, so
    that the deltas of all runs sum to the latest.

    Args:
        repriced: repriced_fees.
        incremental: incremental_sales.
        currencies: marketplace_id, currency.
        previous: settlements of the run before; None or empty on the first run.
        policy: credit rate and credit cap.

    Returns:
        settlements, one row per grant, sorted by market, request_id and round.

    Raises:
        ValueError: bad columns, a marketplace without currency, or a grant of the run before that
            is gone (grants are final).
    """
    key = ["marketplace_id", "storage_type", *GRANT_KEY]
    require_columns(repriced, key, "repriced")
    grants = repriced.sort_values(key, ignore_index=True)
    credited = performance_credits(
        grants.rename(columns={"priority_at": "submitted_at"}),
        incremental,
        policy.settlement.credit_rate_bp,
        policy.settlement.credit_cap_bp,
    )
    fee = credited["fee_minor"].to_numpy()
    credit = credited["credit_minor"].to_numpy()
    amounts = {"fee": fee, "credit": credit, "net_due": fee - credit}
    before = _previous_amounts(grants, previous)
    return pd.DataFrame(
        {
            **{name: grants[name] for name in (*key, "seller_id")},
            "currency": _currencies(grants, currencies),
            "granted_milli_ft3": integers(grants, "granted_milli_ft3", "repriced", minimum=1),
            "final_fee_minor_per_ft3": integers(grants, "final_fee_minor_per_ft3", "repriced"),
            **{f"{name}_minor": amount for name, amount in amounts.items()},
            **{f"previous_{name}_minor": before[name] for name in _AMOUNTS},
            **{f"delta_{name}_minor": amounts[name] - before[name] for name in _AMOUNTS},
        }
    )[list(SETTLEMENT_COLUMNS)]


def ledger(settlements: pd.DataFrame) -> pd.DataFrame:
    """Balanced double entries for the deltas of one settlement run (rules §7).

    Per grant, debits positive: seller_receivable ``+Δ net due``, performance_credit_expense
    ``+Δ credit``, reservation_fee_revenue ``−Δ fee``; they sum to zero because net due = fee −
    credit. Entries of zero are left out. ``entry_id`` is ``request_id/round/account``: round and
    account hold no slash, so no two grants can share one.

    Returns:
        ledger_entries, sorted by market, request_id, round and account.

    Raises:
        ValueError: bad columns, a repeated grant, or deltas that do not balance.
    """
    require_unique(settlements, GRANT_KEY, "settlements")
    require_columns(settlements, ["marketplace_id", "storage_type", "currency"], "settlements")
    delta = {
        name: integers(settlements, f"delta_{name}_minor", "settlements", minimum=None)
        for name in _AMOUNTS
    }
    unbalanced = delta["net_due"] != delta["fee"] - delta["credit"]
    if unbalanced.any():
        row = int(np.argmax(unbalanced))
        raise ValueError(f"settlements: row {row}: delta net due is not delta fee less credit")
    parts = []
    for account, (column, sign) in ACCOUNTS.items():
        part = settlements.assign(account=account, amount_minor=sign * settlements[column])
        parts.append(part[part["amount_minor"] != 0])
    entries = pd.concat(parts, ignore_index=True)
    round_text = entries["round"].astype(str).to_numpy(dtype=object)
    request_id: TextArray = entries["request_id"].to_numpy(dtype=object)
    account_text: TextArray = entries["account"].to_numpy(dtype=object)
    entries["entry_id"] = request_id + "/" + round_text + "/" + account_text
    entries["amount_minor"] = entries["amount_minor"].astype(np.int64)
    key = ["marketplace_id", "storage_type", *GRANT_KEY, "account"]
    return entries.sort_values(key, ignore_index=True)[list(LEDGER_ENTRY_COLUMNS)]


def _currencies(grants: pd.DataFrame, currencies: pd.DataFrame) -> TextArray:
    require_unique(currencies, ["marketplace_id"], "currencies")
    codes = dict(
        zip(
            texts(currencies, "marketplace_id", "currencies"),
            texts(currencies, "currency", "currencies"),
            strict=True,
        )
    )
    found = grants["marketplace_id"].map(codes)
    if found.isna().any():
        name = grants["marketplace_id"].iloc[int(np.argmax(found.isna().to_numpy()))]
        raise ValueError(f"currencies: marketplace {name!r} has no currency; add it")
    return found.to_numpy(dtype=object)


def _previous_amounts(grants: pd.DataFrame, previous: pd.DataFrame | None) -> dict[str, Int64Array]:
    """What the run before said of each grant, 0 where it said nothing."""
    result = {name: np.zeros(len(grants), dtype=np.int64) for name in _AMOUNTS}
    if previous is None or len(previous) == 0:
        return result
    require_unique(previous, GRANT_KEY, "previous")
    known = pd.MultiIndex.from_arrays([previous[name] for name in GRANT_KEY])
    wanted = pd.MultiIndex.from_arrays([grants[name] for name in GRANT_KEY])
    gone = wanted.get_indexer(known) < 0
    if gone.any():
        request_id, round_ = known[int(np.argmax(gone))]
        raise ValueError(
            f"previous: request {request_id!r} was granted space in round {round_} and now is not; "
            f"grants are final, so settle the same round run again"
        )
    place = known.get_indexer(wanted)
    for name in _AMOUNTS:
        amount = integers(previous, f"{name}_minor", "previous")
        result[name][place >= 0] = amount[place[place >= 0]]
    return result
