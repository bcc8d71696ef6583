"""Small deliveries for the tests of ingest: good rows of every table, and ways to write them.

Here belong rows and files; what taking them in must do is asserted in the tests beside this module.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.errors import BadInput
from orchestration.landing import Delivery, LandedFile, receive

RECEIVED_AT = datetime(2026, 8, 19, 12, tzinfo=UTC)

GOOD = {
    "marketplaces": "marketplace_id,currency\nUS,USD\n",
    "sellers": "marketplace_id,seller_id,account_type,joined_on\nUS,s1,professional,2024-03-05\n",
    "products": (
        "marketplace_id,seller_id,sku,storage_type,unit_volume_ft3\nUS,s1,mug,standard,0.05\n"
    ),
    "order_lines": (
        "order_line_id,marketplace_id,seller_id,sku,ordered_at,units,revenue\n"
        "o1,US,s1,mug,2026-07-01T10:00:00Z,2,19.90\n"
        "o2,US,s1,mug,2026-07-02T10:00:00Z,1,9.95\n"
    ),
    "refunds": "refund_id,order_line_id,refunded_at,amount\nr1,o1,2026-07-09T08:00:00Z,9.95\n",
    "inventory_snapshots": (
        "snapshot_date,marketplace_id,seller_id,sku,on_hand_units,inbound_units,stranded_units\n"
        "2026-07-31,US,s1,mug,100,20,3\n"
    ),
    "network_capacity": (
        "marketplace_id,storage_type,quarter,network_ft3,request_ft3\n"
        "US,standard,2026Q4,1000.5,100\n"
    ),
    "round_supply": (
        "marketplace_id,storage_type,quarter,round,released_ft3\nUS,standard,2026-10-01,1,40\n"
    ),
    "capacity_requests": (
        "request_id,revision,marketplace_id,seller_id,storage_type,quarter,max_fee_per_ft3,"
        "requested_ft3,minimum_ft3,submitted_at,withdrawn\n"
        "q1,1,US,s1,standard,2026Q4,6.00,5000,0,2026-08-25T09:00:00Z,false\n"
    ),
}

ORDER_HEADER = GOOD["order_lines"].splitlines(keepends=True)[0]

AGAIN = "; correct it and deliver the file again"
TABLES = (
    "(tables: capacity_requests, inventory_snapshots, marketplaces, network_capacity, "
    "order_lines, products, refunds, round_supply, sellers)"
)
TIME = "is not a time in ISO 8601, to the microsecond at most, as 2026-08-20T13:45:00Z"


def order_row(order_line_id: str = "o1", **values: str) -> str:
    """A line of order_lines.csv, good unless a value says otherwise."""
    good = {
        "order_line_id": order_line_id,
        "marketplace_id": "US",
        "seller_id": "s1",
        "sku": "mug",
        "ordered_at": "2026-07-01T10:00:00Z",
        "units": "2",
        "revenue": "19.90",
    }
    return ",".join((good | values).values()) + "\n"


def orders(*rows: str) -> str:
    """An order_lines.csv of these lines."""
    return ORDER_HEADER + "".join(rows)


def deliver(source: Path, **files: str | bytes) -> Path:
    """A folder with one CSV file a table; ``a__b`` stands for the file ``a/b``."""
    source.mkdir(exist_ok=True)
    for name, content in files.items():
        path = source / f"{name.replace('__', '/')}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return source


def write_parquet(path: Path, select: str) -> None:
    """A Parquet file of a SELECT's rows, with its types."""
    path.parent.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"copy ({select}) to '{path}' (format parquet)")


def take_in(
    source: Path, landing: Path, *, historical: bool = False, strict: bool = False
) -> Delivery:
    """Receive a folder at the usual time, without waiting for anyone."""
    return receive(
        source, landing, received_at=RECEIVED_AT, historical=historical, strict=strict, wait=False
    )


def refusal(source: Path, landing: Path, *, strict: bool = False) -> str:
    """The sentence with which a delivery is refused, after seeing that nothing of it stayed."""
    before = contents(landing)
    with pytest.raises(BadInput) as caught:
        take_in(source, landing, strict=strict)
    assert contents(landing) == before
    return str(caught.value)


def bad_row_refusal(source: Path, landing: Path) -> str:
    """The sentence with which a strict delivery is refused for its first bad row.

    Also sees that an ordinary delivery says the same of that row: when it keeps the row apart, or
    when it is refused because too few of the file's rows are good.
    """
    strict = refusal(source, landing, strict=True)
    told = re.sub(r"( \([0-9]+ more [^)]*\))?; (correct it|keep one of them) .*$", "", strict)
    trials = len(list(landing.parent.glob("ordinary-*")))
    said = ""
    try:
        delivery = take_in(source, landing.parent / f"ordinary-{trials}")
    except BadInput as error:
        said = str(error)
    if said:
        assert said.startswith(f"{told}; ")
        assert "is good" in said or "that are kept apart" in said
    else:
        assert told in [row["sentence"] for file in delivery.files for row in apart(file)]
    return strict


def refused_orders(tmp_path: Path, content: str | bytes) -> str:
    """The sentence with which an order_lines.csv of this content is refused."""
    return refusal(deliver(tmp_path / "in", order_lines=content), tmp_path / "landing")


def bad_orders_refusal(tmp_path: Path, content: str | bytes) -> str:
    """The sentence with which an order_lines.csv is strictly refused for its first bad row."""
    return bad_row_refusal(deliver(tmp_path / "in", order_lines=content), tmp_path / "landing")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, the zone's lock aside."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def rows(file: LandedFile, columns: str = "*") -> list[tuple]:
    """Rows of a typed copy, in the file's own order."""
    with duckdb.connect() as connection:
        return connection.execute(
            f"select {columns} from read_parquet('{file.typed_path}')"
        ).fetchall()


def apart(file: LandedFile) -> list[dict]:
    """The rows of a file that were kept apart, in the file's order."""
    if file.quarantine_path is None:
        return []
    with duckdb.connect() as connection:
        found = connection.execute(f"select * from read_parquet('{file.quarantine_path}')")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def types(file: LandedFile) -> list[tuple[str, str]]:
    """Names and types of a typed copy's columns."""
    with duckdb.connect() as connection:
        described = connection.execute(f"describe select * from '{file.typed_path}'").fetchall()
    return [(row[0], row[1]) for row in described]
