"""The second computation of a round run: requests to grants to final fees (rules §§3–5).

Here belongs the order of the SQL steps and the two loops that are not rows: rounds, and sharings of
a contested fee. In go the temporary views ``published_round_requests``,
``published_market_rounds`` (its released volumes only) and ``announced_base_allocations``; out come
the temporary tables ``derived_round_requests``, ``derived_cleared_allocations``,
``derived_market_rounds``, ``derived_repriced_fees`` and ``derived_repricing_steps``.
"""

from __future__ import annotations

import duckdb

from orchestration.verification.statements import RunParameters, begin, number, run


def derive_rounds(connection: duckdb.DuckDBPyConnection, parameters: RunParameters) -> None:
    """Clear and reprice every round that had closed by the cut-off, all markets at once."""
    begin(connection, parameters)
    run(connection, "calendar", "round_requests", "market_rules", "revisions", "empty_results")
    closed = number(connection, "select count(*) from rounds where is_closed")
    for round_number in range(1, closed + 1):
        connection.execute(f"set variable round = {round_number}")
        _clear_round(connection)
    run(connection, "repricing")


def _clear_round(connection: duckdb.DuckDBPyConnection) -> None:
    run(connection, "book", "cap_walks")
    _walk(connection)
    run(connection, "trimmed_book", "market_walks")
    _walk(connection)
    run(connection, "round_grants", "round_results")


def _walk(connection: duckdb.DuckDBPyConnection) -> None:
    """Walk until no item is contested; ``walked`` and ``shared`` hold what came of it.

    Each pass settles the contested item that each walk stopped at, so passes never outnumber items.
    """
    run(connection, "empty_walk")
    while True:
        run(connection, "walk_running")
        if not number(connection, "select count(*) from walk_running where running > room"):
            run(connection, "walk_whole")
            return
        run(connection, "walk", "walked_items")
        contested = "select count(*) from walk_outcomes where outcome = 'contested'"
        if not number(connection, contested):
            return
        run(connection, "contested_members")
        _share(connection)
        run(connection, "waiting_items")


def _share(connection: duckdb.DuckDBPyConnection) -> None:
    """Share until nobody is short; every sharing settles an item or drops one of its members."""
    unsettled = "select count(*) from contested where not is_dropped and not is_settled"
    while number(connection, unsettled):
        run(connection, "share")
    connection.execute("insert into shared select walk, place, granted, is_dropped from contested")
