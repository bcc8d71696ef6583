"""What must become of a delivered file, worked out without the engine.

Python's ``csv`` and ``decimal`` read a file again and judge each row by the fuzz's own description
of the tables; a file that they cannot read as a regular table gives None. What ingest did with the
same bytes is compared in ``oracle``.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from .tables import RECEIVED_AT, Cell, Table

csv.field_size_limit(sys.maxsize)

BAD = object()
_EXACT = Context(prec=60)
_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<hour>\d\d):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6})0*)?)?"
    r"(?:Z|(?P<sign>[+-])(?P<ahead>\d\d)(?::?(?P<minutes>\d\d))?)?",
    re.ASCII,
)
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


@dataclass(frozen=True)
class Read:
    """A file read again: its columns and its rows, as text (CSV) or values (Parquet).

    ``is_plain``: nothing in its form excuses a refusal, such as two kinds of line ends.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_plain: bool = True


@dataclass(frozen=True)
class Judged:
    """Typed good rows by data row number from 1, in the table's columns; how many there are."""

    received: int
    good: dict[int, tuple[Any, ...]]
    is_plain: bool = True

    @property
    def bad(self) -> int:
        return self.received - len(self.good)


def read_csv(content: bytes) -> Read | None:
    """A CSV file's rows; None when it is no regular CSV in UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "\0" in text or not text:
        return None
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    if not records or not records[0]:
        return None
    width = len(records[0])
    # The engine passes over empty cells beyond the header's: nothing stands in them.
    rows = tuple(
        tuple(record[:width] if not any(record[width:]) else record)
        for record in records[1:]
        if record
    )
    if any(len(row) != len(records[0]) for row in rows):
        return None
    is_regular = all(len(record) == width for record in records if record)
    return Read(tuple(records[0]), rows, is_regular and _is_plain(content))


def _is_plain(content: bytes) -> bool:
    """One kind of line ends, quotes only where RFC 4180 has them, and no line of megabytes."""
    bare = content.replace(b"\r\n", b"")
    if b"\r" in bare or (b"\r\n" in content and b"\n" in bare):
        return False
    unquoted = re.sub(rb'"(?:[^"]|"")*"', b"q", content)
    spaced = re.search(rb"q [,\r\n]|q \Z|[,\n] +q", unquoted)
    return b'"' not in unquoted and not spaced and len(content) < 2_000_000


def fits(read: Read, table: Table) -> bool:
    """Whether a file's columns are the table's."""
    known = {*table.names, RECEIVED_AT.name}
    needed = {cell.name for cell in table.cells if cell.is_required}
    names = set(read.columns)
    return len(names) == len(read.columns) and needed <= names <= known


def judge(read: Read, table: Table) -> Judged:
    """Judge the rows of a file whose columns fit."""
    places = {name: place for place, name in enumerate(read.columns)}
    cells = (*table.cells, *((RECEIVED_AT,) if RECEIVED_AT.name in places else ()))
    good = {}
    for number, row in enumerate(read.rows, start=1):
        found = [
            _value(cell, row[places[cell.name]] if cell.name in places else None) for cell in cells
        ]
        if any(value is BAD for value in found) or not _is_sound(table, found):
            continue
        good[number] = tuple(found)
    return Judged(len(read.rows), good, read.is_plain)


def _is_sound(table: Table, found: Sequence[Any]) -> bool:
    if table.name != "network_capacity":
        return True
    values = dict(zip(table.names, found, strict=False))
    return values["request_ft3"] <= values["network_ft3"]


def allowed_bad(rows: int) -> int:
    """How many bad rows a file may have (decision 15)."""
    return min(10_000, max(min(20, rows // 2), rows // 10))


def _value(cell: Cell, found: Any) -> Any:
    """A cell in its column's type; BAD where it does not fit or is missing."""
    if found is None or found == "":
        # An empty text in Parquet is a text, and an id has a character at least: bad as well.
        return BAD if cell.default is None else _value(cell, cell.default)
    if isinstance(found, str):
        return _OF_TEXT[cell.form](cell, found)
    if isinstance(found, bool):
        return found if cell.form == "flag" else BAD
    if isinstance(found, int | Decimal):
        return _of_text_number(cell, format(Decimal(found), "f"))
    if isinstance(found, datetime | date):
        return _of_time(cell, found)
    return BAD


