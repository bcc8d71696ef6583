"""A column's lineage as a tree of plain values, for the terminal and for scripts.

Here belong the tree and its lines of text; colours and boxes are the command's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from orchestration.lineage.graph import Lineage, LineageColumn


@dataclass(frozen=True)
class Branch:
    """One column in a tree.

    ``shown_above``: its own branches stand elsewhere in the tree, where it came first.
    ``is_cut``: it has branches beyond the depth asked for.
    """

    full_name: str
    branches: tuple[Branch, ...]
    shown_above: bool = False
    is_cut: bool = False


def tree_of(
    lineage: Lineage, full_name: str, *, downstream: bool = False, depth: int | None = None
) -> Branch:
    """What a column comes from, or goes into, step by step.

    A column that several paths meet is followed once, where it stands first; upstream, what an
    earlier run published is named and not followed.

    Args:
        lineage: the graph.
        full_name: the column.
        downstream: towards what is worked out from it.
        depth: the number of steps, or None for all.
    """
    seen: set[str] = set()

    def grow(name: str, steps: int) -> Branch:
        following = lineage.targets(name) if downstream else _sources(lineage, name)
        if name in seen:
            return Branch(name, (), shown_above=bool(following))
        if depth is not None and steps >= depth:
            return Branch(name, (), is_cut=bool(following))
        seen.add(name)
        return Branch(name, tuple(grow(each, steps + 1) for each in following))

    return grow(full_name, 0)


def _sources(lineage: Lineage, name: str) -> tuple[str, ...]:
    return () if lineage.table_of(name).earlier else lineage.sources(name)


def line_of(lineage: Lineage, branch: Branch, *, is_root: bool = False) -> str:
    """A branch in one line: name, formula, unit, rule.

    Args:
        lineage: the graph.
        branch: the column's place in a tree.
        is_root: whether its formula is said even where the branch stands for another.
    """
    column, table = lineage.column(branch.full_name), lineage.table_of(branch.full_name)
    parts = [lineage.label(branch.full_name)]
    if table.earlier:
        parts.append(f"{table.earlier}")
    elif table.layer in ("landing", "run", "policy") and not column.sources:
        parts.append({"landing": "as received", "run": "of the run"}.get(table.layer, "policy"))
    if branch.shown_above and not is_root:
        return f"{' · '.join(parts)} · see above"
    if column.formula:
        parts[-1] += f" = {' '.join(column.formula.split())}"
    parts += [text for text in (column.unit, column.rule and f"rules {column.rule}") if text]
    return " · ".join(parts) + (" …" if branch.is_cut else "")


def document_of(lineage: Lineage, branch: Branch) -> dict[str, Any]:
    """A tree as one JSON document."""
    column = lineage.column(branch.full_name)
    return {
        **facts_of(lineage, branch.full_name),
        "sources": list(column.sources),
        "shown_above": branch.shown_above,
        "is_cut": branch.is_cut,
        "branches": [document_of(lineage, each) for each in branch.branches],
    }


def ends_of(lineage: Lineage, full_name: str, *, downstream: bool = False) -> dict[str, list[str]]:
    """Where a column's lineage ends: columns as received, by table; or the columns it goes into.

    Upstream the columns of the landing zone and the policy's parameters, through earlier runs too;
    downstream those of the marts and of the tables that Python publishes.
    """
    layers = ("market", "marts") if downstream else ("landing", "policy")
    reached = lineage.downstream(full_name) if downstream else lineage.upstream(full_name)
    ends: dict[str, list[str]] = {}
    for name in lineage.column_names:
        table = lineage.table_of(name)
        if name in reached and table.layer in layers:
            ends.setdefault(table.name, []).append(name.rpartition(".")[2])
    return ends


def facts_of(lineage: Lineage, full_name: str) -> dict[str, Any]:
    """What is known of one column, by itself."""
    column, table = lineage.column(full_name), lineage.table_of(full_name)
    return {
        "column": lineage.label(full_name),
        "relation": table.relation,
        "layer": table.layer,
        "earlier": table.earlier,
        "description": column.description,
        "formula": column.formula,
        "reason": column.reason,
        "unit": column.unit,
        "type": column.physical_type,
        "rule": column.rule,
        "made_by": table.made_by,
        "contract_version": table.contract_version,
    }


def paragraphs(lineage: Lineage, full_name: str) -> Iterator[tuple[str, str]]:
    """(heading, text) pairs that introduce a column."""
    column: LineageColumn = lineage.column(full_name)
    table = lineage.table_of(full_name)
    yield "What", column.description
    if column.formula:
        yield "Formula", " ".join(column.formula.split())
    if column.reason:
        yield "Note", column.reason
    yield "Unit", column.unit or "none"
    if column.rule:
        yield "Rule", f"docs/rules.md {column.rule}"
    yield "Made by", table.made_by
    if table.contract_version:
        yield "Contract", f"{table.name} {table.contract_version}"
