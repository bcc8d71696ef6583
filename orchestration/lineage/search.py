"""Finding the table or column that a user means."""

from __future__ import annotations

from difflib import get_close_matches

from orchestration.errors import BadUsage
from orchestration.lineage.graph import Lineage, LineageTable


def find(lineage: Lineage, words: str) -> LineageTable | str:
    """The table, or the full name of the column, that is named.

    Args:
        lineage: where to look.
        words: ``settlements``, ``settlements.net_due_minor``, or either with its schema, in
            capitals or not.

    Raises:
        BadUsage: there is none; it suggests the nearest names.
    """
    tables = {table.name: table for table in lineage.tables.values()}
    tables |= {table.relation: table for table in lineage.tables.values()}
    columns = {lineage.label(name): name for name in lineage.column_names}
    columns |= {name: name for name in lineage.column_names}
    if words in tables:
        return tables[words]
    if words in columns:
        return columns[words]
    if words != words.lower():
        return find(lineage, words.lower())
    start, _, column = words.rpartition(".")
    if start in tables:
        table = tables[start]
        own = [each.name for each in table.columns]
        near = get_close_matches(column, own, n=3, cutoff=0.5)
        raise BadUsage(
            f"{table.name} has no column '{column}'; see `fbacap lineage {table.name}`"
            + _suggestion([f"{table.name}.{name}" for name in near])
        )
    called = [name for name in columns if name.count(".") == 1]
    same = [name for name in called if name.endswith(f".{words}")]
    near = same[:3] or get_close_matches(words, [*tables, *called], n=3, cutoff=0.6)
    raise BadUsage(
        f"there is no table or column '{words}'"
        + (_suggestion(near) or "; name it as settlements or settlements.net_due_minor")
    )


def _suggestion(near: list[str]) -> str:
    return f"; did you mean {' or '.join(near)}?" if near else ""
