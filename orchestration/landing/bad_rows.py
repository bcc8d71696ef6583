"""Rows that break their contract: what is known of each, and how many a file may have.

Here belong a bad row's values, its sentence and the limit beyond which a file is refused. Which
rows are bad is for ``checking`` and ``keys``; where they are kept is ``quarantine_file``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import duckdb

from orchestration.errors import BadInput
from orchestration.landing.column_types import quoted
from orchestration.landing.reading import ReadableFile

Handling = Literal["quarantine", "refuse", "leave out"]

AGAIN = "correct it and deliver the file again"
_FEW_ROWS = 20
_TENTH = 10
_MOST_ROWS = 10_000


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row: every rule that it breaks, and the first one in words."""

    rules: tuple[str, ...]
    words: str


@dataclass(frozen=True)
class BadRow:
    """A row that is kept apart.

    Attributes:
        source_row: which data row of its file, from 1.
        source_line: the line on which it begins, from 1; None in Parquet.
        fault: what is wrong with it.
        sentence: the same with file and line, as people read it.
        received_at: when it counts as received, naive UTC.
        cells: the file's columns and what stands in them, as text; None where nothing stands.
    """

    source_row: int
    source_line: int | None
    fault: Fault
    sentence: str
    received_at: datetime
    cells: tuple[tuple[str, str | None], ...]


def allowed_bad_rows(rows: int) -> int:
    """How many bad rows a file of so many rows may have; with more it is refused.

    A tenth of the file, or 20 in a small one, but never more than half of it nor more than 10,000:
    a file that is wrong throughout must be corrected at its source, not taken in by halves.

    >>> [allowed_bad_rows(rows) for rows in (1, 2, 3, 40, 500, 10_000_000)]
    [0, 1, 1, 20, 50, 10000]
    """
    return min(_MOST_ROWS, max(min(_FEW_ROWS, rows // 2), rows // _TENTH))


def refuse_beyond_limit(file: ReadableFile, rows: int, bad: int, first_sentence: str) -> None:
    """Refuse a file that has more bad rows than may be kept apart.

    Raises:
        BadInput: it has; names its first bad row.
    """
    allowed = allowed_bad_rows(rows)
    if bad <= allowed:
        return
    if bad == rows:
        raise BadInput(f"{first_sentence}; no row of {file.name} is good: {AGAIN}")
    raise BadInput(
        f"{first_sentence}; {bad:,} of the {rows:,} rows of {file.name} are bad, more than the "
        f"{allowed:,} that are kept apart: {AGAIN}"
    )


def described(
    file: ReadableFile,
    faults: Sequence[tuple[int, Fault, datetime]],
    cells: Mapping[int, tuple[str | None, ...]],
    join: str,
) -> tuple[BadRow, ...]:
    """Bad rows with their lines and cells as the file holds them.

    Args:
        file: the file.
        faults: row, what is wrong with it, and when it was received; no more than the limit, so
            that they fit in memory.
        cells: what ``raw_cells`` gave for these rows.
        join: what stands in the sentence between place and fault.
    """
    lines = file.lines(row for row, _, _ in faults)
    return tuple(
        BadRow(
            source_row=row,
            source_line=lines.get(row),
            fault=fault,
            sentence=f"{file.place(row, lines)}{join}{fault.words}",
            received_at=received_at,
            cells=tuple(zip(file.types, cells[row], strict=True)),
        )
        for row, fault, received_at in faults
    )


def raw_cells(
    connection: duckdb.DuckDBPyConnection, file: ReadableFile, rows: Sequence[int]
) -> dict[int, tuple[str | None, ...]]:
    """The cells of some rows as they stand in the file, as text, by row."""
    names = ", ".join(f"cast({quoted(name)} as varchar)" for name in file.types)
    found = connection.execute(
        f"select source_row, {names} from ({file.relation}) "
        "semi join (select unnest($rows::bigint[]) as source_row) using (source_row)",
        {"rows": rows},
    ).fetchall()
    return {row: tuple(cells) for row, *cells in found}
