"""What can be wrong with one column of a table, and how a refusal must name it.

Here belongs the list of faults. Each turns a good frame of two rows or more into a bad one; where
single values are wrong, the first wrong one stands in row 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import pandas as pd
import pytest

Kind = Literal["whole", "positive", "signed", "nullable_positive", "text", "instant", "flag"]
Fault = tuple[str, Callable[[pd.Series], pd.Series], int]


def one(series: pd.Series, value: object, dtype: str) -> pd.Series:
    """The column as ``dtype``, with ``value`` in row 1 and in the last row."""
    changed = series.astype(object)
    changed.iloc[[1, -1]] = [value, value]
    return changed.astype(dtype)


_NOT_WHOLE: tuple[Fault, ...] = (
    ("float", lambda column: column.astype("float64"), 0),
    ("nullable float", lambda column: column.astype("Float64"), 0),
    ("bool", lambda column: column.astype("bool"), 0),
    ("string", lambda column: column.astype(object).astype(str), 0),
    ("timestamp", lambda column: pd.Series(pd.Timestamp("2026-09-01"), column.index), 0),
    ("a float among objects", lambda column: one(column, 5.0, "object"), 1),
    ("a bool among objects", lambda column: one(column, True, "object"), 1),
    ("a text among objects", lambda column: one(column, "5", "object"), 1),
    ("None among objects", lambda column: one(column, None, "object"), 1),
    ("2^63 among objects", lambda column: one(column, 2**63, "object"), 1),
    ("2^63 as uint64", lambda column: one(column.fillna(1), 2**63, "uint64"), 1),
    ("2^63 as UInt64", lambda column: one(column, 2**63, "UInt64"), 1),
)
_NULL: Fault = ("null", lambda column: one(column, pd.NA, "Int64"), 1)
_NEGATIVE: Fault = ("negative", lambda column: one(column, -1, "Int64"), 1)
_ZERO: Fault = ("zero", lambda column: one(column, 0, "Int64"), 1)

FAULTS: dict[Kind, tuple[Fault, ...]] = {
    "whole": (*_NOT_WHOLE, _NULL, _NEGATIVE),
    "positive": (*_NOT_WHOLE, _NULL, _NEGATIVE, _ZERO),
    "signed": (*_NOT_WHOLE, _NULL),
    "nullable_positive": (*_NOT_WHOLE, _NEGATIVE, _ZERO),
    "text": (
        ("None", lambda column: one(column, None, "object"), 1),
        ("nan", lambda column: one(column, float("nan"), "object"), 1),
        ("a number among texts", lambda column: one(column, 5, "object"), 1),
        ("bytes among texts", lambda column: one(column, b"a", "object"), 1),
        ("null string", lambda column: one(column, pd.NA, "string"), 1),
        ("numbers", lambda column: pd.Series(range(len(column)), column.index), 0),
    ),
    "instant": (
        ("NaT", lambda column: one(column, pd.NaT, "datetime64[us]"), 1),
        ("null with a zone", lambda column: one(column, pd.NaT, "datetime64[us, UTC]"), 1),
        ("string", lambda column: column.astype(str), 0),
        ("integer", lambda column: pd.Series(range(len(column)), column.index), 0),
        ("float", lambda column: pd.Series(1.5, column.index), 0),
        ("objects", lambda column: column.astype(object), 0),
    ),
    "flag": (
        ("null", lambda column: one(column, pd.NA, "boolean"), 1),
        ("integer", lambda column: column.astype("int64"), 0),
        ("string", lambda column: column.astype(object).astype(str), 0),
        ("objects", lambda column: column.astype(object), 0),
    ),
}


def faults_of(columns: dict[str, Kind]) -> list[object]:
    """Test parameters (column, how to break it, first wrong row) for a table's columns."""
    return [
        pytest.param(column, breaks, row, id=f"{column}-{name}")
        for column, kind in columns.items()
        for name, breaks, row in FAULTS[kind]
    ]


def names(table: str, column: str, row: int) -> str:
    """A pattern of the refusal that names table, column and first wrong row."""
    return "^" + re.escape(f"{table}: column '{column}', row {row}: ")


def says_missing(table: str, column: str) -> str:
    """A pattern of the refusal of a table without the column."""
    return "^" + re.escape(f"{table}: column '{column}' is missing; add it")
