"""The Olist importer: real orders as a delivery, with what Olist lacks made up beside them.

Here belongs the order of the steps and the note that says what is real and what is not. Orders,
sellers and products are real (``olist_tables``); stock, capacity, supply and requests are simulated
from them (``olist_stock``, ``olist_market``, ``olist_requests``), reproducibly from a seed. Olist
knows no refunds, so none are delivered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from fbacap_logic.policy import Policy
from orchestration.engine import engine
from orchestration.simulation.olist_market import (
    NETWORK_CAPACITY_SQL,
    ROUND_SUPPLY_SQL,
    build_offers,
    build_pools,
)
from orchestration.simulation.olist_mistakes import add_mistakes
from orchestration.simulation.olist_requests import build_requests
from orchestration.simulation.olist_source import olist_folder, read_source
from orchestration.simulation.olist_stock import INVENTORY_SNAPSHOTS_SQL, build_stock, build_units
from orchestration.simulation.olist_tables import (
    MARKETPLACE_ID,
    MARKETPLACES_SQL,
    ORDER_LINES_SQL,
    PRODUCTS_SQL,
    SELLERS_SQL,
    Facts,
    build_tables,
)
from orchestration.simulation.writing import DELIVERY_NOTE, Summary, summary_of, write_input

__all__ = ["olist_folder", "write_olist_delivery"]

SOURCE = "Olist marketplace orders, Brazil 2016-2018 (CC BY-NC-SA 4.0)"

SIMULATED = {
    "capacity_requests": (
        "sellers whose real coming quarter exceeds their estimated base bid the break-even fee of"
        " their real sales per cubic foot, known with noise; one mistake of each kind a quarter"
    ),
    "inventory_snapshots": (
        "stock held ahead of the real sales: six weeks, up to a quarter by sellers that win space;"
        " one product in twelve keeps an unsold unit for four months"
    ),
    "network_capacity": (
        "pools from the real volume of the 13 weeks before each announcement, 15 % short of the"
        " targets in 2017Q4 and 2018Q1, slack otherwise"
    ),
    "round_supply": "the requests' space released 40, 25, 20 and 15 % over the four rounds",
}
"""The tables that are made up, and how, each in a sentence."""

# Fees and volumes of requests are made in millionths, which is what their columns hold.
_CAPACITY_REQUESTS_SQL = f"""
select request_id, revision, '{MARKETPLACE_ID}' as marketplace_id, seller_id, storage_type, quarter,
  fee_micro as max_fee_per_ft3, requested_micro_ft3 as requested_ft3,
  minimum_micro_ft3 as minimum_ft3, submitted_at, withdrawn, received_at
from requests order by request_id, revision, received_at
"""

_TABLES = {
    "marketplaces": MARKETPLACES_SQL,
    "sellers": SELLERS_SQL,
    "products": PRODUCTS_SQL,
    "order_lines": ORDER_LINES_SQL,
    "inventory_snapshots": INVENTORY_SNAPSHOTS_SQL,
    "network_capacity": NETWORK_CAPACITY_SQL,
    "round_supply": ROUND_SUPPLY_SQL,
    "capacity_requests": _CAPACITY_REQUESTS_SQL,
}


def write_olist_delivery(source: Path, directory: Path, *, seed: int = 2018) -> Summary:
    """Write the Olist data as a delivery: eight input tables as Parquet, and a note.

    Same files, same seed: same bytes. ``_delivery.json`` says which tables are simulated and how.

    Args:
        source: the folder of the Olist files (``olist_folder()`` finds the usual one).
        directory: where the delivery goes; made if it is not there.
        seed: of everything that is made up; real tables do not depend on it.

    Raises:
        BadInput: a file or a column of ``source`` is missing, or unfit; nothing was written.
    """
    policy = Policy()
    request_stream, stock_stream = (
        np.random.Generator(np.random.PCG64(stream))
        for stream in np.random.SeedSequence(seed).spawn(2)
    )
    with engine() as connection:
        read_source(connection, source)
        facts = build_tables(connection, policy)
        build_requests(connection, policy, request_stream)
        build_offers(connection)
        build_units(connection, stock_stream)
        build_pools(connection, policy)
        build_stock(connection)
        add_mistakes(connection)
        rows = {
            table: write_input(directory, table, _columns(connection, query))
            for table, query in _TABLES.items()
        }
    _write_note(directory, facts, seed)
    return summary_of(rows)


def _columns(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    table = connection.sql(query).to_arrow_table()
    # The writer takes plain integers as units of a decimal's last digit, Arrow's as whole numbers.
    return {
        name: column.to_numpy() if pa.types.is_integer(column.type) else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _write_note(directory: Path, facts: Facts, seed: int) -> None:
    note = {
        "first_order_day": facts.first_order_day.isoformat(),
        "notes": [
            "order times are the true ones where known, else noon of the recovered date",
            f"volume is the category's median where unknown: {facts.median_volumes}",
        ],
        "seed": seed,
        "simulated": SIMULATED,
        "source": SOURCE,
    }
    text = json.dumps(note, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (directory / DELIVERY_NOTE).write_text(text, encoding="utf-8")
