"""The unit of a number that people are shown, whoever declares its column.

Contracts declare units where money, volume or shares stand; dbt's models and the rest of the
contracts name the unit last in the column's name, which is read here.
"""

from __future__ import annotations

_NUMERIC = ("INT", "BIGINT", "HUGEINT", "DECIMAL", "DOUBLE", "FLOAT", "REAL")

# By whole name, where the name's end does not tell.
_BY_NAME = {
    "amount": "currency",
    "cell": "place, from 1",
    "credit": "currency",
    "days_since_joining": "days",
    "delta_net_due": "currency",
    "fee": "currency",
    "incremental_sales": "currency",
    "minor_unit_digits": "digits",
    "net_due": "currency",
    "points": "points",
    "products": "count",
    "requests": "count",
    "revenue": "currency",
    "revision": "number, from 1",
    "round": "round, from 1",
    "score_gain": "points",
    "score_part": "points",
    "snapshot_days_90d": "days",
    "source_row": "row, from 1",
    "units": "units",
    "version_number": "number, from 1",
    "week_index": "weeks before the cut-off",
    "winners": "count",
    "winners_wholly_offset": "count",
}

# The longest end first: what stands last is most telling.
_BY_END = (
    ("_milli_ft3_days", "milli_ft3 days"),
    ("_minor_per_ft3", "minor per ft3"),
    ("_per_ft3", "currency per ft3"),
    ("_milli_ft3", "milli_ft3"),
    ("_micro_ft3", "micro_ft3"),
    ("_sku_days", "SKU days"),
    ("_unit_days", "unit days"),
    ("_in_force", "days"),
    ("_in_quarter", "days"),
    ("_carry_days", "days"),
    ("_minor", "minor"),
    ("_skus", "SKUs"),
    ("_units", "units"),
    ("_round", "round, from 1"),
    ("_ft3", "ft3"),
    ("_bp", "bp"),
)


def is_number(data_type: str) -> bool:
    """Whether a column of this type holds numbers.

    >>> is_number("decimal(18,2)"), is_number("DATE")
    (True, False)
    """
    return data_type.upper().startswith(_NUMERIC)


def shown_unit(name: str, declared: str | None = None) -> str | None:
    """A column's unit: as its contract declares it, else as its name says; None where neither does.

    >>> shown_unit("net_due_minor"), shown_unit("fee"), shown_unit("cover", "bp")
    ('minor', 'currency', 'bp')
    >>> shown_unit("seller_id") is None
    True
    """
    if declared:
        return declared
    by_end = next((unit for end, unit in _BY_END if name.endswith(end)), None)
    return _BY_NAME.get(name, by_end)
