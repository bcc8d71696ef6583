"""Rows in quarantine: which there are, and what became of each.

Here belongs reading what deliveries kept apart. Why a row is bad is for ``checking``; taking one in
after all, or closing it for good, is ``release``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from orchestration.engine import engine
from orchestration.errors import BadUsage
from orchestration.files import sql_literal
from orchestration.landing.landed_file import LandedFile
from orchestration.landing.receipts import Receipts, read_receipts
from orchestration.whole_files import require_whole

State = Literal["open", "released", "dismissed"]

_Outcome = tuple[State, int | None, str | None]
_OPEN: _Outcome = ("open", None, None)
_ROW_ID = re.compile(r"0*(?P<delivery>[1-9][0-9]*)-(?P<table>[a-z0-9_]+)-0*(?P<number>[1-9][0-9]*)")


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that was kept apart.

    Attributes:
        row_id: its name for good, as ``3-order_lines-1``: delivery, table, and its number among
            the table's quarantined rows of the delivery.
        file: the file that it came with.
        number: the last part of its name.
        source_row: which data row of the file, from 1.
        source_line: the line on which it begins, from 1; None in Parquet.
        rules: every rule that it breaks; the first is the one that was told.
        fault: what is wrong, in words.
        sentence: the same with file and line.
        received_at: when it counts as received, naive UTC.
        cells: the file's columns and what stands in them, as text; None where nothing stands.
        state: whether it waits, was taken in after all, or was closed for good.
        closed_by: the delivery that released it or the receipt that dismissed it.
        reason: why it was dismissed.
    """

    row_id: str
    file: LandedFile
    number: int
    source_row: int
    source_line: int | None
    rules: tuple[str, ...]
    fault: str
    sentence: str
    received_at: datetime
    cells: Mapping[str, str | None]
    state: State
    closed_by: int | None
    reason: str | None


def quarantined_rows(
    landing: Path, *, table: str | None = None, delivery: int | None = None
) -> tuple[QuarantinedRow, ...]:
    """The rows kept apart, closed ones too, in the order of deliveries, tables and numbers.

    Raises:
        Corrupted: the zone's receipts are not whole.
    """
    return rows_of(read_receipts(landing), table=table, delivery=delivery)


def rows_of(
    receipts: Receipts, *, table: str | None = None, delivery: int | None = None
) -> tuple[QuarantinedRow, ...]:
    """The rows that these receipts name; see ``quarantined_rows``."""
    closed = _closed(receipts)
    files = [
        file
        for file in receipts.files
        if file.quarantine_path
        and table in (None, file.table)
        and delivery in (None, file.delivery)
    ]
    rows = [row for file in files for row in _rows_of_file(file, closed)]
    return tuple(sorted(rows, key=lambda row: (row.file.delivery, row.file.table, row.number)))


def rows_named(receipts: Receipts, row_ids: Iterable[str]) -> tuple[QuarantinedRow, ...]:
    """The rows with these ids, each once, in the order of ``quarantined_rows``.

    Raises:
        BadUsage: an id is none, or no row has it.
    """
    wanted = {_canonical(row_id) for row_id in row_ids}
    tables = {
        (int(each["delivery"]), each["table"]) for each in map(_ROW_ID.fullmatch, wanted) if each
    }
    found = [
        row
        for delivery, table in sorted(tables)
        for row in rows_of(receipts, table=table, delivery=delivery)
        if row.row_id in wanted
    ]
    if missing := sorted(wanted - {row.row_id for row in found}):
        raise BadUsage(
            f"no row {missing[0]} was kept apart; `fbacap quarantine list` shows those that were"
        )
    return tuple(found)


def _canonical(row_id: str) -> str:
    match = _ROW_ID.fullmatch(row_id)
    if match is None:
        raise BadUsage(
            f"{row_id!r} is no row's id; write it as 3-order_lines-1, as "
            "`fbacap quarantine list` shows it"
        )
    return f"{match['delivery']}-{match['table']}-{match['number']}"


def _closed(receipts: Receipts) -> dict[str, _Outcome]:
    """What became of the rows that no longer wait, by id."""
    closed: dict[str, _Outcome] = {
        row_id: ("released", file.delivery, None)
        for file in receipts.files
        for row_id in file.released
    }
    for each in receipts.dismissed:
        closed[each.row_id] = ("dismissed", each.delivery, each.reason)
    return closed


def _rows_of_file(file: LandedFile, closed: Mapping[str, _Outcome]) -> Iterable[QuarantinedRow]:
    if file.quarantine_path is None:
        return
    with engine() as connection:
        found = connection.execute(
            "select number, source_row, source_line, rules, fault, sentence, received_at, "
            "map_keys(cells), map_values(cells) "
            f"from read_parquet({sql_literal(file.quarantine_path)}) order by number"
        ).fetchall()
    for number, row, line, rules, fault, sentence, received_at, names, values in found:
        row_id = f"{file.delivery}-{file.table}-{number}"
        state, closed_by, reason = closed.get(row_id, _OPEN)
        yield QuarantinedRow(
            row_id=row_id,
            file=file,
            number=number,
            source_row=row,
            source_line=line,
            rules=tuple(rules),
            fault=fault,
            sentence=sentence,
            received_at=received_at,
            cells=dict(zip(names, values, strict=True)),
            state=state,
            closed_by=closed_by,
            reason=reason,
        )


def count_quarantined(landing: Path, before: datetime) -> dict[str, int]:
    """How many rows received before an instant are kept apart and not released, by table.

    ``before`` is naive UTC. Dismissed rows count: they were received, and no run sees them.

    Raises:
        Corrupted: a file of quarantined rows is missing or has other bytes.
    """
    receipts = read_receipts(landing)
    released = [row_id for file in receipts.files for row_id in file.released]
    require_whole(
        {
            file.quarantine_path: str(file.quarantine_sha256)
            for file in receipts.files
            if file.quarantine_path is not None
        }
    )
    counts: dict[str, int] = {}
    with engine() as connection:
        for file in receipts.files:
            if file.quarantine_path is None:
                continue
            found = connection.execute(
                f"select count(*) from read_parquet({sql_literal(file.quarantine_path)}) "
                "where received_at < $before and not list_contains($released, $prefix || number)",
                {
                    "before": before,
                    "released": released,
                    "prefix": f"{file.delivery}-{file.table}-",
                },
            ).fetchall()
            counts[file.table] = counts.get(file.table, 0) + found[0][0]
    return counts
