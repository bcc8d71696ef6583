"""Delivered folders that are refused by their names or their note."""

from __future__ import annotations

import pytest
from ingest_examples import (
    GOOD,
    TABLES,
    deliver,
    refusal,
    take_in,
)


@pytest.fixture
def landing(tmp_path):
    return tmp_path / "landing"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("orders", "orders.csv"),
        ("Order_Lines", "Order_Lines.csv"),
        ("orders__part1", "orders"),
        ("base_allocations", "base_allocations.csv"),
    ],
)
def test_data_under_a_name_that_is_no_table_is_refused(tmp_path, landing, name, told):
    source = deliver(tmp_path / "in", marketplaces=GOOD["marketplaces"], **{name: "a\n1\n"})
    assert refusal(source, landing) == (
        f"{told} is named after no table; rename it or take it out of the delivery {TABLES}"
    )


def test_data_too_deep_in_a_folder_is_refused(tmp_path, landing):
    (tmp_path / "in" / "refunds" / "2026").mkdir(parents=True)
    (tmp_path / "in" / "refunds" / "2026" / "a.csv").write_text(GOOD["refunds"])
    assert refusal(tmp_path / "in", landing) == (
        "refunds/2026 holds data too deep to be found; move it up to refunds/"
    )


def test_a_folder_without_tables_or_no_folder_is_refused(tmp_path, landing):
    (tmp_path / "in").mkdir()
    assert refusal(tmp_path / "in", landing) == (
        f"{tmp_path}/in holds no table; deliver files named after tables, such as "
        f"capacity_requests.csv {TABLES}"
    )
    assert refusal(tmp_path / "nowhere", landing) == (
        f"{tmp_path}/nowhere is not a folder; give the folder that holds the delivered files"
    )


@pytest.mark.parametrize(
    ("note", "fault"),
    [
        ("{", "is not JSON in UTF-8"),
        ("[]", "says something that is not understood"),
        ('{"simulated": ["refunds"]}', "says something that is not understood"),
        ('{"simulated": {"refunds": ""}}', "says something that is not understood"),
        ('{"simulatd": {"refunds": "drawn"}}', "says something that is not understood"),
    ],
)
def test_a_note_that_cannot_be_understood_is_refused(tmp_path, landing, note, fault):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    (source / "_delivery.json").write_text(note)
    assert refusal(source, landing) == (
        f'_delivery.json {fault}; write it as {{"simulated": {{"capacity_requests": '
        '"how it was made"}}'
    )


def test_a_note_about_something_that_is_no_table_is_refused(tmp_path, landing):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    (source / "_delivery.json").write_text('{"simulated": {"refund": "drawn"}}')
    assert refusal(source, landing) == (
        f"_delivery.json calls 'refund' simulated, which is no table {TABLES}"
    )


@pytest.mark.parametrize("name", ["marketplaces.csv", "order_lines/part.csv", "_delivery.json"])
def test_a_link_out_of_the_folder_is_refused_and_nothing_behind_it_is_told(tmp_path, landing, name):
    (tmp_path / "secrets.env").write_text("TOKEN=s3cret\n")
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    (source / name).parent.mkdir(exist_ok=True)
    (source / name).symlink_to(tmp_path / "secrets.env")
    assert refusal(source, landing) == (
        f"{name} is a link that leads out of the delivered folder; put the file itself there"
    )


def test_a_table_folder_that_is_a_link_out_is_refused(tmp_path, landing):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.csv").write_text(GOOD["refunds"])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "refunds").symlink_to(tmp_path / "elsewhere")
    assert "refunds is a link that leads out" in refusal(tmp_path / "in", landing)


def test_a_delivered_folder_may_itself_be_a_link(tmp_path, landing):
    source = deliver(tmp_path / "dated", refunds=GOOD["refunds"])
    (tmp_path / "latest").symlink_to(source)
    assert take_in(tmp_path / "latest", landing).files[0].table == "refunds"
