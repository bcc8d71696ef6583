"""What hostile input once did to ingest, case by case; ``tests/fuzz`` looks for more."""

from __future__ import annotations

import io
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingest_examples import (
    GOOD,
    ORDER_HEADER,
    TIME,
    apart,
    bad_orders_refusal,
    bad_row_refusal,
    deliver,
    order_row,
    orders,
    refusal,
    refused_orders,
    rows,
    take_in,
    write_parquet,
)

from orchestration.errors import BadInput
from orchestration.landing.csv_file import TextCheck
from orchestration.landing.source_folder import NOTE_FILE

SPACED = (
    "spaces stand outside a cell's quotes; write them within the quotes or not at all, and deliver "
    "the file again"
)


@pytest.fixture
def landing(tmp_path):
    return tmp_path / "landing"


@pytest.mark.parametrize("characters", [131_073, 1_000_000])
def test_a_bad_row_with_a_huge_cell_is_kept_apart(tmp_path, landing, characters):
    content = orders(order_row(), order_row("o2", sku="x" * characters), order_row("o3"))
    (file,) = take_in(deliver(tmp_path / "in", order_lines=content), landing).files
    (row,) = apart(file)
    assert row["source_line"] == 3
    assert len(dict(row["cells"])["sku"]) == characters


def test_a_row_too_long_for_the_engine_is_named_by_its_line(tmp_path):
    content = orders(order_row(), order_row("o2", sku="x" * 2_200_000))
    assert refused_orders(tmp_path, content) == (
        "order_lines.csv, line 3: the row is longer than 2,097,152 bytes; shorten its cells and "
        "deliver the file again"
    )


@pytest.mark.parametrize("name", ["n" * 200_000, "\n" * 200_000, "\x1b[31m" * 1_000])
def test_a_huge_name_of_a_column_makes_no_huge_sentence(tmp_path, name):
    content = f'"{name}",{ORDER_HEADER}'
    sentence = refused_orders(tmp_path, content)
    assert len(sentence) < 400
    assert sentence.isprintable()


def test_a_header_of_a_million_columns_is_refused(tmp_path):
    content = ORDER_HEADER.strip() + ",x" * 1_000_000 + "\n"
    assert "order_lines.csv: column 'x' is not known" in refused_orders(tmp_path, content)


@pytest.mark.parametrize("cell", [' "mug"', '"mug" ', '  "mug"  '])
@pytest.mark.parametrize("column", ["marketplace_id", "sku", "revenue"])
def test_spaces_outside_quotes_are_not_lost_in_silence(tmp_path, cell, column):
    content = orders(order_row("o0"), order_row("o1", **{column: cell}))
    assert refused_orders(tmp_path, content) == f"order_lines.csv, line 3: {SPACED}"


def test_spaces_and_quotes_within_a_cell_are_its_own(tmp_path, landing):
    texts = ['5"" tube , ""blue""', ' ""a"" ', ", ", '"" ,', "a\n ", "", " "]
    content = orders(*(order_row(f"o{n}", sku=f'"x{text}"') for n, text in enumerate(texts)))
    (file,) = take_in(deliver(tmp_path / "in", order_lines=content), landing).files
    assert file.rows + file.quarantined_rows == len(texts)
    found = [row[0] for row in rows(file, "sku")]
    assert found == ["x" + text.replace('""', '"') for text in texts if "\n" not in text]


def test_spaces_outside_quotes_are_found_wherever_a_read_ends():
    text = orders(order_row(), order_row("o2", sku='"a, ""b"" ,c"'), order_row("o3", sku=' "x"'))
    content = text.encode()
    for cut in range(len(content)):
        check = TextCheck("a.csv")
        with pytest.raises(BadInput, match=r"^a\.csv, line 4: spaces stand outside"):  # noqa: PT012
            for chunk in (content[:cut], content[cut:]):
                check.feed(chunk)


@pytest.mark.parametrize("offset", ["+15:00", "+99:99", "-23", "+02:60"])
def test_an_offset_that_no_place_has_is_refused(tmp_path, offset):
    value = f"2026-07-01T10:00:00{offset}"
    content = orders(order_row("o0"), order_row("o1", ordered_at=value))
    assert bad_orders_refusal(tmp_path, content).startswith(
        f"order_lines.csv, line 3, column ordered_at: '{value}' {TIME}"
    )


