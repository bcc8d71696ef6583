"""Keys that stand twice in one delivery.

Here belongs the comparison of a table's rows over all files of the delivery. A key that comes
again in a later delivery is a restatement, and staging takes the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.checks.implied_rules import KEY_RULE
from orchestration.contracts import Contract
from orchestration.errors import BadInput
from orchestration.files import sql_literal
from orchestration.landing.bad_rows import (
    BadRow,
    Fault,
    Handling,
    described,
    raw_cells,
    refuse_beyond_limit,
)
from orchestration.landing.column_types import quoted
from orchestration.landing.reading import ReadableFile
from orchestration.landing.typed_file import without_rows
from orchestration.landing.words import shown

REPEATING = "keys-may-repeat"
_REPEATS = "repeated_rows"


@dataclass
class DeliveredFile:
    """A file of a delivery in the making.

    Attributes:
        file: how it is read.
        sha256: of its bytes.
        typed: the typed copy of its good rows.
        received_rows: rows that it holds.
        bad: those that are not in the typed copy, in the file's order.
    """

    file: ReadableFile
    sha256: str
    typed: Path
    received_rows: int
    bad: list[BadRow]


def keep_first_of_each_key(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    files: Sequence[DeliveredFile],
    handling: Handling,
) -> None:
    """Take rows out of a table's typed copies whose key a row before them has already.

    A bad row takes no key from a good one, because typed copies hold good rows only. Tables whose
    contract is tagged ``keys-may-repeat`` are let pass: the market's rules judge those.

    Args:
        connection: an engine.
        contract: the table's.
        files: the table's files, in the order of the delivery; their rows are taken out in place.
        handling: as for other bad rows.

    Raises:
        BadInput: a key repeats and bad rows are refused, or a file has too many of them.
    """
    if REPEATING in contract.tags or not files:
        return
    counts = _find_repeats(connection, contract, files)
    repeating = [each for each in files if each.sha256 in counts]
    if repeating and handling == "refuse":
        first = _repeats_of(connection, contract, files, repeating[0], first_only=True)[0]
        others = sum(counts.values()) - 1
        more = f" ({others} more {'row repeats' if others == 1 else 'rows repeat'} a key)"
        told = f"{first.sentence}{more if others else ''}"
        raise BadInput(f"{told}; keep one of them and deliver again")
    for each in repeating:
        if handling == "quarantine":
            bad = len(each.bad) + counts[each.sha256]
            candidates = [
                *each.bad[:1],
                *_repeats_of(connection, contract, files, each, first_only=True),
            ]
            first = min(candidates, key=lambda row: row.source_row)
            refuse_beyond_limit(each.file, each.received_rows, bad, first.sentence)
        repeats = _repeats_of(connection, contract, files, each)
        each.bad = sorted([*each.bad, *repeats], key=lambda row: row.source_row)
        rows_sql = f"select source_row from {_REPEATS} where source_file = '{each.sha256}'"
        kept = each.typed.with_suffix(".kept")
        without_rows(connection, each.typed, rows_sql, kept)
        each.typed = kept


def _find_repeats(
    connection: duckdb.DuckDBPyConnection, contract: Contract, files: Sequence[DeliveredFile]
) -> Mapping[str, int]:
    """Make the table of repeated rows; how many there are, by file."""
    key = ", ".join(quoted(name) for name in contract.key)
    paths = ", ".join(sql_literal(each.typed) for each in files)
    rows = f"read_parquet([{paths}])"
    repeated = f"select {key} from {rows} group by {key} having count(*) > 1"
    if connection.execute(f"select 1 from ({repeated}) limit 1").fetchone() is None:
        return {}
    told = ", ".join(f"cast({quoted(name)} as varchar) as value_{name}" for name in contract.key)
    connection.execute(
        f"""
        create or replace temp table {_REPEATS} as
        select source_file, source_row, received_at, first_file, first_row, {told}
        from (
            select {key}, source_file, source_row, received_at,
                first_value(source_file) over same as first_file,
                first_value(source_row) over same as first_row,
                row_number() over same as appearance
            from {rows} semi join ({repeated}) using ({key})
            window same as (
                partition by {key} order by list_position($files, source_file), source_row
            )
        )
        where appearance > 1
        """,
        {"files": [each.sha256 for each in files]},
    )
    counted = connection.execute(f"select source_file, count(*) from {_REPEATS} group by all")
    return {str(sha256): int(count) for sha256, count in counted.fetchall()}


def _repeats_of(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    files: Sequence[DeliveredFile],
    each: DeliveredFile,
    *,
    first_only: bool = False,
) -> tuple[BadRow, ...]:
    """The repeated rows of one file, or the first of them, in the file's order."""
    found = connection.execute(
        f"select * exclude (source_file) from {_REPEATS} where source_file = ? "
        f"order by source_row {'limit 1' if first_only else ''}",
        [each.sha256],
    ).fetchall()
    by_sha256 = {other.sha256: other.file for other in files}
    stand_first: dict[str, list[int]] = {}
    for _, _, first_file, first_row, *_ in found:
        stand_first.setdefault(first_file, []).append(first_row)
    lines = {sha256: by_sha256[sha256].lines(rows) for sha256, rows in stand_first.items()}
    faults = []
    for row, received_at, first_file, first_row, *values in found:
        told = ", ".join(
            f"{name} {shown(value)}" for name, value in zip(contract.key, values, strict=True)
        )
        place = by_sha256[first_file].place(first_row, lines[first_file])
        faults.append((row, Fault((KEY_RULE,), f"{told} stands already in {place}"), received_at))
    cells = raw_cells(connection, each.file, [row for row, *_ in found])
    return described(each.file, faults, cells, ": ")
