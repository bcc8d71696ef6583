"""CSV as delivered: UTF-8, commas, double quotes, one header line (RFC 4180).

Here belong what makes a file no CSV at all, and finding a row's line again. What its values must
be is for ``column_types`` and ``checking``.
"""

from __future__ import annotations

import codecs
import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from orchestration.errors import BadInput
from orchestration.files import sql_literal

csv.field_size_limit(sys.maxsize)  # or a cell of 131,072 characters could not be told of

_SPACED_QUOTE = re.compile(rb'(?<=[,\n\r]) +"|" +(?=[,\n\r]|\Z)')
_LONGEST_LINE_BYTES = 2_097_152  # the engine's own limit


class TextCheck:
    """Reads a file's bytes as they go by, and refuses what is no UTF-8 text.

    Also refuses cells with spaces outside their quotes, which the engine would drop in silence:
    by RFC 4180 spaces belong to the cell.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._lines = 0
        self._open = b""  # the end that was not looked through yet
        self._quotes = 0  # before that

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Check the next bytes; ``final`` says that no more will come.

        Raises:
            BadInput: they are not UTF-8, or hold a NUL, which no text has, or spaces that would be
                lost.
        """
        held = self._decoder.getstate()[0]  # the beginning of a character that the chunk completes
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as fault:
            line = self._lines + 1 + (held + chunk)[: fault.start].count(b"\n")
            raise BadInput(
                f"{self._name}, line {line}: the text is not UTF-8; save the file as UTF-8 and "
                "deliver it again"
            ) from fault
        nul = chunk.find(b"\0")
        if nul >= 0:
            line = self._lines + 1 + chunk[:nul].count(b"\n")
            raise BadInput(
                f"{self._name}, line {line}: the text holds a NUL byte; write the file anew and "
                "deliver it again"
            )
        self._refuse_spaced_quotes(chunk, final=final)
        self._lines += chunk.count(b"\n")

    def _refuse_spaced_quotes(self, chunk: bytes, *, final: bool) -> None:
        text = self._open + chunk
        known = text if final else text.rstrip(b" ")
        # A last separator or quote may be a part of one, by what the next bytes are.
        end = len(known) - (not final and known[-1:] in (b",", b"\n", b"\r", b'"'))
        if b' "' in text or b'" ' in text:
            for found in _SPACED_QUOTE.finditer(text):
                if found.start() >= end:
                    break
                # Outside of quoted cells the number of quotes so far is even.
                place = found.start() + (found[0][:1] == b'"')
                if (self._quotes + text.count(b'"', 0, place)) % 2 == 0:
                    line = self._lines + 1 - self._open.count(b"\n") + text.count(b"\n", 0, place)
                    raise BadInput(
                        f"{self._name}, line {line}: spaces stand outside a cell's quotes; write "
                        "them within the quotes or not at all, and deliver the file again"
                    )
        self._quotes += text.count(b'"', 0, end)
        self._open = text[end:]


def header(path: Path, name: str) -> tuple[str, ...]:
    """The names in the first line.

    Raises:
        BadInput: there is no line, or it is no line of names.
    """
    try:
        first = next(_records(path), None)
    except csv.Error:
        first = []
    if first is None:
        raise BadInput(f"{name} is empty; deliver it with a header line and its rows")
    if not first:
        raise BadInput(f"{name}, line 1: there is no header; write the columns' names there")
    return tuple(first)


def relation(path: Path, columns: Sequence[str]) -> str:
    """A SELECT of the file's rows as text: ``source_row`` (from 1) and the columns; '' is null."""
    struct = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    # row_number() over () numbers rows as they stand in the file, the order of insertion.
    return (
        f"select row_number() over () as source_row, * from read_csv({sql_literal(path)}, "
        f"columns = {{{struct}}}, header = true, auto_detect = false, delim = ',', quote = '\"', "
        "escape = '\"', nullstr = '', strict_mode = true)"
    )


def lines_of(path: Path, rows: Iterable[int]) -> dict[int, int]:
    """The lines, from 1, on which data rows (from 1) begin; quoted values may span lines.

    Raises:
        ValueError: the file has no such row.
    """
    wanted = set(rows)
    lines: dict[int, int] = {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        begin, seen = 1, -1
        for record in reader:
            seen += bool(record)  # blank lines are no rows; the header is row 0
            if record and seen in wanted:
                lines[seen] = begin
                if len(lines) == len(wanted):
                    return lines
            begin = reader.line_num + 1
    if wanted:
        raise ValueError(f"{path} has no row {min(wanted - set(lines))}")
    return lines


def structure_fault(path: Path, name: str, columns: int) -> str:
    """The sentence for a file that the engine could not split into rows of cells."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        begin = 1
        try:
            for record in reader:
                if sum(map(len, record)) > _LONGEST_LINE_BYTES // 4:
                    size = len(",".join(record).encode())
                    if size + 2 > _LONGEST_LINE_BYTES:
                        return (
                            f"{name}, line {begin}: the row is longer than "
                            f"{_LONGEST_LINE_BYTES:,} bytes; shorten its cells and deliver the "
                            "file again"
                        )
                if record and len(record) != columns:
                    return (
                        f"{name}, line {begin}: the row has {len(record)} cells, the header has "
                        f"{columns}; the file may be cut off, or a comma not quoted: write it "
                        "anew and deliver it again"
                    )
                begin = reader.line_num + 1
        except csv.Error as fault:
            unfinished = "unexpected end of data" in str(fault)
            what = "a quoted cell never ends" if unfinished else "text follows a closing quote"
            if unfinished or "expected after" in str(fault):
                return (
                    f"{name}, line {begin}: {what}; the file may be cut off, or a quote in a cell "
                    "not doubled: write it anew and deliver it again"
                )
    return (
        f"{name} is not regular CSV; write it with commas, double quotes and one kind of line end "
        "(RFC 4180), and deliver it again"
    )


def _records(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from csv.reader(stream, strict=True)