@pytest.mark.parametrize(
    "value", ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_a_row_received_centuries_off_is_kept_apart(tmp_path, landing, value):
    header, row = GOOD["refunds"].splitlines()
    content = f"{header},received_at\n{row},2026-07-10T00:00:00Z\n{row[1:]},{value}\n"
    sentence = bad_row_refusal(deliver(tmp_path / "in", refunds=content), landing)
    assert "refunds.csv, line 3, received_at is '" in sentence
    assert ": received_at is " in sentence


def test_a_parquet_time_of_receipt_beyond_all_years_is_refused(tmp_path, landing):
    select = (
        "select 'US' as marketplace_id, 'USD' as currency,"
        " make_timestamp(9223372036854775000) as received_at"
    )
    write_parquet(tmp_path / "in" / "marketplaces.parquet", select)
    assert "marketplaces.parquet, row 1, received_at is '" in refusal(tmp_path / "in", landing)


def test_a_day_too_far_off_for_a_rules_arithmetic_is_told_of(tmp_path, landing):
    source = tmp_path / "in"
    source.mkdir()
    table = {
        "marketplace_id": ["US"],
        "storage_type": ["standard"],
        "quarter": pa.array([-(2**31)], pa.int32()).cast(pa.date32()),
        "network_ft3": pa.array([1], pa.int64()),
        "request_ft3": pa.array([1], pa.int64()),
    }
    pq.write_table(pa.table(table), source / "network_capacity.parquet")
    said = refusal(source, landing)
    assert "network_capacity.parquet, row 1, quarter is '5877642-06-23 (BC)'" in said


def test_milliseconds_that_microseconds_have_no_room_for_are_told_of(tmp_path, landing):
    when = pa.array([2**62], pa.int64()).cast(pa.timestamp("ms"))
    table = pa.table({"marketplace_id": ["US"], "currency": ["USD"], "received_at": when})
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "marketplaces.parquet")
    assert refusal(tmp_path / "in", landing) == (
        "marketplaces.parquet holds a value beyond the range of its own type, such as a time in "
        "milliseconds of which microseconds have no room; correct it and deliver the file again"
    )


def test_a_nested_type_is_told_of_on_one_short_line(tmp_path, landing):
    names = {f"field\n{number}": number for number in range(200)}
    (tmp_path / "in").mkdir()
    table = pa.table({"marketplace_id": ["US"], "currency": pa.array([names])})
    pq.write_table(table, tmp_path / "in" / "marketplaces.parquet")
    sentence = refusal(tmp_path / "in", landing)
    assert sentence.startswith("marketplaces.parquet: column currency is STRUCT(")
    assert sentence.isprintable()
    assert len(sentence) < 250


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "caf\udce9", "\u202ecsv"])
def test_names_that_no_terminal_should_see_are_written_out(tmp_path, landing, name):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    (source / "order_lines").mkdir()
    (source / "order_lines" / f"{name}.csv").write_text(GOOD["order_lines"])
    (source / f"{name}.txt").write_text("x")
    delivery = take_in(source, landing)
    (file,) = (each for each in delivery.files if each.table == "order_lines")
    assert file.rows == 2
    assert file.source_name.isprintable()
    assert all(ignored.isprintable() for ignored in delivery.ignored)
    receipt = json.loads((landing / "deliveries/000001.json").read_text("utf-8"))
    assert file.source_name in [entry["source_name"] for entry in receipt["files"]]
    (source / f"{name}.csv").write_text("x")
    assert refusal(source, landing).isprintable()


@pytest.mark.parametrize("link", ["refunds.csv", "order_lines/1.csv", NOTE_FILE])
def test_a_link_out_of_the_delivered_folder_is_refused(tmp_path, landing, link):
    outside = tmp_path / "outside"
    outside.write_text(GOOD["refunds"])
    source = deliver(tmp_path / "in", marketplaces=GOOD["marketplaces"])
    (source / link).parent.mkdir(exist_ok=True)
    (source / link).symlink_to(outside)
    assert refusal(source, landing) == (
        f"{link} is a link that leads out of the delivered folder; put the file itself there"
    )


