"""The row hash: values decide, order does not."""

import hashlib

import duckdb
import pytest

from orchestration.row_hash import row_hash

COLUMNS = ["id", "amount", "day", "moment", "yes"]


def hashed(*rows: str) -> str:
    with duckdb.connect() as connection:
        connection.execute(
            "create table t (id varchar, amount bigint, day date, moment timestamp, yes boolean)"
        )
        for row in rows:
            connection.execute(f"insert into t values {row}")
        return row_hash(connection, "t", COLUMNS)


FIRST = "('a', 1, '2026-10-01', '2026-10-01 12:00:00.000001', true)"
SECOND = "('b', null, null, null, null)"


def test_the_order_of_rows_does_not_matter():
    assert hashed(FIRST, SECOND) == hashed(SECOND, FIRST)


@pytest.mark.parametrize(
    "changed",
    [
        "('A', 1, '2026-10-01', '2026-10-01 12:00:00.000001', true)",
        "('a', 2, '2026-10-01', '2026-10-01 12:00:00.000001', true)",
        "('a', 1, '2026-10-02', '2026-10-01 12:00:00.000001', true)",
        "('a', 1, '2026-10-01', '2026-10-01 12:00:00.000002', true)",
        "('a', 1, '2026-10-01', '2026-10-01 12:00:00.000001', null)",
    ],
)
def test_any_changed_value_changes_it(changed):
    assert hashed(FIRST, SECOND) != hashed(changed, SECOND)


def test_a_missing_a_repeated_and_no_row_differ():
    assert len({hashed(), hashed(FIRST), hashed(FIRST, FIRST), hashed(FIRST, SECOND)}) == 4


def test_null_is_not_the_text_that_stands_for_it():
    with duckdb.connect() as connection:
        connection.execute("create table n (v varchar)")
        connection.execute("insert into n values (null)")
        null = row_hash(connection, "n", ["v"])
        connection.execute("update n set v = '-'")
        assert row_hash(connection, "n", ["v"]) != null


def test_it_can_be_recomputed_without_the_engine():
    values = ["a", "1", "2026-10-01", "1790856000000001", "true"]
    text = "".join(f"{len(value.encode())}:{value}" for value in values)
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    high = int.from_bytes(digest[:8], "little")
    low = int.from_bytes(digest[8:], "little")
    assert hashed(FIRST) == f"md5sum:{high:016x}{low:016x}:1"
