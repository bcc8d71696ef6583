"""All or nothing, one at a time, and nothing that a stranger wrote is more than data."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading

import pytest
from ingest_examples import (
    GOOD,
    RECEIVED_AT,
    bad_row_refusal,
    contents,
    deliver,
    order_row,
    orders,
    refusal,
    rows,
    take_in,
    write_parquet,
)

from orchestration.errors import BadInput, Busy, Corrupted
from orchestration.landing import check_landing, landed_files, preparing, receive, zone

SHA256 = "ab" * 32


@pytest.fixture
def landing(tmp_path):
    return tmp_path / "landing"


@pytest.fixture
def filled(tmp_path, landing):
    """A zone with two deliveries."""
    take_in(deliver(tmp_path / "first", marketplaces=GOOD["marketplaces"]), landing)
    take_in(deliver(tmp_path / "second", refunds=GOOD["refunds"]), landing)
    return landing


def put(path, content=b"left over"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def overwrite(path, content):
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_bad_second_file_leaves_nothing_of_the_first(tmp_path, filled):
    source = deliver(
        tmp_path / "in", order_lines=GOOD["order_lines"], refunds="refund_id\nr1\n", sellers=""
    )
    assert refusal(source, filled).startswith("refunds.csv: column order_line_id is missing")
    assert [file.table for file in landed_files(filled)] == ["marketplaces", "refunds"]
    assert check_landing(filled) == ()


def test_a_refused_delivery_can_be_corrected_and_delivered_again(tmp_path, landing):
    source = deliver(tmp_path / "in", refunds="refund_id\nr1\n")
    refusal(source, landing)
    deliver(source, refunds=GOOD["refunds"])
    assert take_in(source, landing).number == 1


@pytest.mark.parametrize("step", ["_put_in_place", "write_receipt"])
def test_a_delivery_cut_short_before_its_receipt_never_happened(
    tmp_path, filled, monkeypatch, step
):
    before = landed_files(filled)
    original = getattr(zone, step)

    def cut_short(*arguments):
        if step == "_put_in_place":
            original(*arguments)
        raise KeyboardInterrupt

    source = deliver(tmp_path / "in", order_lines=GOOD["order_lines"])
    with monkeypatch.context() as patched:
        patched.setattr(zone, step, cut_short)
        with pytest.raises(KeyboardInterrupt):
            take_in(source, filled)
    assert list(filled.glob("typed/order_lines/*-000003.parquet"))
    assert landed_files(filled) == before
    assert check_landing(filled) == ()
    assert take_in(source, filled).number == 3
    assert check_landing(filled) == ()


def test_what_no_receipt_names_is_invisible_and_removed_by_the_next_delivery(tmp_path, filled):
    leftovers = [
        put(filled / f"files/refunds/{SHA256}.csv"),
        put(filled / f"typed/refunds/{SHA256}-000003.parquet"),
        put(filled / "deliveries/.000003.json.tmp"),
        put(filled / "incoming/0.csv"),
    ]
    assert len(landed_files(filled)) == 2
    assert check_landing(filled) == ()
    third = take_in(deliver(tmp_path / "in", sellers=GOOD["sellers"]), filled)
    assert third.number == 3
    assert not any(path.exists() for path in leftovers)
    assert check_landing(filled) == ()


def test_files_that_the_zone_did_not_make_are_never_removed(tmp_path, filled):
    strangers = [
        put(filled / "files/refunds/notes.csv"),
        put(filled / "typed/refunds/mine.parquet"),
        put(filled / "README.md"),
    ]
    take_in(deliver(tmp_path / "in", sellers=GOOD["sellers"]), filled)
    assert all(path.exists() for path in strangers)


def test_a_zone_whose_last_receipt_is_lost_is_not_cleared_but_reported(tmp_path, filled):
    take_in(deliver(tmp_path / "third", sellers=GOOD["sellers"]), filled)
    (filled / "deliveries/000003.json").unlink()
    (filled / "deliveries/000002.json").unlink()
    before = contents(filled)
    with pytest.raises(Corrupted, match="belongs to receipt 000003, which does not name it or is"):
        take_in(deliver(tmp_path / "in", products=GOOD["products"]), filled)
    assert contents(filled) == before


def test_a_missing_receipt_is_reported(filled):
    (filled / "deliveries/000001.json").unlink()
    with pytest.raises(Corrupted, match=r"receipt 000001\.json is missing; restore it from a"):
        landed_files(filled)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"number": 1', '"number": 7', "says it is receipt 7"),
        ('"format": 2', '"format": 3', "has format 3; this version reads formats 1 and 2"),
        ('"files/', '"../files/', "is damaged"),
        ('"rows": 1', '"rows": "many"', "is damaged"),
        ('"rows": 1', '"rows": 0', "is damaged"),
        ('"quarantine_path": null', '"quarantine_path": "files/x"', "is damaged"),
        ('"table"', '"tabel"', "is damaged"),
        ("{", "", "is damaged"),
    ],
)
def test_a_damaged_receipt_is_reported(filled, old, new, fault):
    path = filled / "deliveries/000001.json"
    text = path.read_text()
    assert old in text
    overwrite(path, text.replace(old, new, 1).encode())
    with pytest.raises(Corrupted, match=fault):
        check_landing(filled)


def test_a_receipt_that_was_changed_in_good_form_breaks_the_chain(filled):
    path = filled / "deliveries/000001.json"
    document = json.loads(path.read_text())
    document["received_at"] = "2020-01-01T00:00:00.000000Z"
    overwrite(path, json.dumps(document, indent=2).encode())
    with pytest.raises(Corrupted, match=r"000002\.json was not written after the receipts before"):
        landed_files(filled)


@pytest.mark.parametrize("which", ["stored_path", "typed_path"])
def test_landed_bytes_that_changed_or_went_are_reported(filled, which):
    first, second = (getattr(file, which) for file in landed_files(filled))
    overwrite(first, first.read_bytes()[:-1] + b"?")
    second.unlink()
    assert check_landing(filled) == (
        (
            f"{first} is not what was landed: its bytes have changed; restore it from a backup "
            "(receipt 000001, marketplaces.csv)"
        ),
        f"{second} is missing; restore it from a backup (receipt 000002, refunds.csv)",
    )


def test_a_second_delivery_that_may_not_wait_is_told_that_one_is_in_progress(tmp_path, filled):
    source = deliver(tmp_path / "in", sellers=GOOD["sellers"])
    with (filled / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Busy, match=r"another delivery is being received into .*; try again"):
            take_in(source, filled)
    assert take_in(source, filled).number == 3


def test_deliveries_at_the_same_time_come_one_after_the_other(tmp_path, landing):
    sources = [
        deliver(tmp_path / f"in{number}", order_lines=orders(order_row(f"o{number}")))
        for number in range(4)
    ]
    threads = [
        threading.Thread(
            target=receive, args=(source, landing), kwargs={"received_at": RECEIVED_AT}
        )
        for source in sources
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(file.delivery for file in landed_files(landing)) == [1, 2, 3, 4]
    assert check_landing(landing) == ()


def test_what_is_checked_is_what_is_kept_even_if_the_source_changes(tmp_path, landing, monkeypatch):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    copy = preparing._copy

    def copy_then_change(file, target):
        sha256 = copy(file, target)
        file.path.write_text("something else")
        return sha256

    monkeypatch.setattr(preparing, "_copy", copy_then_change)
    (file,) = take_in(source, landing).files
    assert file.stored_path.read_text() == GOOD["refunds"]
    assert check_landing(landing) == ()


STRANGE = [
    "=cmd|' /C calc'!A0",
    "x'; drop table delivered_rows; --",
    '""; select 1',
    "../../etc/passwd",
    "${table}",
    "{sku}",
    "%s $1 ?",
    "\\N",
    "NULL",
    "🧢 Größe,42",
    "  spaces  ",
    "null",
]


def test_what_sellers_write_is_data_and_nothing_else(tmp_path, landing):
    quoted = ['"' + text.replace('"', '""') + '"' for text in STRANGE]
    content = orders(*(order_row(f"o{n}", sku=text) for n, text in enumerate(quoted)))
    (file,) = take_in(deliver(tmp_path / "in", order_lines=content), landing).files
    assert [row[0] for row in rows(file, "sku")] == STRANGE
    assert {path.name for path in landing.iterdir()} == {".lock", "deliveries", "files", "typed"}


@pytest.mark.parametrize("text", STRANGE)
def test_what_sellers_write_can_be_told_in_a_sentence(tmp_path, landing, text):
    quoted = '"' + text.replace('"', '""') + '"'
    content = orders(order_row(quoted), order_row(quoted))
    sentence = bad_row_refusal(deliver(tmp_path / "in", order_lines=content), landing)
    assert sentence == (
        f"order_lines.csv, line 3: order_line_id {text!r} stands already in order_lines.csv, "
        "line 2; keep one of them and deliver again"
    )


def test_a_sentence_stays_short_and_free_of_control_characters(tmp_path, landing):
    content = orders(order_row(units="\x1b[31m" + "9" * 5000))
    sentence = bad_row_refusal(deliver(tmp_path / "in", order_lines=content), landing)
    assert "'\\x1b[31m999" in sentence
    assert len(sentence) < 200
    assert sentence.isprintable()


@pytest.mark.parametrize("name", ["quote's", "star*", "brackets[1]", "semi;colon", "a b"])
def test_folders_may_have_any_name(tmp_path, name):
    home = tmp_path / name
    home.mkdir()
    source = deliver(home / "in", order_lines=GOOD["order_lines"])
    write_parquet(tmp_path / "refunds.parquet", "select 1 as wrong")
    assert take_in(source, home / "landing").files[0].rows == 2
    shutil.copy(tmp_path / "refunds.parquet", source)
    with pytest.raises(BadInput, match="column 'wrong' is not known"):
        take_in(source, home / "landing")


def test_a_pipe_named_like_a_table_is_not_waited_for(tmp_path, landing):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    os.mkfifo(source / "order_lines.csv")
    assert take_in(source, landing).ignored == ("order_lines.csv",)


def test_nothing_in_the_delivered_folder_is_changed(tmp_path, landing):
    source = deliver(tmp_path / "in", **GOOD)
    before = contents(source)
    take_in(source, landing)
    assert contents(source) == before
