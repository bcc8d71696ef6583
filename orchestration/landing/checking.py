"""Rows against their contract: types, required values and the rules of single rows.

Here belongs finding the first bad row and saying what is wrong with it. Rules that compare rows
are judged on the tables between stages; keys that stand twice are ``keys``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from orchestration.contracts import Column, Rule
from orchestration.errors import BadInput
from orchestration.landing.column_types import quoted, why_unfit
from orchestration.landing.reading import ROWS, ReadableFile, raw_value

_LONGEST_VALUE = 60


@dataclass(frozen=True)
class RowSummary:
    """How many rows a file has, and between which times they were received (naive UTC)."""

    rows: int
    received_at_min: datetime | None
    received_at_max: datetime | None


@dataclass(frozen=True)
class _Check:
    """``is_bad``: a predicate of rows; ``fault``: what is wrong with one row, by its number."""

    is_bad: str
    fault: Callable[[int], str]


def check_rows(
    connection: duckdb.DuckDBPyConnection, file: ReadableFile, received_at_sql: str
) -> RowSummary:
    """Judge the rows that ``read_rows`` read, all at once.

    Raises:
        BadInput: a row breaks the contract; names the first one, and counts those like it.
    """
    checks = _checks(connection, file)
    firsts = "".join(f", min(case when {check.is_bad} then source_row end)" for check in checks)
    found = connection.execute(
        f"select count(*), min({received_at_sql}), max({received_at_sql}){firsts} from {ROWS}"
    ).fetchone()
    if found is None:
        raise ValueError("an aggregate has one row")
    rows, earliest, latest, *first_bad = found
    broken = [(row, place) for place, row in enumerate(first_bad) if row is not None]
    if broken:
        row, place = min(broken)
        raise BadInput(_sentence(connection, file, checks[place], row))
    return RowSummary(rows, earliest, latest)


def shown(value: object) -> str:
    r"""A value as it may stand in a sentence: short, on one line, whatever a seller wrote in it.

    >>> shown("a" + chr(27) + "[31m")
    "'a\\x1b[31m'"
    """
    text = str(value)
    return repr(text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…")


def _sentence(
    connection: duckdb.DuckDBPyConnection, file: ReadableFile, check: _Check, row: int
) -> str:
    counted = connection.execute(f"select count(*) from {ROWS} where {check.is_bad}").fetchone()
    others = counted[0] - 1 if counted else 0
    more = f" ({others} more {'row has' if others == 1 else 'rows have'} this fault)"
    return (
        f"{file.place(row)}, {check.fault(row)}{more if others else ''}; "
        "correct it and deliver the file again"
    )


def _checks(connection: duckdb.DuckDBPyConnection, file: ReadableFile) -> list[_Check]:
    """In the order in which a row's faults are told: a value's type before what it must be."""
    checks = []
    for column in file.columns:
        if column.name in file.types:
            checks.append(_unfit(connection, file, column))
        if column.required:
            checks.append(_missing(column))
    checks.extend(
        _rule(connection, rule)
        for rule in file.contract.rules
        if rule.kind == "row" and rule.severity == "error"
    )
    return checks


def _unfit(connection: duckdb.DuckDBPyConnection, file: ReadableFile, column: Column) -> _Check:
    def fault(row: int) -> str:
        value = raw_value(connection, file, column.name, row)
        return f"column {column.name}: {shown(value)} {why_unfit(column, value)}"

    return _Check(f"unfit_{column.name}", fault)


def _missing(column: Column) -> _Check:
    return _Check(
        f"({quoted(column.name)} is null and not unfit_{column.name})",
        lambda _row: f"column {column.name}: the value is missing",
    )


def _rule(connection: duckdb.DuckDBPyConnection, rule: Rule) -> _Check:
    def fault(row: int) -> str:
        names = ", ".join(f"cast({quoted(name)} as varchar)" for name in rule.columns)
        values = connection.execute(
            f"select {names} from {ROWS} where source_row = ?", [row]
        ).fetchone()
        told = " and ".join(
            f"{name} is {'empty' if value is None else shown(value)}"
            for name, value in zip(rule.columns, values or (), strict=True)
        )
        return f"{told}: {rule.sentence.rstrip('.')}"

    return _Check(f"(({rule.sql}) is not true)", fault)
