"""Reading columns out of data frames, refusing what is not what it should be.

Here belongs the one checker that every stage's entry uses: right type, nothing null, nothing
negative, or a ValueError that names table, column and row (rows are counted from 0). Here do not
belong rules about what the values mean; those live with their stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from fbacap_logic.units import INT64_MAX, INT64_MIN, Int64Array

TextArray = npt.NDArray[np.object_]
BoolArray = npt.NDArray[np.bool_]
InstantArray = npt.NDArray[np.datetime64]
TextColumn = TextArray | pd.api.extensions.ExtensionArray

MARKET_KEY = ("marketplace_id", "storage_type")
SELLER_MARKET_KEY = ("marketplace_id", "storage_type", "seller_id")
GRANT_KEY = ("request_id", "round")

_UNITS = ("_minor", "_per_ft3", "_milli_ft3", "_bp")
_COUNTS = ("round", "revision", "requests", "winners", "days_in_force", "days_in_quarter")
_NULLABLE_COLUMNS = (
    "clearing_fee_minor_per_ft3",
    "cover_ratio_bp",
    "marginal_fill_bp",
    "repriced_in_round",
)


def refuse(table: str, column: str, row: int, fault: str) -> NoReturn:
    """Raise the one kind of error that input columns raise."""
    raise ValueError(f"{table}: column '{column}', row {row}: {fault}")


def require_columns(frame: pd.DataFrame, columns: Sequence[str], table: str) -> None:
    """Refuse a frame that lacks one of ``columns``, naming the first missing one."""
    for column in columns:
        if column not in frame.columns:
            raise ValueError(f"{table}: column '{column}' is missing; add it")


def integers(
    frame: pd.DataFrame, column: str, table: str, *, minimum: int | None = 0
) -> Int64Array:
    """One integer column as int64, with nothing null and nothing below ``minimum``.

    Raises:
        ValueError: missing, not an integer type (floats never hold money or volume), null, below
            the minimum, or past 2^63 − 1.

    >>> integers(pd.DataFrame({"fee_minor": [5, 7]}), "fee_minor", "grants")
    array([5, 7])
    """
    values, null = nullable_integers(frame, column, table, minimum=minimum)
    if null.any():
        refuse(table, column, int(np.argmax(null)), "is null; every row needs a whole number")
    return values


def nullable_integers(
    frame: pd.DataFrame, column: str, table: str, *, minimum: int | None = 0
) -> tuple[Int64Array, BoolArray]:
    """One integer column that may hold nulls: (int64 with 0 where null, null mask).

    Raises:
        ValueError: as ``integers``, except for nulls.
    """
    require_columns(frame, [column], table)
    series = frame[column]
    if len(series) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
    kind = getattr(series.dtype, "kind", "O")
    if kind not in "iu":
        _refuse_type(series, column, table)
    if isinstance(series.dtype, np.dtype):
        raw, null = series.to_numpy(), np.zeros(len(series), dtype=np.bool_)
    else:
        null = series.isna().to_numpy(dtype=np.bool_)
        raw = series.fillna(0).to_numpy(dtype=np.uint64 if kind == "u" else np.int64)
    if raw.dtype == np.uint64 and int(raw.max()) > INT64_MAX:
        refuse(table, column, int(np.argmax(raw > INT64_MAX)), "passes 2^63 - 1; use less")
    values = raw.astype(np.int64, copy=False)
    if minimum is not None:
        if int(values.min()) >= minimum:
            return values, null
        low = (values < minimum) & ~null
        if low.any():
            row = int(np.argmax(low))
            refuse(table, column, row, f"is {values[row]}; it must be at least {minimum}")
    return values, null


def texts(frame: pd.DataFrame, column: str, table: str) -> TextArray:
    """One text column as Python strings, with nothing null.

    Raises:
        ValueError: missing, null, or something that is not text.
    """
    require_columns(frame, [column], table)
    values = frame[column].to_numpy(dtype=object)
    if len(values) == 0 or pd.api.types.infer_dtype(values, skipna=False) == "string":
        return values
    wrong = np.array([not isinstance(value, str) for value in values], dtype=np.bool_)
    refuse(table, column, int(np.argmax(wrong)), "is null or not text; every row needs text")


def text_column(frame: pd.DataFrame, column: str, table: str) -> TextColumn:
    """One text column as pandas holds it, with nothing null; Arrow-backed text stays as it is.

    Raises:
        ValueError: missing, null, or something that is not text.
    """
    require_columns(frame, [column], table)
    held: pd.api.extensions.ExtensionArray = frame[column].array
    if not isinstance(held.dtype, pd.StringDtype):
        return texts(frame, column, table)
    null = held.isna()
    if null.any():
        refuse(table, column, int(np.argmax(null)), "is null or not text; every row needs text")
    return held


def instants(frame: pd.DataFrame, column: str, table: str) -> InstantArray:
    """One timestamp column as naive UTC datetime64, with nothing null.

    Raises:
        ValueError: missing, null, or not a timestamp type.
    """
    values = nullable_instants(frame, column, table)
    null = np.isnat(values)
    if null.any():
        refuse(table, column, int(np.argmax(null)), "is null; every row needs a timestamp")
    return values


def nullable_instants(frame: pd.DataFrame, column: str, table: str) -> InstantArray:
    """One timestamp column as naive UTC datetime64; nulls are NaT."""
    require_columns(frame, [column], table)
    series = frame[column]
    if len(series) == 0:
        return np.empty(0, dtype="datetime64[us]")
    if not pd.api.types.is_datetime64_any_dtype(series.dtype):
        refuse(table, column, 0, f"the column holds {series.dtype}; give it UTC timestamps")
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return series.to_numpy(dtype=f"datetime64[{series.dt.unit}]")  # held in UTC, so no copy
    return series.to_numpy()


def flags(frame: pd.DataFrame, column: str, table: str) -> BoolArray:
    """One boolean column, with nothing null.

    Raises:
        ValueError: missing, null, or not boolean.
    """
    require_columns(frame, [column], table)
    series = frame[column]
    if len(series) == 0:
        return np.empty(0, dtype=np.bool_)
    if getattr(series.dtype, "kind", "O") != "b":
        refuse(table, column, 0, f"the column holds {series.dtype}; it must be true or false")
    null = series.isna().to_numpy(dtype=np.bool_)
    if null.any():
        refuse(table, column, int(np.argmax(null)), "is null; it must be true or false")
    return series.to_numpy(dtype=np.bool_)


def codes_of(*columns: npt.NDArray[Any]) -> tuple[Int64Array, Int64Array]:
    """Number the distinct keys of some columns in key order (text by bytes).

    Returns:
        (code of each row, first row of each code).

    >>> codes_of(np.array(["b", "a", "b"], dtype=object))
    (array([1, 0, 1]), array([1, 0]))
    """
    combined = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        code, distinct = pd.factorize(column, sort=True)
        combined = combined * max(len(distinct), 1) + code
    _, first_row, inverse = np.unique(combined, return_index=True, return_inverse=True)
    return inverse.astype(np.int64), first_row.astype(np.int64)


def require_unique(frame: pd.DataFrame, key: Sequence[str], table: str) -> None:
    """Refuse a frame in which a key stands twice, naming the second row."""
    require_columns(frame, key, table)
    repeated = frame.duplicated(list(key)).to_numpy()
    if repeated.any():
        row = int(np.argmax(repeated))
        found = ", ".join(f"{name} {frame[name].tolist()[row]!r}" for name in key)
        raise ValueError(f"{table}: row {row} repeats the key {found}; keep one row a key")


def naive_utc(instant: datetime) -> np.datetime64:
    """An aware instant as naive UTC datetime64, as tables hold it."""
    return pd.Timestamp(instant).tz_convert("UTC").tz_localize(None).to_datetime64()


def nullable(values: Int64Array, null: BoolArray) -> pd.Series[int]:
    """A nullable Int64 column from values and a null mask."""
    return pd.Series(pd.arrays.IntegerArray(values.astype(np.int64), null.copy()))


def empty_table(columns: Sequence[str]) -> pd.DataFrame:
    """A table without rows whose columns have the types that their names promise (rules §0).

    >>> empty_table(["request_id", "fee_minor"]).dtypes.astype(str).tolist()
    ['object', 'int64']
    """
    return pd.DataFrame({name: pd.Series(dtype=_type_by_name(name)) for name in columns})


def _type_by_name(column: str) -> str:
    if column in _NULLABLE_COLUMNS:
        return "Int64"
    if column.endswith("_at"):
        return "datetime64[us]"
    return "int64" if column in _COUNTS or column.endswith(_UNITS) else "object"


def _refuse_type(series: pd.Series[Any], column: str, table: str) -> NoReturn:
    row = 0
    if series.dtype == object:
        wrong = [
            not isinstance(value, (int, np.integer))
            or isinstance(value, bool)
            or not INT64_MIN <= value <= INT64_MAX
            for value in series
        ]
        row = int(np.argmax(wrong))
    refuse(
        table,
        column,
        row,
        f"the column holds {series.dtype}; money and volume are 64-bit integers, cast it to BIGINT",
    )
