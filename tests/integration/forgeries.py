"""Forgeries of published figures, each as (stage run, table, column that gives it away, query).

Here belong the forged rows. Putting them in place is ``tampering``; catching them ``test_verify``.
"""

from __future__ import annotations

RAISED = """
    select * replace (
        granted_milli_ft3
        + cast(request_id = (select max(request_id) from rows where granted_milli_ft3 > 0) as int)
        as granted_milli_ft3
    ) from rows
"""
MOVED_CREDIT = """
    select * replace (
        credit_minor + case row_number() over (order by credit_minor desc, request_id, round)
            when 1 then -1 when 2 then 1 else 0 end as credit_minor
    ) from rows
"""
EXCHANGED = """
    with ends as (
        select min(granted_milli_ft3) filter (granted_milli_ft3 > 0) as low,
               max(granted_milli_ft3) as high
        from rows
    )
    select rows.* replace (
        case granted_milli_ft3 when low then high when high then low else granted_milli_ft3 end
        as granted_milli_ft3
    ) from rows cross join ends
"""
FORGERIES = {
    "a grant raised by one unit": (
        "round-4", "cleared_allocations", "granted_milli_ft3",
        RAISED,
    ),
    "a fee off by one": (
        "round-4", "repriced_fees", "fee_minor",
        "select * replace (fee_minor + 1 as fee_minor) from rows",
    ),
    "a clearing fee off by one": (
        "round-2", "market_rounds", "clearing_fee_minor_per_ft3",
        "select * replace (clearing_fee_minor_per_ft3 - 1 as clearing_fee_minor_per_ft3) from rows",
    ),
    "a cap off by one": (
        "round-3", "round_requests", "cap_milli_ft3",
        "select * replace (cap_milli_ft3 + cast(source_row = 1 as int) as cap_milli_ft3) from rows",
    ),
    "a step that lowers too far": (
        "round-4", "repricing_steps", "fee_after_minor_per_ft3",
        "select * replace (fee_after_minor_per_ft3 - 1 as fee_after_minor_per_ft3) from rows",
    ),
    "a credit moved from one grant to another": (
        "final", "settlements", "credit_minor",
        MOVED_CREDIT,
    ),
    "a net due off by one": (
        "true-up", "settlements", "net_due_minor",
        "select * replace (net_due_minor + 1 as net_due_minor) from rows",
    ),
    "a day's amount off by one": (
        "preliminary", "incremental_sales_days", "usage_layer_micro_minor",
        "select * replace (usage_layer_micro_minor + 1 as usage_layer_micro_minor) from rows",
    ),
    "a seller's sales off by one": (
        "true-up", "incremental_sales", "incremental_sales_minor",
        "select * replace (incremental_sales_minor + 1 as incremental_sales_minor) from rows",
    ),
    "a ledger entry of the other sign": (
        "preliminary", "ledger_entries", "amount_minor",
        "select * replace (-amount_minor as amount_minor) from rows",
    ),
    "two rows exchanged": (
        "round-4", "cleared_allocations", "granted_milli_ft3",
        EXCHANGED,
    ),
    "a missing row": (
        "round-4", "repriced_fees", "the row",
        "select * from rows where request_id <> (select min(request_id) from rows)",
    ),
    "a missing market round": (
        "round-4", "market_rounds", "the row",
        "select * from rows where round < 4",
    ),
    "an extra row": (
        "true-up", "settlements", "the row",
        "from rows union all (select * replace ('zzz' as request_id) from rows limit 1)",
    ),
    "a doubled row": (
        "round-1", "cleared_allocations", "the row",
        "from rows union all (from rows order by request_id limit 1)",
    ),
}  # fmt: skip
