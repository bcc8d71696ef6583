"""What times mean, and when a delivered row counts as received (rules §1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from ingest_examples import (
    GOOD,
    RECEIVED_AT,
    deliver,
    order_row,
    orders,
    rows,
    take_in,
    write_parquet,
)

from orchestration.landing import receive


def test_parquet_times_with_an_offset_or_in_other_precisions_are_taken_as_utc(tmp_path):
    write_parquet(
        tmp_path / "in" / "refunds.parquet",
        "select 'r1' as refund_id, 'o1' as order_line_id, 5 as amount,"
        " timestamptz '2026-07-09 10:00:00+02' as refunded_at,"
        " timestamp_ns '2026-07-10 00:00:00.000001' as received_at",
    )
    (file,) = take_in(tmp_path / "in", tmp_path / "landing").files
    assert rows(file, "cast(refunded_at as varchar), cast(received_at as varchar), amount") == [
        ("2026-07-09 08:00:00", "2026-07-10 00:00:00.000001", Decimal("5.00"))
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01T10:00:00Z", "2026-07-01 10:00:00"),
        ("2026-07-01T10:00:00+02:00", "2026-07-01 08:00:00"),
        ("2026-07-01 10:00:00.123456-0530", "2026-07-01 15:30:00.123456"),
        ("2026-07-01T10:00", "2026-07-01 10:00:00"),
        ("2026-07-01T00:30:00+02", "2026-06-30 22:30:00"),
    ],
)
def test_times_heed_their_offset_and_are_utc_without_one(tmp_path, text, expected):
    content = orders(order_row(ordered_at=text))
    (file,) = take_in(deliver(tmp_path / "in", order_lines=content), tmp_path / "landing").files
    assert rows(file, "cast(ordered_at as varchar)") == [(expected,)]


def test_a_files_own_received_at_comes_first_even_in_a_historical_delivery(tmp_path):
    content = (
        "refund_id,order_line_id,refunded_at,amount,received_at\n"
        "r1,o1,2026-07-09T08:00:00Z,1,2026-07-10T02:00:00+02:00\n"
        "r2,o1,2026-07-09T08:00:00Z,1,2026-07-11 00:00:00\n"
    )
    source = deliver(tmp_path / "in", refunds=content)
    (file,) = take_in(source, tmp_path / "landing", historical=True).files
    assert file.received_at_min == datetime(2026, 7, 10)  # noqa: DTZ001
    assert file.received_at_max == datetime(2026, 7, 11)  # noqa: DTZ001


def test_rows_without_their_own_time_count_as_received_with_the_delivery(tmp_path):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    when = datetime(2026, 8, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    delivery = receive(source, tmp_path / "landing", received_at=when)
    assert delivery.received_at == datetime(2026, 7, 31, 23)  # noqa: DTZ001
    assert delivery.files[0].received_at_min == delivery.received_at
    assert rows(delivery.files[0], "received_at") == [(delivery.received_at,)]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("order_lines", "2026-07-01 10:00:00"),
        ("refunds", "2026-07-09 08:00:00"),
        ("capacity_requests", "2026-08-25 09:00:00"),
        ("inventory_snapshots", "2026-07-31 23:59:59.999999"),
        ("sellers", "2024-03-05 00:00:00"),
        ("products", "1970-01-01 00:00:00"),
        ("marketplaces", "1970-01-01 00:00:00"),
        ("network_capacity", "2026-01-01 00:00:00"),
        ("round_supply", "2026-01-01 00:00:00"),
    ],
)
def test_historical_rows_count_as_received_when_they_happened(tmp_path, table, expected):
    source = deliver(tmp_path / "in", **{table: GOOD[table]})
    delivery = take_in(source, tmp_path / "landing", historical=True)
    assert delivery.historical
    assert rows(delivery.files[0], "cast(received_at as varchar)")[0] == (expected,)


def test_a_naive_time_of_receipt_is_utc(tmp_path):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    naive = RECEIVED_AT.replace(tzinfo=None)
    delivery = receive(source, tmp_path / "landing", received_at=naive)
    assert delivery.received_at.replace(tzinfo=UTC) == RECEIVED_AT
