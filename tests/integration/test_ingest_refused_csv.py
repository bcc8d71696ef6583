"""CSV files that cannot be read as a table, and the sentence that says why."""

from __future__ import annotations

import pytest
from ingest_examples import (
    ORDER_HEADER,
    order_row,
    orders,
    refused_orders,
)

from orchestration.errors import BadInput
from orchestration.landing.csv_file import TextCheck

ANEW = "write it anew and deliver it again"
ORDER_COLUMNS = (
    "(columns of order_lines: order_line_id, marketplace_id, seller_id, sku, ordered_at, units, "
    "revenue, received_at)"
)


def test_a_missing_column_is_named(tmp_path):
    header = ORDER_HEADER.replace(",units", "")
    assert refused_orders(tmp_path, header + "o1,US,s1,mug,2026-07-01T10:00:00Z,1\n") == (
        f"order_lines.csv: column units is missing; add it {ORDER_COLUMNS}"
    )


def test_an_unknown_column_is_named(tmp_path):
    assert refused_orders(tmp_path, orders(order_row()).replace("units", "Units")) == (
        f"order_lines.csv: column 'Units' is not known; remove it or rename it {ORDER_COLUMNS}"
    )


def test_columns_that_are_not_separated_by_commas_are_told_apart(tmp_path):
    content = orders(order_row()).replace(",", ";")
    assert "; separate columns by commas or rename it" in refused_orders(tmp_path, content)


def test_a_column_that_stands_twice_is_named(tmp_path):
    content = orders(order_row()).replace("revenue", "units")
    assert refused_orders(tmp_path, content) == (
        "order_lines.csv: column units stands twice; keep one of them"
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "order_lines.csv is empty; deliver it with a header line and its rows"),
        (b"\xef\xbb\xbf", "order_lines.csv is empty; deliver it with a header line and its rows"),
        (
            b"\norder_line_id\n",
            "order_lines.csv, line 1: there is no header; write the columns' names there",
        ),
        (
            b'"order_line_id',
            "order_lines.csv, line 1: there is no header; write the columns' names there",
        ),
        (
            ORDER_HEADER.encode(),
            "order_lines.csv has no rows; deliver order_lines with its rows, or leave it out",
        ),
    ],
)
def test_an_empty_file_is_refused(tmp_path, content, sentence):
    assert refused_orders(tmp_path, content) == sentence


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            [order_row(), "o2,US,s1,mug\n"],
            (
                "line 3: the row has 4 cells, the header has 7; the file may be cut off, or a "
                f"comma not quoted: {ANEW}"
            ),
        ),
        (
            [order_row(), "o2,US,s1,m"],
            (
                "line 3: the row has 4 cells, the header has 7; the file may be cut off, or a "
                f"comma not quoted: {ANEW}"
            ),
        ),
        (
            [order_row(sku="mug,blue"), order_row("o2")],
            (
                "line 2: the row has 8 cells, the header has 7; the file may be cut off, or a "
                f"comma not quoted: {ANEW}"
            ),
        ),
        (
            [order_row(), order_row("o2", revenue='"19.90')],
            (
                "line 3: a quoted cell never ends; the file may be cut off, or a quote in a "
                f"cell not doubled: {ANEW}"
            ),
        ),
        (
            [order_row(sku='"5" tube"')],
            (
                "line 2: text follows a closing quote; the file may be cut off, or a quote in a "
                f"cell not doubled: {ANEW}"
            ),
        ),
    ],
)
def test_a_file_that_is_cut_off_or_no_csv_is_refused(tmp_path, rows, sentence):
    assert refused_orders(tmp_path, orders(*rows)) == f"order_lines.csv, {sentence}"


def test_two_kinds_of_line_ends_in_one_file_are_refused(tmp_path):
    content = orders(order_row()).replace("\n", "\r\n") + order_row("o2") + order_row("o3")
    assert refused_orders(tmp_path, content) == (
        "order_lines.csv is not regular CSV; write it with commas, double quotes and one kind of "
        "line end (RFC 4180), and deliver it again"
    )


@pytest.mark.parametrize("padding", [0, 16_000])
def test_text_that_is_not_utf8_is_refused_by_line_however_far_into_the_file(tmp_path, padding):
    good = "".join(order_row(f"o{number}") for number in range(padding))
    content = (ORDER_HEADER + good).encode() + order_row("x", sku="caf\xe9").encode("latin-1")
    assert refused_orders(tmp_path, content) == (
        f"order_lines.csv, line {padding + 2}: the text is not UTF-8; save the file as UTF-8 and "
        "deliver it again"
    )


def test_text_that_ends_inside_a_character_is_refused(tmp_path):
    content = orders(order_row()).encode() + "é".encode()[:1]
    assert "line 3: the text is not UTF-8" in refused_orders(tmp_path, content)


def test_a_nul_byte_is_refused(tmp_path):
    assert refused_orders(tmp_path, orders(order_row(), order_row("o\0"))) == (
        "order_lines.csv, line 3: the text holds a NUL byte; write the file anew and deliver it "
        "again"
    )


def test_a_character_cut_by_the_end_of_a_read_does_not_shift_the_line():
    check = TextCheck("a.csv")
    check.feed(b"\xf0\x9f\x98")
    with pytest.raises(BadInput, match=r"^a\.csv, line 1: the text is not UTF-8"):
        check.feed(b"\x80\xff\n")
