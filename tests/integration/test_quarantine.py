"""Rows that break their contract are kept apart, and everything else lands."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
from ingest_examples import (
    GOOD,
    apart,
    contents,
    deliver,
    order_row,
    orders,
    refusal,
    refused_orders,
    rows,
    take_in,
    write_parquet,
)

from orchestration.contracts import Rule, load_contract
from orchestration.errors import Corrupted
from orchestration.landing import check_landing, landed_files, preparing, zone

MIXED = orders(
    order_row("o1"),
    order_row("o2", units="two", revenue="-1"),
    order_row("o3", sku='"a\nb"'),
    order_row("o4"),
    order_row("o1", sku="=cmd|' /C calc'!A0"),
    order_row("o5"),
)


@pytest.fixture
def landing(tmp_path):
    return tmp_path / "landing"


def test_a_bad_row_is_kept_with_its_place_rules_sentence_and_cells(tmp_path, landing):
    (file,) = take_in(deliver(tmp_path / "in", order_lines=MIXED), landing).files
    first, second, third = apart(file)
    assert first == {
        "number": 1,
        "source_file": file.sha256,
        "source_row": 2,
        "source_line": 3,
        "rules": ["units_fits_its_type", "revenue_minimum"],
        "fault": "column units: 'two' is not a whole number",
        "sentence": "order_lines.csv, line 3, column units: 'two' is not a whole number",
        "received_at": datetime.fromisoformat("2026-08-19T12:00:00"),
        "cells": {
            "order_line_id": "o2",
            "marketplace_id": "US",
            "seller_id": "s1",
            "sku": "mug",
            "ordered_at": "2026-07-01T10:00:00Z",
            "units": "two",
            "revenue": "-1",
        },
    }
    assert (second["source_row"], second["source_line"]) == (3, 4)
    assert second["rules"] == ["sku_has_no_control_characters"]
    assert second["cells"]["sku"] == "a\nb"
    assert (third["source_row"], third["source_line"]) == (5, 7)
    assert third["rules"] == ["key_is_unique"]
    assert third["fault"] == "order_line_id 'o1' stands already in order_lines.csv, line 2"


def test_the_other_rows_land_and_the_receipt_counts_them_all(tmp_path, landing):
    delivery = take_in(deliver(tmp_path / "in", order_lines=MIXED), landing)
    (file,) = delivery.files
    assert rows(file, "order_line_id, source_row") == [("o1", 1), ("o4", 4), ("o5", 6)]
    assert (file.received_rows, file.rows, file.quarantined_rows) == (6, 3, 3)
    assert file.quarantine_path == landing / f"quarantine/order_lines/{file.sha256}-000001.parquet"
    assert file.quarantine_path.stat().st_mode & 0o777 == 0o444
    assert landed_files(landing) == delivery.files
    (entry,) = json.loads((landing / "deliveries/000001.json").read_text())["files"]
    assert (entry["received_rows"], entry["rows"], entry["quarantined_rows"]) == (6, 3, 3)
    assert entry["quarantine_path"] == f"quarantine/order_lines/{file.sha256}-000001.parquet"
    assert check_landing(landing) == ()


def test_bad_rows_of_a_table_are_numbered_over_all_files_of_the_delivery(tmp_path, landing):
    source = deliver(
        tmp_path / "in",
        order_lines__a=orders(order_row("a1"), order_row("a2", units="x")),
        order_lines__b=orders(order_row("b1"), order_row("a1"), order_row("b3")),
    )
    first, second = take_in(source, landing).files
    assert [row["number"] for row in apart(first)] == [1]
    assert [row["number"] for row in apart(second)] == [2]
    assert apart(second)[0]["sentence"] == (
        "order_lines/b.csv, line 3: order_line_id 'a1' stands already in order_lines/a.csv, line 2"
    )


def test_a_bad_row_takes_no_key_from_a_good_one(tmp_path, landing):
    content = orders(order_row("o1", units="x"), order_row("o1"), order_row("o2"))
    (file,) = take_in(deliver(tmp_path / "in", order_lines=content), landing).files
    assert rows(file, "order_line_id, source_row") == [("o1", 2), ("o2", 3)]


def test_rows_of_parquet_are_kept_as_text_without_a_line(tmp_path, landing):
    write_parquet(
        tmp_path / "in" / "refunds.parquet",
        "select 'r' || n as refund_id, 'o1' as order_line_id, timestamp '2026-07-09 08:00:00' as "
        "refunded_at, (n * 10 - 10)::decimal(9,3) as amount from range(4) as t(n)",
    )
    (file,) = take_in(tmp_path / "in", landing).files
    first, second = apart(file)
    assert first["rules"] == second["rules"] == ["amount_exclusive_minimum"]
    assert first["sentence"].startswith("refunds.parquet, row 1, amount is '-10.00': ")
    assert first["source_line"] is None
    assert first["cells"] == {
        "refund_id": "r0",
        "order_line_id": "o1",
        "refunded_at": "2026-07-09 08:00:00",
        "amount": "-10.000",
    }


@pytest.mark.parametrize(
    ("good", "bad", "is_taken"),
    [(1, 1, True), (1, 2, False), (20, 20, True), (20, 21, False), (180, 20, True),
     (181, 21, False), (900, 100, True), (899, 101, False), (0, 1, False)],
)  # fmt: skip
def test_a_file_that_is_wrong_throughout_is_refused(tmp_path, landing, good, bad, is_taken):
    lines = [order_row(f"g{n}") for n in range(good)]
    lines += [order_row(f"b{n}", units="0") for n in range(bad)]
    source = deliver(tmp_path / "in", order_lines=orders(*lines))
    if is_taken:
        assert take_in(source, landing).files[0].quarantined_rows == bad
    else:
        refusal(source, landing)


def test_repeated_keys_count_towards_the_limit(tmp_path):
    content = orders(order_row("o1"), order_row("o2", units="x"), *[order_row("o1")] * 2)
    assert refused_orders(tmp_path, content) == (
        "order_lines.csv, line 3, column units: 'x' is not a whole number; 3 of the 4 rows of "
        "order_lines.csv are bad, more than the 2 that are kept apart: correct it and deliver the "
        "file again"
    )


def test_a_file_without_a_good_row_is_refused_whatever_else_is_delivered(tmp_path, landing):
    bad = orders(order_row("o1", units="x"))
    source = deliver(tmp_path / "in", order_lines=bad, refunds=GOOD["refunds"])
    assert refusal(source, landing) == (
        "order_lines.csv, line 2, column units: 'x' is not a whole number; no row of "
        "order_lines.csv is good: correct it and deliver the file again"
    )


def test_the_same_bytes_are_kept_apart_the_same_to_the_byte(tmp_path, landing, monkeypatch):
    lines = [order_row(f"o{n}", units="0" if n % 50 == 7 else "1") for n in range(20_000)]
    content = orders(*lines, order_row("o1"))
    alone = take_in(deliver(tmp_path / "alone", order_lines=content), landing)
    engine = preparing._engine

    def one_thread(spill):
        connection = engine(spill)
        connection.execute("set threads = 1")
        return connection

    monkeypatch.setattr(preparing, "_engine", one_thread)
    among = deliver(tmp_path / "among", order_lines=content, marketplaces=GOOD["marketplaces"])
    together = {file.table: file for file in take_in(among, tmp_path / "other").files}
    assert alone.files[0].quarantined_rows == 401
    assert together["order_lines"].quarantine_sha256 == alone.files[0].quarantine_sha256
    assert together["order_lines"].typed_sha256 == alone.files[0].typed_sha256


def test_the_same_file_again_is_nothing_new_and_its_bad_rows_wait(tmp_path, landing):
    source = deliver(tmp_path / "in", order_lines=MIXED)
    take_in(source, landing)
    before = contents(landing)
    assert take_in(source, landing).number is None
    assert contents(landing) == before


def test_rows_that_break_a_warning_land_and_are_counted(tmp_path, landing, monkeypatch):
    contract = load_contract("order_lines")
    rule = Rule("units_are_few", "Few.", "units < 5", "warning", ("units",))
    warned = replace(contract, rules=(*contract.rules, rule))
    monkeypatch.setattr(preparing, "load_contract", lambda _table: warned)
    content = orders(order_row("o1", units="9"), order_row("o2"), order_row("o1", units="9"))
    content += order_row("o3", units="7")
    (file,) = take_in(deliver(tmp_path / "in", order_lines=content), landing).files
    assert (file.rows, file.quarantined_rows) == (3, 1)
    assert file.warned_rows == (("units_are_few", 2),)
    assert landed_files(landing) == (file,)


def test_a_delivery_that_lost_a_row_on_the_way_is_not_committed(tmp_path, landing, monkeypatch):
    counted = preparing.count_typed
    monkeypatch.setattr(
        preparing,
        "count_typed",
        lambda *words: replace(counted(*words), rows=counted(*words).rows - 1),
    )
    source = deliver(tmp_path / "in", order_lines=MIXED)
    with pytest.raises(Corrupted, match="has 6 rows, of which 2 were accepted and 3 quarantined"):
        take_in(source, landing)
    assert contents(landing) == {}


def test_receipts_of_the_format_before_are_read(tmp_path, landing):
    delivery = take_in(deliver(tmp_path / "in", refunds=GOOD["refunds"]), landing)
    path = landing / "deliveries/000001.json"
    document = json.loads(path.read_text())
    document["format"] = 1
    del document["dismissed"]
    for name in ("received_rows", "quarantined_rows", "warned_rows", "quarantine_path",
                 "quarantine_sha256", "released"):  # fmt: skip
        del document["files"][0][name]
    path.chmod(0o644)
    path.write_text(json.dumps(document))
    assert landed_files(landing) == delivery.files
    assert take_in(deliver(tmp_path / "more", sellers=GOOD["sellers"]), landing).number == 2
    assert check_landing(landing) == ()


def test_quarantined_rows_that_changed_or_went_are_reported(tmp_path, landing):
    (file,) = take_in(deliver(tmp_path / "in", order_lines=MIXED), landing).files
    path = file.quarantine_path
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert check_landing(landing) == (
        (
            f"{path} is not what was landed: its bytes have changed; restore it from a backup "
            "(receipt 000001, order_lines.csv)"
        ),
    )
    path.unlink()
    assert check_landing(landing)[0].startswith(f"{path} is missing; restore it from a backup")


@pytest.mark.parametrize("step", ["_put_in_place", "write_receipt"])
def test_a_delivery_cut_short_leaves_no_row_in_quarantine(tmp_path, landing, monkeypatch, step):
    take_in(deliver(tmp_path / "first", refunds=GOOD["refunds"]), landing)
    original = getattr(zone, step)

    def cut_short(*words):
        if step == "_put_in_place":
            original(*words)
        raise KeyboardInterrupt

    source = deliver(tmp_path / "in", order_lines=MIXED)
    with monkeypatch.context() as patched:
        patched.setattr(zone, step, cut_short)
        with pytest.raises(KeyboardInterrupt):
            take_in(source, landing)
    (left,) = landing.glob("quarantine/order_lines/*-000002.parquet")
    assert [file.table for file in landed_files(landing)] == ["refunds"]
    assert check_landing(landing) == ()
    take_in(deliver(tmp_path / "other", sellers=GOOD["sellers"]), landing)
    assert not left.exists()
    assert take_in(source, landing).number == 3
    assert check_landing(landing) == ()


def test_quarantined_rows_of_a_lost_receipt_are_not_cleared_but_reported(tmp_path, landing):
    take_in(deliver(tmp_path / "first", refunds=GOOD["refunds"]), landing)
    (file,) = take_in(deliver(tmp_path / "in", order_lines=MIXED), landing).files
    (landing / "deliveries/000002.json").unlink()
    (landing / "deliveries/000001.json").unlink()
    with pytest.raises(Corrupted, match="which does not name it or is missing"):
        take_in(deliver(tmp_path / "more", sellers=GOOD["sellers"]), landing)
    assert file.quarantine_path.is_file()
