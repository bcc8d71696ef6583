"""From what a file holds to a contract's types, without ever losing anything.

Here belong SQL expressions that are null where a value does not fit its column, and the words for
why it does not. Which rows and files they are used on is for ``reading`` and ``checking``.
"""

from __future__ import annotations

import re
from functools import cache

from orchestration.contracts import Column

WHOLE_NUMBER = r"[+-]?[0-9]+"
DECIMAL_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_OFFSET = r"(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"  # none on earth is beyond 14 hours
_INSTANT = _DAY + r"[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6}0*)?)?" + _OFFSET + "?"
_QUARTER = r"[0-9]{4}[Qq][1-4]"
_DECIMAL_TYPE = re.compile(r"DECIMAL\((?P<width>[0-9]+),(?P<scale>[0-9]+)\)")
_WHOLE_TYPES = frozenset(
    f"{sign}{size}"
    for sign in ("", "U")
    for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
)
_INSTANT_TYPES = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
_ZONED_TYPE = "TIMESTAMP WITH TIME ZONE"
_NOTHING = '"NULL"'  # of a column that holds no value at all, as data frames write it


def quoted(name: str) -> str:
    """A name as a SQL identifier.

    >>> quoted("sku")
    '"sku"'
    """
    return '"' + name.replace('"', '""') + '"'


def typed_sql(column: Column, file_type: str) -> str | None:
    """The column's value in the contract's type, null where it does not fit without loss.

    None when no value of ``file_type`` can be taken for the column: text is taken for any column,
    as in CSV, and a column without any value is; floating point is never taken for money or volume,
    which it cannot hold (rules §0).

    >>> typed_sql(Column("units", "BIGINT", True, "Units."), "INTEGER")
    'try_cast("units" as BIGINT)'
    >>> typed_sql(Column("revenue", "DECIMAL(18,2)", True, "Revenue."), "DOUBLE") is None
    True
    """
    name, target = quoted(column.name), column.physical_type
    if file_type == _NOTHING:
        return "null"
    if file_type == "VARCHAR":
        return _from_text(column, name if target == "VARCHAR" else f"nullif({name}, '')")
    if target in _WHOLE_TYPES:
        return f"try_cast({name} as {target})" if file_type in _WHOLE_TYPES else None
    if _DECIMAL_TYPE.fullmatch(target):
        if file_type in _WHOLE_TYPES:
            return f"try_cast({name} as {target})"
        if _DECIMAL_TYPE.fullmatch(file_type):  # through text: a cast would round what is too fine
            return _from_text(column, f"cast({name} as varchar)")
        return None
    if target == "TIMESTAMP":
        return _from_instant(name, file_type)
    if target == "DATE":
        return _from_day(name, file_type)
    return name if file_type == target else None


def why_unfit(column: Column, value: str) -> str:
    """The words for why a value, as text, does not fit its column.

    >>> why_unfit(Column("revenue", "DECIMAL(18,2)", True, "Revenue."), "1.005")
    'has more than 2 decimal places'
    """
    target = column.physical_type
    if target in _WHOLE_TYPES:
        is_number = re.fullmatch(WHOLE_NUMBER, value)
        return f"is out of the range of {target}" if is_number else "is not a whole number"
    if match := _DECIMAL_TYPE.fullmatch(target):
        if not re.fullmatch(DECIMAL_NUMBER, value):
            return "is not a number in plain digits"
        if len(value.partition(".")[2].rstrip("0")) > int(match["scale"]):
            return f"has more than {int(match['scale'])} decimal places"
        return f"is too large for {target}"
    if target == "TIMESTAMP":
        return "is not a time in ISO 8601, to the microsecond at most, as 2026-08-20T13:45:00Z"
    if column.unit == "quarter":
        return "is not a quarter as 2026Q4 or 2026-10-01"
    if target == "DATE":
        return "is not a day as 2026-08-20"
    if column.unit == "ISO 4217":
        return "is not the ISO 4217 code, in capitals, of a currency with a minor unit"
    return "is neither true nor false"


def _from_text(column: Column, text: str) -> str:
    target = column.physical_type
    if target in _WHOLE_TYPES:
        return _where_matches(text, WHOLE_NUMBER, f"try_cast({text} as {target})")
    if match := _DECIMAL_TYPE.fullmatch(target):
        scale = int(match["scale"])
        pattern = rf"[+-]?(?:[0-9]+(?:\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{max(scale, 1)}}}0*)"
        return _where_matches(text, pattern, f"try_cast({text} as {target})")
    if target == "TIMESTAMP":
        # A cast of text to TIMESTAMP drops a UTC offset in silence; TIMESTAMPTZ heeds it.
        instant = f"make_timestamp(epoch_us(try_cast({text} as timestamptz)))"
        return _where_matches(text, _INSTANT, instant)
    if target == "DATE":
        day = _where_matches(text, _DAY, f"try_cast({text} as date)")
        return _from_quarter(text, day) if column.unit == "quarter" else day
    if target == "BOOLEAN":
        return f"case lower({text}) when 'true' then true when 'false' then false end"
    if column.unit == "ISO 4217":
        return f"case when {text} in ({_currency_codes()}) then {text} end"
    return text


def _from_quarter(text: str, day: str) -> str:
    year, number = f"cast(left({text}, 4) as bigint)", f"cast(right({text}, 1) as bigint)"
    first = f"make_date({year}, 3 * {number} - 2, 1)"
    return f"coalesce({_where_matches(text, _QUARTER, first)}, {day})"


def _from_instant(name: str, file_type: str) -> str | None:
    if file_type == _ZONED_TYPE:
        return f"case when isfinite({name}) then make_timestamp(epoch_us({name})) end"
    if file_type not in _INSTANT_TYPES:
        return None
    exact = f" and epoch_ns({name}) % 1000 = 0" if file_type == "TIMESTAMP_NS" else ""
    return f"case when isfinite({name}){exact} then cast({name} as timestamp) end"


def _from_day(name: str, file_type: str) -> str | None:
    if file_type == "DATE":
        return f"case when isfinite({name}) then {name} end"
    if file_type not in _INSTANT_TYPES:
        return None
    midnight = f"cast(cast({name} as date) as timestamp)"
    return f"case when isfinite({name}) and {midnight} = {name} then cast({name} as date) end"


def _where_matches(text: str, pattern: str, value: str) -> str:
    return f"case when regexp_full_match({text}, '{pattern}') then {value} end"


@cache
def _currency_codes() -> str:
    """Codes of currencies that money can be counted in: gold and test codes have no minor unit."""
    from iso4217 import Currency

    codes = sorted(currency.code for currency in Currency if currency.exponent is not None)
    return ", ".join(f"'{code}'" for code in codes)
