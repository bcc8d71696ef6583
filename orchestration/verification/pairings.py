"""Which relations are compared, by which key, over which columns.

Here belong the lists. How two relations are compared is ``comparison``; what fills them is
``rounds`` and ``settlements``.
"""

from __future__ import annotations

from orchestration.verification.comparison import Pairing

MARKET = ("marketplace_id", "storage_type")
GRANT = (*MARKET, "request_id", "round")
SELLER = (*MARKET, "seller_id")
REVISION = ("request_id", "revision", "version_number")

ROUND_TABLES = (
    "round_requests", "cleared_allocations", "market_rounds", "repriced_fees", "repricing_steps",
)  # fmt: skip
SETTLEMENT_TABLES = (
    "round_requests", "incremental_sales", "incremental_sales_days", "settlements",
    "ledger_entries",
)  # fmt: skip

REQUEST_RECORDS = Pairing(
    "round_requests",
    "published_round_requests",
    "derived_round_requests",
    REVISION,
    ("priority_at", "first_round", "cap_milli_ft3"),
)

ROUND_PAIRINGS = (
    REQUEST_RECORDS,
    Pairing(
        "cleared_allocations",
        "published_cleared_allocations",
        "(select * from derived_cleared_allocations join market_rules using (market))",
        GRANT,
        (
            "revision",
            "seller_id",
            "max_fee_minor_per_ft3",
            "priority_at",
            "requested_milli_ft3",
            "open_milli_ft3",
            "trimmed_milli_ft3",
            "remaining_minimum_milli_ft3",
            "granted_milli_ft3",
            "outcome",
            "reason",
        ),
    ),
    Pairing(
        "market_rounds",
        "published_market_rounds",
        "(select * from derived_market_rounds join market_rules using (market))",
        (*MARKET, "round"),
        (
            "released_milli_ft3",
            "carried_in_milli_ft3",
            "supply_milli_ft3",
            "demanded_milli_ft3",
            "granted_milli_ft3",
            "unsold_milli_ft3",
            "clearing_fee_minor_per_ft3",
            "cover_ratio_bp",
            "marginal_fill_bp",
            "requests",
            "winners",
        ),
    ),
    Pairing(
        "repriced_fees",
        "published_repriced_fees",
        "(select * from derived_repriced_fees join market_rules using (market))",
        GRANT,
        (
            "seller_id",
            "granted_milli_ft3",
            "max_fee_minor_per_ft3",
            "priority_at",
            "round_fee_minor_per_ft3",
            "final_fee_minor_per_ft3",
            "repriced_in_round",
            "days_in_force",
            "days_in_quarter",
            "fee_minor",
        ),
    ),
    Pairing(
        "repricing_steps",
        "published_repricing_steps",
        "(select * from derived_repricing_steps join market_rules using (market))",
        (*GRANT, "repriced_in_round"),
        ("fee_before_minor_per_ft3", "fee_after_minor_per_ft3"),
    ),
    Pairing(
        "conservation of space",
        "(select marketplace_id, storage_type, "
        "sum(granted_milli_ft3) + arg_max(unsold_milli_ft3, round) as space_milli_ft3 "
        "from published_market_rounds group by all)",
        "(select marketplace_id, storage_type, sum(released_milli_ft3) as space_milli_ft3 "
        "from published_market_rounds group by all)",
        MARKET,
        ("space_milli_ft3",),
    ),
    Pairing(
        "grants of a round",
        "(select *, granted_milli_ft3 as granted from published_market_rounds)",
        "(select rounds.marketplace_id, rounds.storage_type, rounds.round, "
        "coalesce(sum(rows.granted_milli_ft3), 0) as granted "
        "from published_market_rounds as rounds left join published_cleared_allocations as rows "
        "using (marketplace_id, storage_type, round) group by all)",
        (*MARKET, "round"),
        ("granted",),
    ),
    Pairing(
        "grants under caps",
        "(select rows.*, rows.granted <= caps.cap as is_under_cap from "
        "(select marketplace_id, storage_type, seller_id, sum(granted_milli_ft3) as granted "
        "from published_cleared_allocations group by all having sum(granted_milli_ft3) > 0) "
        "as rows left join (select marketplace_id, storage_type, seller_id, "
        "min(cap_milli_ft3) as cap from published_round_requests group by all) as caps "
        "using (marketplace_id, storage_type, seller_id))",
        "(select marketplace_id, storage_type, seller_id, true as is_under_cap "
        "from published_cleared_allocations group by all having sum(granted_milli_ft3) > 0)",
        SELLER,
        ("is_under_cap",),
    ),
)

SETTLEMENT_PAIRINGS = (
    REQUEST_RECORDS,
    Pairing(
        "incremental_sales_days",
        "published_incremental_sales_days",
        "derived_incremental_sales_days",
        (*SELLER, "day"),
        (
            "used_milli_ft3", "base_milli_ft3", "extra_milli_ft3", "extra_used_milli_ft3",
            "usage_layer_micro_minor", "capacity_share_micro_minor",
        ),
    ),
    Pairing(
        "incremental_sales",
        "published_incremental_sales",
        "derived_incremental_sales",
        SELLER,
        (
            "method", "incremental_sales_minor", "usage_layer_minor", "capacity_share_minor",
            "forecast_uplift_minor", "net_sales_minor", "sales_forecast_minor", "missing_days",
            "carried_days",
        ),
    ),
    Pairing(
        "settlements",
        "published_settlements",
        "derived_settlements",
        GRANT,
        (
            "seller_id", "currency", "granted_milli_ft3", "final_fee_minor_per_ft3", "fee_minor",
            "credit_minor", "net_due_minor", "previous_fee_minor", "previous_credit_minor",
            "previous_net_due_minor", "delta_fee_minor", "delta_credit_minor",
            "delta_net_due_minor",
        ),
    ),
    Pairing(
        "ledger_entries",
        "published_ledger_entries",
        "derived_ledger_entries",
        ("entry_id",),
        (*MARKET, "currency", "seller_id", "request_id", "round", "account", "amount_minor"),
    ),
    Pairing(
        "credits within fees",
        "(select *, credit_minor between 0 and fee_minor and "
        "net_due_minor = fee_minor - credit_minor as is_within from published_settlements)",
        "(select *, true as is_within from published_settlements)",
        GRANT,
        ("is_within",),
    ),
    Pairing(
        "ledger balance",
        "(select marketplace_id, storage_type, currency, sum(amount_minor) as balance_minor "
        "from published_ledger_entries group by all)",
        "(select distinct marketplace_id, storage_type, currency, 0 as balance_minor "
        "from published_ledger_entries)",
        (*MARKET, "currency"),
        ("balance_minor",),
    ),
)  # fmt: skip

DELTAS = Pairing(
    "sum of deltas",
    "(select marketplace_id, storage_type, request_id, round, sum(delta_fee_minor) as fee_minor, "
    "sum(delta_credit_minor) as credit_minor, sum(delta_net_due_minor) as net_due_minor "
    "from settlements_so_far group by all)",
    "published_settlements",
    GRANT,
    ("fee_minor", "credit_minor", "net_due_minor"),
)


def unchanged_rows(table: str, key: tuple[str, ...], columns: tuple[str, ...]) -> Pairing:
    """What an earlier round run published, against the same rows of this one (rules §8.8)."""
    return Pairing(f"{table} unchanged", f"unchanged_{table}", f"earlier_{table}", key, columns)
