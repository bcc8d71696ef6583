"""Whatever is delivered, every row is accepted, superseded or quarantined, and none is lost."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from delivery_strategies import Line, deliveries, good_rows, sku, write
from hypothesis import given
from proof_effort import examples

from orchestration.contracts import load_contract
from orchestration.errors import BadInput
from orchestration.landing import check_landing, landed_files, preparing, receive
from orchestration.landing.accounts import Account, accounts
from orchestration.landing.quarantine import quarantined_rows
from orchestration.landing.release import release

FIRST = datetime.fromisoformat("2026-08-19")


def take_in(source: Path, landing: Path, number: int) -> None:
    receive(source, landing, received_at=FIRST + timedelta(days=number))


def typed_rows(landing: Path) -> list[tuple]:
    paths = [str(file.typed_path) for file in landed_files(landing)]
    if not paths:
        return []
    with duckdb.connect() as connection:
        return connection.execute(
            "select order_line_id, cast(units as varchar), sku, cast(received_at as varchar) "
            "from read_parquet(?) order by all",
            [paths],
        ).fetchall()


@contextmanager
def loosened_contract():
    """Order lines of no units are good: as after an edit of the contract."""
    contract = load_contract("order_lines")
    rules = tuple(
        replace(rule, sql="units >= 0") if rule.name == "units_minimum" else rule
        for rule in contract.rules
    )
    loose = replace(contract, rules=rules)
    with patch.object(preparing, "load_contract", lambda _table: loose):
        yield


def the_account(landing: Path) -> Account:
    (account,) = accounts(landing)
    assert account.received_rows == (
        account.accepted_rows + account.superseded_rows + account.quarantined_rows
    )
    assert account.quarantined_rows == account.open_rows + account.dismissed_rows
    return account


def taken(contents: list[list[list[Line]]], landing: Path, folder: Path) -> list[list[list[Line]]]:
    """Take deliveries in; the good rows of those that are not refused."""
    good = []
    for number, delivery in enumerate(contents):
        source = write(folder, number, delivery)
        rows = good_rows(delivery)
        if rows is None:
            with pytest.raises(BadInput):
                take_in(source, landing, number)
        else:
            take_in(source, landing, number)
        good.append(rows or [])
    return good


@examples(20)
@given(deliveries)
def test_every_row_received_is_accepted_superseded_or_quarantined(contents):
    with tempfile.TemporaryDirectory() as name:
        folder, landing = Path(name), Path(name) / "landing"
        good = taken(contents, landing, folder)
        expected = sorted(
            (row.order_line_id, row.units, sku(number, place), str(FIRST + timedelta(days=number)))
            for number, delivery in enumerate(good)
            for place, rows in enumerate(delivery)
            for row in rows
        )
        assert typed_rows(landing) == expected
        assert check_landing(landing) == ()
        if not landed_files(landing):
            return
        received = sum(
            len(rows) for delivery, kept in zip(contents, good, strict=True) if kept
            for rows in delivery
        )  # fmt: skip
        keys = {row[0] for row in expected}
        account = the_account(landing)
        assert account.received_rows == received
        assert account.accepted_rows == len(keys)
        assert account.superseded_rows == len(expected) - len(keys)
        assert account.open_rows == received - len(expected)


@examples(10)
@given(deliveries)
def test_what_is_taken_in_is_what_would_be_had_the_bad_rows_never_been_there(contents):
    with tempfile.TemporaryDirectory() as name:
        folder, landing = Path(name), Path(name) / "landing"
        good = taken(contents, landing, folder)
        clean, other = folder / "clean", Path(name) / "other"
        for number, delivery in enumerate(good):
            if any(delivery):
                take_in(write(clean, number, delivery), other, number)
        assert typed_rows(landing) == typed_rows(other)


@examples(8)
@given(deliveries)
def test_a_release_loses_no_row_and_takes_none_in_twice(contents):
    with tempfile.TemporaryDirectory() as name:
        folder, landing = Path(name), Path(name) / "landing"
        taken(contents, landing, folder)
        waiting = [row.row_id for row in quarantined_rows(landing)]
        if not waiting:
            return
        before, rows_before = the_account(landing), len(typed_rows(landing))
        unchanged = release(landing, waiting, received_at=FIRST + timedelta(days=9))
        assert unchanged.released == ()
        with loosened_contract():
            done = release(landing, waiting, received_at=FIRST + timedelta(days=9))
        assert set(done.released) | {row_id for row_id, _ in done.kept} == set(waiting)
        assert len(typed_rows(landing)) == rows_before + len(done.released)
        after = the_account(landing)
        assert after.received_rows == before.received_rows
        assert after.open_rows == before.open_rows - len(done.released)
        released = {row.row_id: row for row in quarantined_rows(landing) if row.state == "released"}
        assert set(released) == set(done.released)
        assert all(row.cells["units"] == "0" for row in released.values())
        keys = [row.cells["order_line_id"] for row in released.values()]
        assert len(keys) == len(set(keys))
        assert check_landing(landing) == ()
