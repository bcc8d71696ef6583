"""Rows against their contract: types, required values and the rules of single rows.

Here belongs finding the bad rows and saying what is wrong with each. Rules that compare rows are
judged on the tables between stages; keys that stand twice are ``keys``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

import duckdb

from orchestration.contracts import Column, Rule
from orchestration.errors import BadInput
from orchestration.landing.bad_rows import (
    AGAIN,
    BadRow,
    Fault,
    Handling,
    allowed_bad_rows,
    described,
    raw_cells,
    refuse_beyond_limit,
)
from orchestration.landing.column_types import quoted, why_unfit
from orchestration.landing.reading import RECEIVED_AT, RECEIVED_AT_RULES, ROWS, ReadableFile
from orchestration.landing.words import shown

_BAD_ROWS = "bad_rows"


@dataclass(frozen=True)
class JudgedRows:
    """How many rows a file has, and those that break its contract."""

    received_rows: int
    bad: tuple[BadRow, ...]


@dataclass(frozen=True)
class _Row:
    """A bad row: its cells as they stand, and its values in the contract's types, as text."""

    cells: Mapping[str, str | None]
    values: Mapping[str, str | None]


@dataclass(frozen=True)
class _Check:
    """``is_bad``: a predicate of rows; ``words``: what is wrong with a row that it is true of."""

    is_bad: str
    words: Callable[[_Row], str]


def judge_rows(
    connection: duckdb.DuckDBPyConnection,
    file: ReadableFile,
    received_at_sql: str,
    delivered_at: datetime,
    handling: Handling,
) -> JudgedRows:
    """Judge the rows that ``read_rows`` read, all at once; the bad ones are taken out of ``ROWS``.

    Args:
        connection: the engine that holds ``ROWS``.
        file: the file.
        received_at_sql: when each row was received.
        delivered_at: when the delivery came, for bad rows of which that cannot be said.
        handling: whether bad rows are kept apart, refused, or given back without a limit.

    Raises:
        BadInput: a row is bad and bad rows are refused, or there are too many; names the first.
    """
    checks = _checks(file)
    is_bad = " or ".join(check.is_bad for check in checks.values())
    counted = connection.execute(
        f"select count(*), count(*) filter (where {is_bad}) from {ROWS}"
    ).fetchone()
    if counted is None:
        raise ValueError("an aggregate has one row")
    rows, bad = counted
    if not bad:
        return JudgedRows(rows, ())
    received_at = _received_at(received_at_sql, delivered_at)
    if handling == "refuse" or (handling == "quarantine" and bad > allowed_bad_rows(rows)):
        _refuse(connection, file, checks, received_at, rows, bad, handling)
    found = _bad_rows(connection, file, checks, received_at)
    connection.execute(
        f"delete from {ROWS} where source_row in (select source_row from {_BAD_ROWS})"
    )
    connection.execute(f"drop table {_BAD_ROWS}")
    return JudgedRows(rows, found)


def _received_at(received_at_sql: str, delivered_at: datetime) -> str:
    """When a bad row was received: a time that is missing or absurd is the delivery's."""
    received = f"try({received_at_sql})"
    is_sound = f"{received} between timestamp '1900-01-01' and timestamp '2199-12-31'"
    return f"case when {is_sound} then {received} else timestamp '{delivered_at}' end"


def _refuse(
    connection: duckdb.DuckDBPyConnection,
    file: ReadableFile,
    checks: Mapping[str, _Check],
    received_at: str,
    rows: int,
    bad: int,
    handling: Handling,
) -> NoReturn:
    """Refuse the file for its first bad row, or for there being too many."""
    first = _bad_rows(connection, file, checks, received_at, first_only=True)[0]
    if handling == "quarantine":
        refuse_beyond_limit(file, rows, bad, first.sentence)
    counted = connection.execute(
        f"select count(*) - 1 from {ROWS} where {checks[first.fault.rules[0]].is_bad}"
    ).fetchone()
    others = counted[0] if counted else 0
    more = f" ({others} more {'row has' if others == 1 else 'rows have'} this fault)"
    raise BadInput(f"{first.sentence}{more if others else ''}; {AGAIN}")


def _bad_rows(
    connection: duckdb.DuckDBPyConnection,
    file: ReadableFile,
    checks: Mapping[str, _Check],
    received_at: str,
    *,
    first_only: bool = False,
) -> tuple[BadRow, ...]:
    """The bad rows, or the first of them; their table stays for ``judge_rows`` to take them out."""
    _find_bad_rows(connection, file, checks, received_at, first_only=first_only)
    found = connection.execute(f"select * from {_BAD_ROWS} order by source_row").fetchall()
    cells = raw_cells(connection, file, [row for row, *_ in found])
    names = [column.name for column in file.columns]
    faults = []
    for row, rules, counted_at, *values in found:
        told = _Row(
            dict(zip(file.types, cells[row], strict=True)), dict(zip(names, values, strict=True))
        )
        fault = Fault(tuple(rules), checks[rules[0]].words(told))
        faults.append((row, fault, counted_at))
    return described(file, faults, cells, ", ")


def _find_bad_rows(
    connection: duckdb.DuckDBPyConnection,
    file: ReadableFile,
    checks: Mapping[str, _Check],
    received_at: str,
    *,
    first_only: bool,
) -> None:
    """Make the table of bad rows: the rules that each breaks in the checks' order, its values."""
    broken = ", ".join(
        f"case when {check.is_bad} then '{rule}' end" for rule, check in checks.items()
    )
    values = ", ".join(
        f"cast({quoted(column.name)} as varchar) as value_{column.name}" for column in file.columns
    )
    is_bad = " or ".join(check.is_bad for check in checks.values())
    some = "order by source_row limit 1" if first_only else ""
    connection.execute(
        f"create or replace temp table {_BAD_ROWS} as select source_row, "
        f"list_filter([{broken}], lambda rule: rule is not null) as rules, "
        f"{received_at} as counted_at, {values} "
        f"from (select * from {ROWS} where {is_bad} {some})"
    )


def _checks(file: ReadableFile) -> dict[str, _Check]:
    """By rule, in the order in which a row's faults are told: a type before what it must be."""
    checks = {}
    for column in file.columns:
        if column.name in file.types:
            checks[f"{column.name}_fits_its_type"] = _unfit(column)
        if column.required:
            checks[f"{column.name}_is_present"] = _missing(column)
    own = RECEIVED_AT_RULES if RECEIVED_AT.name in file.types else ()
    for rule in (*file.contract.rules, *own):
        if rule.kind == "row" and rule.severity == "error":
            checks[rule.name] = _rule(rule)
    return checks


def _unfit(column: Column) -> _Check:
    def words(row: _Row) -> str:
        cell = str(row.cells[column.name])
        return f"column {column.name}: {shown(cell)} {why_unfit(column, cell)}"

    return _Check(f"unfit_{column.name}", words)


def _missing(column: Column) -> _Check:
    return _Check(
        f"({quoted(column.name)} is null and not unfit_{column.name})",
        lambda _row: f"column {column.name}: the value is missing",
    )


def _rule(rule: Rule) -> _Check:
    def words(row: _Row) -> str:
        values = [(name, row.values[name]) for name in rule.columns]
        told = " and ".join(
            f"{name} is {'empty' if value is None else shown(value)}" for name, value in values
        )
        return f"{told}: {rule.sentence.rstrip('.')}"

    # A value may be too far off for the rule's own arithmetic: it does not hold of such a row.
    return _Check(f"(try({rule.sql}) is not true)", words)