def _of_text_number(cell: Cell, text: str) -> Any:
    if cell.form == "whole":
        return _whole(cell, text)
    return _decimal(cell, text) if cell.form == "decimal" else BAD


def _of_time(cell: Cell, found: datetime | date) -> Any:
    if isinstance(found, datetime):
        if found.tzinfo is not None:
            found = found.replace(tzinfo=None) - (found.utcoffset() or timedelta())
            if cell.form != "instant":
                return BAD  # which day it is depends on where one stands
        if cell.form == "instant":
            return _in_range(found)
        midnight = datetime.combine(found.date(), datetime.min.time())
        found = found.date() if found == midnight else BAD
    if found is BAD or cell.form not in ("day", "quarter"):
        return BAD
    return _day(cell, found.isoformat())


def _id(_cell: Cell, text: str) -> Any:
    is_control = any(ord(each) < 32 or 127 <= ord(each) < 160 for each in text)
    return BAD if is_control or len(text) > 200 else text


def _whole(cell: Cell, text: str) -> Any:
    if not re.fullmatch(r"[+-]?[0-9]+", text) or len(text.lstrip("+-0")) > 30:
        return BAD
    return _bounded(cell, int(text))


def _decimal(cell: Cell, text: str) -> Any:
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text):
        return BAD
    whole, _, fraction = text.lstrip("+-").partition(".")
    fraction, whole = fraction.rstrip("0"), whole.lstrip("0")
    if len(fraction) > cell.scale or len(whole) > cell.width - cell.scale:
        return BAD
    value = _EXACT.create_decimal(
        f"{'-' if text[0] == '-' else ''}{whole or '0'}.{fraction or '0'}"
    )
    return _bounded(cell, value.quantize(Decimal(1).scaleb(-cell.scale), context=_EXACT))


def _bounded(cell: Cell, value: Any) -> Any:
    if cell.minimum is not None and (
        value < cell.minimum or (cell.above and value == cell.minimum)
    ):
        return BAD
    return BAD if cell.maximum is not None and value > cell.maximum else value


def _instant(_cell: Cell, text: str) -> Any:
    match = _INSTANT.fullmatch(text)
    if match is None:
        return BAD
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    ahead, minutes = int(match["ahead"] or 0), int(match["minutes"] or 0)
    at_midnight = (hour, minute, second, int(match["fraction"] or 0)) == (24, 0, 0, 0)
    if (hour > 23 and not at_midnight) or minute > 59 or second > 59 or ahead > 14 or minutes > 59:
        return BAD
    try:
        day = datetime.fromisoformat(match["day"])
        offset = timedelta(hours=ahead, minutes=minutes) * (-1 if match["sign"] == "-" else 1)
        of_day = timedelta(hours=hour, minutes=minute, seconds=second)
        micro = timedelta(microseconds=int((match["fraction"] or "").ljust(6, "0")))
        return _in_range(day + of_day + micro - offset)
    except (ValueError, OverflowError):
        return BAD


def _in_range(found: datetime) -> Any:
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else BAD


def _day(cell: Cell, text: str) -> Any:
    if cell.form == "quarter" and (match := re.fullmatch(r"([0-9]{4})[Qq]([1-4])", text)):
        text = f"{match[1]}-{3 * int(match[2]) - 2:02d}-01"
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return BAD
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return BAD
    if cell.form == "quarter" and (found.day != 1 or found.month % 3 != 1):
        return BAD
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else BAD


def _flag(_cell: Cell, text: str) -> Any:
    return {"true": True, "false": False}.get(text.lower() if text.isascii() else "", BAD)


def _account(_cell: Cell, text: str) -> Any:
    return text if text in ("individual", "professional") else BAD


def _currency(_cell: Cell, text: str) -> Any:
    return text if text in ("USD", "JPY", "BRL", "EUR") else BAD


_OF_TEXT = {
    "id": _id,
    "whole": _whole,
    "decimal": _decimal,
    "instant": _instant,
    "day": _day,
    "quarter": _day,
    "flag": _flag,
    "account": _account,
    "currency": _currency,
}
