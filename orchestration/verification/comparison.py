"""Comparing what is published with what was re-derived, row by row, in SQL.

Here belongs pairing two relations by key and naming the first rows that differ. Which relations are
compared is ``run_checks``' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from orchestration.verification.findings import SHOWN, Comparison, Difference

NO_ROW = "no row"
NULL = "null"


@dataclass(frozen=True)
class Pairing:
    """Two relations of one shape: a name, what is published, what it should be, key and columns.

    ``published`` and ``expected`` are relation names or parenthesised queries. A key that stands
    several times on one side is paired copy by copy, so a doubled row is one too many.
    """

    name: str
    published: str
    expected: str
    key: tuple[str, ...]
    columns: tuple[str, ...]


def compare(connection: duckdb.DuckDBPyConnection, run: str, pairing: Pairing) -> Comparison:
    """Compare two relations; rows on one side only count as differing."""
    paired = _paired(pairing)
    row = connection.execute(
        f"select count(*), count(*) filter (where differs) from ({paired})"
    ).fetchone()
    rows, differing = (int(row[0]), int(row[1])) if row else (0, 0)
    found: list[Difference] = []
    if differing:
        names = [*pairing.key, *(f"p_{name}" for name in pairing.columns)]
        names += [f"e_{name}" for name in pairing.columns]
        selected = ", ".join(f'cast("{name}" as varchar)' for name in names)
        order = ", ".join(f'"{name}"' for name in pairing.key)
        first = connection.execute(
            f"select is_published, is_expected, {selected} from ({paired}) where differs "
            f"order by {order}, copy limit {SHOWN}"
        ).fetchall()
        found = [difference for values in first for difference in _differences(pairing, values)]
    return Comparison(pairing.name, run, rows, differing, tuple(found))


def _paired(pairing: Pairing) -> str:
    sides = []
    for source, prefix in ((pairing.published, "p"), (pairing.expected, "e")):
        key = ", ".join(f'"{name}" as {prefix}_key_{name}' for name in pairing.key)
        columns = ", ".join(f'"{name}" as {prefix}_{name}' for name in pairing.columns)
        partition = ", ".join(f'"{name}"' for name in pairing.key)
        order = ", ".join(f'"{name}"' for name in pairing.columns)
        sides.append(
            f"(select {key}, {columns}, row_number() over (partition by {partition} "
            f"order by {order}) as {prefix}_copy from {source})"
        )
    same_key = " and ".join(
        [f"p_key_{name} is not distinct from e_key_{name}" for name in pairing.key]
        + ["p_copy = e_copy"]
    )
    keys = ", ".join(f'coalesce(p_key_{name}, e_key_{name}) as "{name}"' for name in pairing.key)
    differs = " or ".join(
        ["p_copy is null", "e_copy is null"]
        + [f"p_{name} is distinct from e_{name}" for name in pairing.columns]
    )
    return (
        f"select *, {keys}, coalesce(p_copy, e_copy) as copy, p_copy is not null as is_published, "
        f"e_copy is not null as is_expected, {differs} as differs "
        f"from {sides[0]} full join {sides[1]} on {same_key}"
    )


def _differences(pairing: Pairing, values: Sequence[object]) -> list[Difference]:
    is_published, is_expected, *texts = values
    width, columns = len(pairing.key), len(pairing.columns)
    key = dict(zip(pairing.key, (_text(value) for value in texts[:width]), strict=True))
    if not is_published or not is_expected:
        there, absent = "a row", NO_ROW
        pair = (there, absent) if is_published else (absent, there)
        return [Difference(key, "the row", *pair)]
    published, expected = texts[width : width + columns], texts[width + columns :]
    return [
        Difference(key, column, _text(left), _text(right))
        for column, left, right in zip(pairing.columns, published, expected, strict=True)
        if left != right
    ]


def _text(value: object) -> str:
    return NULL if value is None else str(value)