@pytest.mark.parametrize("link", ["refunds", "notes", "order_lines/below"])
def test_a_linked_folder_is_not_looked_into(tmp_path, landing, link):
    source = deliver(tmp_path / "in", order_lines__1=GOOD["order_lines"])
    (source / link).symlink_to("/")
    assert refusal(source, landing).startswith(f"{link} is a link that leads out of")


def test_a_link_within_the_delivered_folder_is_followed(tmp_path, landing):
    source = deliver(tmp_path / "in", _draft=GOOD["refunds"])
    (source / "refunds.csv").symlink_to("_draft.csv")
    assert [file.rows for file in take_in(source, landing).files] == [1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_file_that_cannot_be_read_is_refused(tmp_path, landing, monkeypatch):
    from orchestration.landing import source_folder

    monkeypatch.setattr(source_folder, "_inside", lambda _source, path: path)
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    (source / "order_lines.csv").symlink_to("/proc/self/mem")
    assert refusal(source, landing) == (
        "order_lines.csv cannot be read (Input/output error); allow it"
    )


def test_what_cannot_be_looked_at_is_told_of(tmp_path, landing):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    (source / "order_lines.csv").symlink_to("a" * 300)
    assert refusal(source, landing) == (
        f"{source}/order_lines.csv cannot be looked at (File name too long); allow it, or take it "
        "out of the delivery"
    )


@pytest.mark.parametrize(
    "note",
    [
        b"[" * 100_000,
        b'{"simulated": {}, "x": "\\ud800"}',
        b'{"simulated": {}, "x": NaN}',
        b'{"simulated": {}, "x": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_note_that_no_receipt_can_hold_is_refused(tmp_path, landing, note):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    (source / NOTE_FILE).write_bytes(note)
    assert refusal(source, landing).startswith("_delivery.json is not JSON in UTF-8; write it as")


def test_a_note_of_megabytes_is_refused(tmp_path, landing):
    source = deliver(tmp_path / "in", refunds=GOOD["refunds"])
    (source / NOTE_FILE).write_text(json.dumps({"simulated": {"refunds": "x" * (1 << 20)}}))
    assert refusal(source, landing).startswith("_delivery.json is larger than 1 MiB; write it as")


def bomb(folder, sku, rows_in_it):
    """Order lines that a few kilobytes say a great many times."""
    zeros = pa.nulls(rows_in_it, pa.int32()).fill_null(0)
    values = ["o1", "US", "s1", sku, "2026-07-01T10:00:00Z", "1", "1.00"]
    names = ORDER_HEADER.strip().split(",")
    table = pa.table({
        name: pa.DictionaryArray.from_arrays(zeros, pa.array([value]))
        for name, value in zip(names, values, strict=True)
    })  # fmt: skip
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd", row_group_size=rows_in_it)
    folder.mkdir()
    (folder / "order_lines.parquet").write_bytes(stream.getvalue())
    return folder


@pytest.mark.parametrize(
    ("sku", "rows_in_it", "told"),
    [("mug", 3_000_000, "3,000,000 rows"), ("x" * 100_000, 100_000, "bytes of data")],
)
def test_a_small_file_that_unfolds_into_gigabytes_is_refused_unread(
    tmp_path, landing, monkeypatch, sku, rows_in_it, told
):
    from orchestration.landing import preparing

    monkeypatch.setattr(preparing, "read_rows", None)
    sentence = refusal(bomb(tmp_path / "in", sku, rows_in_it), landing)
    assert sentence.startswith("order_lines.parquet holds ")
    assert told in sentence
    assert "more than a file of that size can hold of a real table" in sentence


def test_a_delivery_too_large_for_the_machine_is_refused(tmp_path, landing, monkeypatch):
    from orchestration.landing import preparing

    engine = preparing._engine

    def small_engine(spill):
        connection = engine(spill)
        connection.execute("set memory_limit = '2MB'")
        connection.execute("set max_temp_directory_size = '0KB'")
        return connection

    monkeypatch.setattr(preparing, "_engine", small_engine)
    content = orders(*(order_row(f"o{number}") for number in range(50_000)))
    assert refusal(deliver(tmp_path / "in", order_lines=content), landing) == (
        "the delivery takes more memory or disk to read than this machine has free; deliver its "
        "files one at a time, or in smaller parts"
    )
