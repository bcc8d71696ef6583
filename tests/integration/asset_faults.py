"""What an asset of the lineage UI lacks, as sentences; held against the graph and against bad ones.

Here belong the rules of description; which assets they are held against is in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import dagster as dg

from orchestration.descriptions.groups import GROUPS, group_of
from orchestration.descriptions.specs import COLUMN_SCHEMA
from orchestration.descriptions.units import is_number

_PARTS = ("**Grain:**", "**Rule:**", "**Formula**")
_UNIT = re.compile(r"^\[[^\]]+\] .")
_GROUPS = {group_of(name) for name in GROUPS}


def asset_faults(spec: dg.AssetSpec, *, is_table: bool = True) -> list[str]:
    """Everything that the spec of one asset lacks; nothing if it is described."""
    return list(_faults(spec, is_table))


def _faults(spec: dg.AssetSpec, is_table: bool) -> Iterator[str]:
    if not spec.owners:
        yield "has no owner"
    if not spec.kinds:
        yield "has no kinds"
    if spec.group_name not in _GROUPS:
        yield f"is in group {spec.group_name}, which has no place in the order"
    text = spec.description or ""
    yield from (f"lacks {part}" for part in _PARTS if part not in text)
    if "§" not in str(spec.metadata.get("rule", "")):
        yield "names no section of the rules"
    if "## " not in getattr(spec.metadata.get("rule_text"), "value", ""):
        yield "does not show the rule's words"
    if is_table:
        yield from _column_faults(spec)


def _column_faults(spec: dg.AssetSpec) -> Iterator[str]:
    schema = spec.metadata.get(COLUMN_SCHEMA)
    if schema is None:
        yield "has no column schema"
        return
    for column in schema.columns:
        if not column.description:
            yield f"column {column.name} has no description"
        elif is_number(column.type) and not _UNIT.match(column.description):
            yield f"column {column.name} is a number without a unit"


def check_faults(spec: dg.AssetCheckSpec) -> list[str]:
    """What the spec of one check lacks."""
    text = (spec.description or "").strip()
    return [] if len(text.split()) >= 5 else [f"check {spec.name} does not say what must hold"]
