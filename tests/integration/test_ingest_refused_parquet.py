"""Parquet files that cannot be taken without loss, and the sentence that says why."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingest_examples import (
    AGAIN,
    TIME,
    bad_row_refusal,
    refusal,
    write_parquet,
)


@pytest.fixture
def landing(tmp_path):
    return tmp_path / "landing"


def parquet_of(tmp_path, table, **values):
    good = {
        "refunds": {
            "refund_id": "'r1'",
            "order_line_id": "'o1'",
            "refunded_at": "timestamp '2026-07-09 08:00:00'",
            "amount": "cast(9.95 as decimal(18,2))",
        },
        "sellers": {
            "marketplace_id": "'US'",
            "seller_id": "'s1'",
            "account_type": "'individual'",
            "joined_on": "date '2024-03-05'",
        },
    }
    cells = ", ".join(f"{value} as {name}" for name, value in (good[table] | values).items())
    write_parquet(tmp_path / "in" / f"{table}.parquet", f"select {cells}")
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("table", "column", "value", "sentence"),
    [
        (
            *("refunds", "amount", "9.95::double"),
            (
                "refunds.parquet: column amount is DOUBLE, which cannot be taken for DECIMAL(18,2) "
                "without loss; write it as DECIMAL(18,2)"
            ),
        ),
        (
            *("refunds", "refund_id", "7"),
            (
                "refunds.parquet: column refund_id is INTEGER, which cannot be taken for VARCHAR "
                "without loss; write it as VARCHAR"
            ),
        ),
        (
            *("refunds", "refunded_at", "date '2026-07-09'"),
            (
                "refunds.parquet: column refunded_at is DATE, which cannot be taken for TIMESTAMP "
                "without loss; write it as TIMESTAMP"
            ),
        ),
        (
            *("refunds", "refund_id", "['r1']"),
            (
                "refunds.parquet: column refund_id is VARCHAR[], which cannot be taken for VARCHAR "
                "without loss; write it as VARCHAR"
            ),
        ),
        (
            *("refunds", "amount", "9.955::decimal(18,3)"),
            "refunds.parquet, row 1, column amount: '9.955' has more than 2 decimal places" + AGAIN,
        ),
        (
            *("refunds", "amount", "'Infinity'"),
            "refunds.parquet, row 1, column amount: 'Infinity' is not a number in plain digits"
            + AGAIN,
        ),
        (
            *("refunds", "refunded_at", "timestamp_ns '2026-07-09 08:00:00.000000001'"),
            (
                "refunds.parquet, row 1, column refunded_at: '2026-07-09 08:00:00.000000001' "
                f"{TIME}{AGAIN}"
            ),
        ),
        (
            *("refunds", "refunded_at", "timestamp 'infinity'"),
            f"refunds.parquet, row 1, column refunded_at: 'infinity' {TIME}{AGAIN}",
        ),
        (
            *("refunds", "refund_id", "''"),
            "refunds.parquet, row 1, refund_id is '': refund_id has at least 1 character" + AGAIN,
        ),
        (
            *("refunds", "refund_id", "null::varchar"),
            "refunds.parquet, row 1, column refund_id: the value is missing" + AGAIN,
        ),
        (
            *("sellers", "joined_on", "timestamp '2024-03-05 00:00:01'"),
            "sellers.parquet, row 1, column joined_on: '2024-03-05 00:00:01' is not a day as "
            "2026-08-20" + AGAIN,
        ),
    ],
)
def test_a_parquet_column_that_would_lose_something_is_refused(
    tmp_path, landing, table, column, value, sentence
):
    source = parquet_of(tmp_path, table, **{column: value})
    judge = bad_row_refusal if ", row 1" in sentence else refusal
    assert judge(source, landing) == sentence


@pytest.mark.parametrize("keep", [0, 3, 60, -1])
def test_a_parquet_file_that_is_not_whole_is_refused(tmp_path, landing, keep):
    path = parquet_of(tmp_path, "refunds") / "refunds.parquet"
    path.write_bytes(path.read_bytes()[:keep])
    assert refusal(path.parent, landing) == (
        "refunds.parquet is not a whole Parquet file; it may be cut off: deliver it again"
        if keep
        else "refunds.parquet is empty; deliver it with its rows"
    )


def test_a_parquet_file_whose_rows_cannot_be_read_is_refused(tmp_path, landing):
    path = parquet_of(tmp_path, "refunds") / "refunds.parquet"
    content = bytearray(path.read_bytes())
    content[4:40] = b"\xff" * 36  # the first page; the footer still describes it
    path.write_bytes(content)
    assert refusal(path.parent, landing) == (
        "refunds.parquet is not a whole Parquet file; it may be cut off: deliver it again"
    )


def test_a_parquet_column_that_stands_twice_is_named(tmp_path, landing):
    table = pa.table([["US"], ["USD"], ["USD"]], ["marketplace_id", "currency", "currency"])
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "marketplaces.parquet")
    assert refusal(tmp_path / "in", landing) == (
        "marketplaces.parquet: column currency stands twice; keep one of them"
    )


def test_a_decimal_column_that_says_two_scales_is_refused(tmp_path, landing):
    path = parquet_of(tmp_path, "refunds") / "refunds.parquet"
    pq.write_table(pq.read_table(path), path)
    scale = b"amount\x25\x0a\x15"  # the name; field 6, DECIMAL; field 7, the scale, zigzag
    content = path.read_bytes()
    assert content.count(scale + b"\x04") == 1
    path.write_bytes(content.replace(scale + b"\x04", scale + b"\x02"))
    assert pq.read_schema(path).field("amount").type == pa.decimal128(18, 2)
    assert refusal(path.parent, landing) == (
        "refunds.parquet: column 'amount' is DECIMAL(18,2) and DECIMAL(18,1) in one footer; "
        "write the file again"
    )


def test_a_value_is_judged_by_itself_whatever_the_files_statistics_say(tmp_path, landing):
    beyond = 2**40
    rows = pa.table(
        {
            "request_id": ["q1"], "revision": pa.array([beyond], pa.int64()),
            "marketplace_id": ["US"], "seller_id": ["s1"], "storage_type": ["standard"],
            "quarter": [date(2026, 10, 1)], "max_fee_per_ft3": [Decimal("6.00")],
            "requested_ft3": [Decimal("5000")], "minimum_ft3": [Decimal("0")],
            "submitted_at": pa.array([datetime(2026, 8, 1)], pa.timestamp("us")),  # noqa: DTZ001
            "withdrawn": [False],
        }
    )  # fmt: skip
    path = tmp_path / "in" / "capacity_requests.parquet"
    path.parent.mkdir()
    pq.write_table(rows, path)
    content = path.read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    true, false = (value.to_bytes(8, "little") for value in (beyond, 1))
    assert content.count(true, footer) == 4
    path.write_bytes(content[:footer] + content[footer:].replace(true, false))
    assert pq.ParquetFile(path).metadata.row_group(0).column(1).statistics.max == 1
    assert bad_row_refusal(path.parent, landing) == (
        "capacity_requests.parquet, row 1, column revision: '1099511627776' is out of the range of "
        "INTEGER" + AGAIN
    )


def test_a_column_that_a_data_frame_wrote_without_any_value_is_as_one_left_empty(tmp_path, landing):
    path = parquet_of(tmp_path, "refunds") / "refunds.parquet"
    table = pq.read_table(path).set_column(1, "order_line_id", pa.nulls(1))
    pq.write_table(table, path)
    assert bad_row_refusal(path.parent, landing) == (
        "refunds.parquet, row 1, column order_line_id: the value is missing" + AGAIN
    )


def test_a_parquet_file_without_rows_is_refused(tmp_path, landing):
    select = "select 'US' as marketplace_id, 'USD' as currency where false"
    write_parquet(tmp_path / "in" / "marketplaces.parquet", select)
    assert refusal(tmp_path / "in", landing) == (
        "marketplaces.parquet has no rows; deliver marketplaces with its rows, or leave it out"
    )
