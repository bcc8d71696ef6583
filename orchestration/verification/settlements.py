"""The second computation of a settlement run: days to credits to net dues (rules §§6–7).

Here belongs the order of the SQL steps. In go the temporary views ``published_repriced_fees`` (of
the round run that is settled), ``published_incremental_sales_days`` (net sales and used volume
only), ``published_settlements`` (currencies only), ``published_round_requests``,
``announced_base_allocations`` and ``settled_before``; out come ``derived_round_requests``,
``derived_incremental_sales_days``, ``derived_incremental_sales``, ``derived_settlements`` and
``derived_ledger_entries``.
"""

from __future__ import annotations

import duckdb

from orchestration.verification.statements import RunParameters, begin, run


def derive_settlement(connection: duckdb.DuckDBPyConnection, parameters: RunParameters) -> None:
    """Attribute, credit and settle every grant of the quarter."""
    begin(connection, parameters)
    run(connection, "calendar", "round_requests", "settled_days", "incremental_sales")
    run(connection, "credits", "settlements", "ledger_entries")


def derive_credits(connection: duckdb.DuckDBPyConnection, parameters: RunParameters) -> None:
    """Credit every grant from ``derived_incremental_sales`` as it stands."""
    begin(connection, parameters)
    run(connection, "credits")


def derive_day_amounts(connection: duckdb.DuckDBPyConnection, parameters: RunParameters) -> None:
    """Attribute the days of ``settled_days`` as they stand, and sum them."""
    begin(connection, parameters)
    run(connection, "incremental_sales")
