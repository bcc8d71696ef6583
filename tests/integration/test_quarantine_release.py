"""Rows that leave quarantine: judged again, taken in once, or closed for good."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ingest_examples import (
    GOOD,
    contents,
    deliver,
    order_row,
    orders,
    rows,
    take_in,
    write_parquet,
)

from orchestration.contracts import Column, load_contract
from orchestration.errors import BadUsage, Corrupted
from orchestration.landing import check_landing, landed_files, preparing, release, zone
from orchestration.landing.accounts import accounts
from orchestration.landing.quarantine import count_quarantined, quarantined_rows
from orchestration.landing.receipts import Dismissal
from orchestration.landing.release import dismiss
from orchestration.landing.release import release as release_rows

LATER = datetime(2026, 9, 1, tzinfo=UTC)
NAIVE_LATER = LATER.replace(tzinfo=None)
NO_UNITS = orders(order_row("o1"), order_row("o2", units="0"), order_row("o3", units="x"))
NO_UNITS += order_row("o4")
WAITING = ("1-order_lines-1", "1-order_lines-2")


@pytest.fixture
def landing(tmp_path):
    return tmp_path / "landing"


@pytest.fixture
def waiting(tmp_path, landing):
    """A zone in which two rows wait: one of no units, and one that is no number."""
    take_in(deliver(tmp_path / "in", order_lines=NO_UNITS), landing)
    return landing


@pytest.fixture
def loosened(monkeypatch):
    """Contracts under which lines may have no units, amounts be negative, refunds repeat."""

    def loose(table):
        contract = load_contract(table)
        free = ("units_minimum", "amount_exclusive_minimum", "account_type_is_known")
        rules = tuple(
            replace(rule, sql="true") if rule.name in free else rule for rule in contract.rules
        )
        return replace(contract, rules=rules)

    monkeypatch.setattr(preparing, "load_contract", loose)


def release_all(landing, **words):
    ids = [row.row_id for row in quarantined_rows(landing) if row.state == "open"]
    return release_rows(landing, ids, received_at=LATER, wait=False, **words)


def states(landing):
    return {row.row_id: row.state for row in quarantined_rows(landing)}


def test_under_the_same_contract_no_row_is_released_and_nothing_is_written(waiting):
    before = contents(waiting)
    done = release_all(waiting)
    assert done.delivery is None
    assert done.released == ()
    assert done.kept == (
        ("1-order_lines-1", "units is '0': units is at least 1"),
        ("1-order_lines-2", "column units: 'x' is not a whole number"),
    )
    assert contents(waiting) == before


def test_a_row_that_passes_now_lands_by_a_delivery_of_its_own(waiting, loosened):
    done = release_all(waiting)
    assert (done.delivery, done.released) == (2, ("1-order_lines-1",))
    assert [row_id for row_id, _ in done.kept] == ["1-order_lines-2"]
    first, second = landed_files(waiting)
    assert second.delivery == 2
    assert second.source_name == "order_lines.csv, rows released from delivery 1"
    assert second.released == ("1-order_lines-1",)
    assert rows(second, "order_line_id, units, received_at") == [("o2", 0, NAIVE_LATER)]
    assert (first.rows, first.quarantined_rows, second.rows) == (2, 2, 1)
    assert states(waiting) == {"1-order_lines-1": "released", "1-order_lines-2": "open"}
    assert check_landing(waiting) == ()


def test_a_released_row_counts_as_received_once(waiting, loosened):
    before = accounts(waiting)[0]
    release_all(waiting)
    after = accounts(waiting)[0]
    assert (before.received_rows, after.received_rows) == (4, 4)
    assert (before.accepted_rows, before.open_rows) == (2, 2)
    assert (after.accepted_rows, after.open_rows) == (3, 1)
    assert count_quarantined(waiting, NAIVE_LATER) == {"order_lines": 1}
    assert count_quarantined(waiting, datetime.fromisoformat("2026-08-19")) == {"order_lines": 0}


def test_a_row_is_never_released_twice(waiting, loosened):
    release_all(waiting)
    before = contents(waiting)
    with pytest.raises(BadUsage, match="row 1-order_lines-1 was released with delivery 2; leave"):
        release_rows(waiting, ["1-order_lines-1"], received_at=LATER)
    assert contents(waiting) == before


def test_a_release_cut_short_leaves_the_row_waiting(waiting, loosened, monkeypatch):
    def cut_short(*_words):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(zone, "write_receipt", cut_short)
        with pytest.raises(KeyboardInterrupt):
            release_all(waiting)
    assert set(states(waiting).values()) == {"open"}
    assert release_all(waiting).released == ("1-order_lines-1",)
    assert check_landing(waiting) == ()


@pytest.mark.parametrize(
    ("header", "cell", "historical", "expected"),
    [
        ("", "", False, "2026-09-01 00:00:00"),
        ("", "", True, "2026-07-01 10:00:00"),
        (",received_at", ",2026-07-05T00:00:00Z", False, "2026-07-05 00:00:00"),
        (",received_at", ",2026-07-05T00:00:00Z", True, "2026-07-05 00:00:00"),
    ],
)
def test_a_released_row_is_received_at_its_own_time_or_now(
    tmp_path, landing, loosened, header, cell, historical, expected
):
    with pytest.MonkeyPatch.context() as strict:
        strict.setattr(preparing, "load_contract", load_contract)
        lines = orders(order_row("o1"), order_row("o2", units="0")).replace("\n", f"{cell}\n")
        content = lines.replace(f"revenue{cell}", f"revenue{header}")
        take_in(deliver(tmp_path / "in", order_lines=content), landing)
    release_all(landing, historical=historical)
    assert rows(landed_files(landing)[-1], "cast(received_at as varchar)") == [(expected,)]


def test_a_row_that_was_delivered_again_since_stays(tmp_path, waiting, loosened):
    corrected = orders(order_row("o2", units="7"))
    take_in(deliver(tmp_path / "corrected", order_lines=corrected), waiting)
    done = release_all(waiting)
    assert done.released == ()
    assert done.kept[0] == (
        "1-order_lines-1",
        "order_line_id 'o2' was taken in with delivery 2, which this row would undo",
    )


def test_a_repeated_key_stays_because_the_first_row_landed(tmp_path, landing):
    content = orders(order_row("o1"), order_row("o1", units="9"))
    take_in(deliver(tmp_path / "in", order_lines=content), landing)
    assert release_all(landing).kept == (
        (
            "1-order_lines-1",
            "order_line_id 'o1' was taken in with delivery 1, which this row would undo",
        ),
    )


def test_of_two_rows_with_one_key_the_last_delivered_is_released(tmp_path, landing, loosened):
    with pytest.MonkeyPatch.context() as strict:
        strict.setattr(preparing, "load_contract", load_contract)
        for number, price in enumerate(("1.00", "2.00")):
            content = orders(order_row(f"good{number}"), order_row("o2", units="0", revenue=price))
            take_in(deliver(tmp_path / f"in{number}", order_lines=content), landing)
    done = release_all(landing)
    assert done.released == ("2-order_lines-1",)
    assert done.kept == (
        (
            "1-order_lines-1",
            (
                "order_line_id 'o2' stands already in order_lines.csv, rows released from "
                "delivery 2, row 1"
            ),
        ),
    )
    assert release_all(landing).kept[0][1].endswith("taken in with delivery 3, which this row "
                                                    "would undo")  # fmt: skip


def test_rows_of_parquet_are_released_in_their_own_types(tmp_path, landing, loosened):
    with pytest.MonkeyPatch.context() as strict:
        strict.setattr(preparing, "load_contract", load_contract)
        write_parquet(
            tmp_path / "in" / "refunds.parquet",
            "select 'r' || n as refund_id, 'o1' as order_line_id, (n * 10 - 10)::decimal(9,3) as "
            "amount, timestamptz '2026-07-09 10:00:00+02' as refunded_at from range(4) as t(n)",
        )
        take_in(tmp_path / "in", landing)
    assert release_all(landing).released == ("1-refunds-1", "1-refunds-2")
    assert rows(landed_files(landing)[-1], "refund_id, cast(amount as varchar), refunded_at") == [
        ("r0", "-10.00", datetime.fromisoformat("2026-07-09T08:00:00")),
        ("r1", "0.00", datetime.fromisoformat("2026-07-09T08:00:00")),
    ]


def test_rows_of_several_tables_are_released_by_one_delivery(tmp_path, landing, loosened):
    with pytest.MonkeyPatch.context() as strict:
        strict.setattr(preparing, "load_contract", load_contract)
        sellers = GOOD["sellers"] + "US,s2,Pro,2024-03-05\n"
        source = deliver(tmp_path / "in", sellers=sellers, order_lines=NO_UNITS)
        (source / "_delivery.json").write_text('{"simulated": {"sellers": "drawn"}}')
        take_in(source, landing)
    done = release_all(landing)
    assert done.delivery == 2
    assert set(done.released) == {"1-order_lines-1", "1-sellers-1"}
    made_up = {file.table: file.simulated for file in landed_files(landing) if file.delivery == 2}
    assert made_up == {"order_lines": None, "sellers": "drawn"}


def test_a_file_that_lacks_a_column_of_the_present_contract_stays(waiting, monkeypatch):
    contract = load_contract("order_lines")
    wider = replace(contract, columns=(*contract.columns, Column("tax", "BIGINT", True, "Tax.")))
    monkeypatch.setattr(release, "load_contract", lambda _table: wider)
    done = release_all(waiting)
    assert [row_id for row_id, _ in done.kept] == list(WAITING)
    assert all("column tax is missing" in why for _, why in done.kept)


def test_nothing_is_released_from_a_file_that_changed(waiting):
    (file,) = landed_files(waiting)
    file.stored_path.chmod(0o644)
    file.stored_path.write_text(NO_UNITS.replace(",0,", ",1,"))
    with pytest.raises(Corrupted, match="is not what was landed; restore it from a backup"):
        release_all(waiting)


def test_a_dismissed_row_is_closed_for_good_and_the_receipt_says_why(waiting, loosened):
    done = dismiss(waiting, ["1-order_lines-1"], " a test order ", received_at=LATER)
    assert done == (Dismissal("1-order_lines-1", "a test order", 2),)
    receipt = json.loads((waiting / "deliveries/000002.json").read_text())
    assert receipt["files"] == []
    assert receipt["dismissed"] == [{"id": "1-order_lines-1", "reason": "a test order"}]
    row = quarantined_rows(waiting)[0]
    assert (row.state, row.closed_by, row.reason) == ("dismissed", 2, "a test order")
    assert release_all(waiting).released == ()
    for again in (release_rows, lambda *words, **when: dismiss(*words, "no", **when)):
        with pytest.raises(BadUsage, match="row 1-order_lines-1 was dismissed with delivery 2"):
            again(waiting, ["1-order_lines-1"], received_at=LATER)
    account = accounts(waiting)[0]
    assert (account.quarantined_rows, account.open_rows, account.dismissed_rows) == (2, 1, 1)
    assert check_landing(waiting) == ()


@pytest.mark.parametrize(
    ("row_id", "fault"),
    [
        ("1-order_lines-9", "no row 1-order_lines-9 was kept apart"),
        ("7-order_lines-1", "no row 7-order_lines-1 was kept apart"),
        ("order_lines", "'order_lines' is no row's id; write it as 3-order_lines-1"),
        ("1-order_lines-1; drop", "is no row's id"),
        ("1-../x-1", "is no row's id"),
    ],
)
def test_an_id_that_no_row_has_is_refused_by_name(waiting, row_id, fault):
    before = contents(waiting)
    for act in (release_rows, lambda *words, **when: dismiss(*words, "reason", **when)):
        with pytest.raises(BadUsage, match=fault.replace("(", "[(]")):
            act(waiting, [row_id], received_at=LATER)
    assert contents(waiting) == before


def test_a_dismissal_without_a_reason_is_refused(waiting):
    with pytest.raises(BadUsage, match="say it with --reason"):
        dismiss(waiting, list(WAITING), "  ", received_at=LATER)
