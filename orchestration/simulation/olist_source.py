"""Reading the Olist marketplace data, and refusing what is not it.

Here belong where the files are, which columns of them are used, and every complaint about them.
What the columns become is ``olist_tables``; what Olist lacks is made up by the modules after it.

Of the data set's files four are read. The fifth, the categories' English names, is not needed:
the few categories that decide a storage type are known by their own names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from orchestration.errors import BadInput

OLIST_VARIABLE = "FBACAP_OLIST"

_COLUMNS: dict[str, dict[str, str]] = {
    "order_items": {
        "order_id": "VARCHAR",
        "order_item_id": "INTEGER",
        "product_id": "VARCHAR",
        "seller_id": "VARCHAR",
        "price": "DOUBLE",
    },
    "orders_recovered": {
        "order_id": "VARCHAR",
        "purchase_date_est": "DATE",
        "purchase_ts_true": "TIMESTAMP",
    },
    "products": {
        "product_id": "VARCHAR",
        "product_category_name": "VARCHAR",
        "product_length_cm": "INTEGER",
        "product_height_cm": "INTEGER",
        "product_width_cm": "INTEGER",
    },
    "sellers": {"seller_id": "VARCHAR"},
}


class _Complaint(NamedTuple):
    """What may be wrong with the data: the query names what offends, the sentence says so."""

    table: str
    query: str
    sentence: str


_COMPLAINTS = (
    _Complaint(
        "order_items",
        "select 'no row' where not exists (from source.order_items)",
        "holds no order lines",
    ),
    _Complaint(
        "order_items",
        """select concat_ws('-', coalesce(order_id, '?'), coalesce(order_item_id::varchar, '?'))
        from source.order_items
        where order_id is null or order_item_id is null
          or product_id is null or seller_id is null""",
        "has lines without order, line number, product or seller",
    ),
    _Complaint(
        "order_items",
        """select order_id || '-' || order_item_id from source.order_items
        group by order_id, order_item_id having count(*) > 1""",
        "has the same line of an order more than once",
    ),
    _Complaint(
        "order_items",
        """select order_id || '-' || order_item_id from source.order_items
        where price is null or isnan(price) or price < 0 or price >= 1e9""",
        "has prices that are missing, negative or a billion and more",
    ),
    _Complaint(
        "orders_recovered",
        """select coalesce(order_id, '?') from source.orders_recovered
        group by order_id having count(*) > 1 or order_id is null""",
        "has orders more than once, or without an id",
    ),
    _Complaint(
        "orders_recovered",
        """select distinct order_id from source.order_items anti join (
          from source.orders_recovered
          where coalesce(purchase_ts_true, purchase_date_est::timestamp) is not null
        ) using (order_id)""",
        "lacks orders, or their dates, that order_items has lines of",
    ),
    _Complaint(
        "products",
        """select coalesce(product_id, '?') from source.products
        group by product_id having count(*) > 1 or product_id is null""",
        "has products more than once, or without an id",
    ),
    _Complaint(
        "products",
        "select distinct product_id from source.order_items anti join source.products"
        " using (product_id)",
        "lacks products that order_items has lines of",
    ),
    _Complaint(
        "products",
        """select 'no row' where not exists (
          from source.products
          where least(product_length_cm, product_height_cm, product_width_cm) > 0
          and product_length_cm + product_height_cm + product_width_cm is not null)""",
        "has no product with dimensions",
    ),
    _Complaint(
        "sellers",
        "select distinct seller_id from source.order_items anti join source.sellers"
        " using (seller_id)",
        "lacks sellers that order_items has lines of",
    ),
)


def olist_folder() -> Path:
    """Where the Olist files are looked for: ``FBACAP_OLIST``, else beside the repository."""
    named = os.environ.get(OLIST_VARIABLE)
    if named:
        return Path(named)
    return Path(__file__).resolve().parents[3] / "shared" / "data" / "olist"


def read_source(connection: duckdb.DuckDBPyConnection, source: Path) -> None:
    """Load what is used of the Olist files into schema ``source``, and check it.

    Raises:
        BadInput: the folder, a file or a column is missing, a file cannot be read, or its rows
            contradict each other; the sentence names the file.
    """
    if not source.is_dir():
        raise BadInput(
            f"there is no folder {source} with the Olist files; name it in {OLIST_VARIABLE}"
        )
    connection.execute("create schema source")
    for table, columns in _COLUMNS.items():
        _load(connection, source / f"{table}.parquet", table, columns)
    for complaint in _COMPLAINTS:
        _complain(connection, source / f"{complaint.table}.parquet", complaint)


def _load(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, columns: dict[str, str]
) -> None:
    if not path.is_file():
        raise BadInput(f"{path} is missing; the Olist data set is read as Parquet files")
    try:
        described = _rows(connection, "describe select * from read_parquet(?)", [str(path)])
        missing = sorted(set(columns) - {name for name, *_ in described})
        if missing:
            raise BadInput(
                f"{path} lacks column {', '.join(missing)}; deliver the Olist file as published"
            )
        casts = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in columns.items())
        connection.execute(
            f"create table source.{table} as select {casts} from read_parquet(?)", [str(path)]
        )
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(
            f"{path} cannot be read as the Olist file of that name ({reason}); fetch it again"
        ) from error


def _complain(connection: duckdb.DuckDBPyConnection, path: Path, complaint: _Complaint) -> None:
    (row,) = _rows(
        connection, f"select count(*), min(what) from ({complaint.query}) as offenders(what)"
    )
    count, example = row
    if count:
        raise BadInput(
            f"{path} {complaint.sentence} (first of {count}: {example});"
            " deliver the Olist files of one and the same release"
        )


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: list[Any] | None = None
) -> list[tuple[Any, ...]]:
    return connection.execute(query, values or []).fetchall()
