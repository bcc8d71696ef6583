"""Chosen sellers' figures from the catalogue: one query a table, however many sellers.

Here belong running the queries and sorting their rows by seller. What the rows are put together to
is ``collect``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.statements import queries

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
Seller = tuple[str, str]

TOP_DAYS = 5


@dataclass(frozen=True)
class SellerRows:
    """One seller's rows of one table, by storage type."""

    rows: Mapping[str, Sequence[Row]]

    def of(self, storage_type: str) -> Sequence[Row]:
        """The rows of one market, in the query's order."""
        return self.rows.get(storage_type, ())


@dataclass(frozen=True)
class Readings:
    """Rows of chosen sellers, by table and seller."""

    tables: Mapping[str, Mapping[Seller, SellerRows]]

    def of(self, table: str, seller: Seller) -> SellerRows:
        """One seller's rows of one table."""
        return self.tables[table].get(seller, SellerRows({}))


_QUERIES = {
    "bases": queries.BASES,
    "estimates": queries.ESTIMATES,
    "revisions": queries.REVISIONS,
    "rounds": queries.ROUNDS,
    "grants": queries.GRANTS,
    "steps": queries.STEPS,
    "sales": queries.SALES,
    "top_days": queries.TOP_DAYS,
    "settlements": queries.SETTLEMENTS,
}


def name_sellers(catalogue: duckdb.DuckDBPyConnection, quarter: str) -> int:
    """Find every seller that a quarter has a figure or a request of; how many there are."""
    catalogue.execute(queries.QUARTER_SELLERS, {"quarter": quarter})
    row = catalogue.execute("select count(*) from quarter_sellers").fetchone()
    return 0 if row is None else int(row[0])


def places_of(
    catalogue: duckdb.DuckDBPyConnection, seller_id: str, marketplace: str | None
) -> dict[str, int]:
    """The places of a seller id among the quarter's sellers, by marketplace."""
    rows = catalogue.execute(
        "select marketplace_id, place from quarter_sellers where seller_id = $seller "
        "and marketplace_id = coalesce($marketplace, marketplace_id) order by place",
        {"seller": seller_id, "marketplace": marketplace},
    ).fetchall()
    return {str(name): int(place) for name, place in rows}


def nearest_sellers(catalogue: duckdb.DuckDBPyConnection, seller_id: str) -> list[str]:
    """The quarter's seller ids most like one that it does not have."""
    rows = catalogue.execute(queries.NEAREST, {"seller": seller_id}).fetchall()
    return [str(row[1]) for row in rows]


def choose(catalogue: duckdb.DuckDBPyConnection, first: int, last: int) -> tuple[Seller, ...]:
    """Make the sellers of some places, both ends included, those that are read."""
    catalogue.execute(queries.CHOOSE, {"first": first, "last": last})
    rows = catalogue.execute("from chosen_sellers order by marketplace_id, seller_id").fetchall()
    return tuple((str(marketplace), str(seller)) for marketplace, seller in rows)


def read_chosen(catalogue: duckdb.DuckDBPyConnection, quarter: str) -> Readings:
    """Every figure of the chosen sellers."""
    return Readings({name: _by_seller(catalogue, sql, quarter) for name, sql in _QUERIES.items()})


def frame(catalogue: duckdb.DuckDBPyConnection, sql: str, quarter: str) -> pd.DataFrame:
    """One query's rows as columns for ``fbacap_logic``; whole numbers stay whole."""
    import pandas as pd
    import pyarrow as pa

    whole = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int64Dtype()}
    table = catalogue.sql(sql, params={"quarter": quarter}).to_arrow_table()
    return table.to_pandas(types_mapper=whole.get, date_as_object=False)


def currencies(catalogue: duckdb.DuckDBPyConnection) -> dict[str, tuple[str | None, int]]:
    """Each marketplace's currency, None where nothing published names it, and its decimals.

    Before the first settlement the requests tell the decimals; before the first request nothing
    published holds an amount but sales forecasts, and 2 is taken.
    """
    from iso4217 import Currency

    digits = dict(catalogue.execute(queries.DIGITS).fetchall())
    return {
        marketplace: (
            code,
            int(digits.get(marketplace, 2)) if code is None else Currency(code).exponent or 0,
        )
        for marketplace, code in catalogue.execute(queries.CURRENCIES).fetchall()
    }


def _by_seller(
    catalogue: duckdb.DuckDBPyConnection, sql: str, quarter: str
) -> dict[Seller, SellerRows]:
    parameters: dict[str, object] = {"quarter": quarter}
    if "$top_days" in sql:
        parameters["top_days"] = TOP_DAYS
    cursor = catalogue.execute(sql, parameters)
    names = [str(entry[0]) for entry in cursor.description or []][3:]
    found: dict[Seller, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for marketplace, seller, storage_type, *values in cursor.fetchall():
        found[marketplace, seller][storage_type].append(dict(zip(names, values, strict=True)))
    return {seller: SellerRows(dict(rows)) for seller, rows in found.items()}
