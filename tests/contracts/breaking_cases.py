"""For every rule that a stage contract writes out: a change that breaks it, and the row it names.

The cases stand in ``breaking/<table>.yaml``; their SQL changes the quarter of ``mini_quarter``.
Rules that follow from a column alone (required, bounds, lists of values) are broken by
``column_cases``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

_FOLDER = Path(__file__).parent / "breaking"


@dataclass(frozen=True)
class BreakingCase:
    """SQL that breaks one rule of one table, and what the sample must say of the row."""

    table: str
    rule: str
    sql: str
    row: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.table}.{self.rule}"


def breaking_cases() -> tuple[BreakingCase, ...]:
    """Every case, by table and in the order of its file."""
    return tuple(
        BreakingCase(path.stem, rule, case["sql"], case["row"])
        for path in sorted(_FOLDER.glob("*.yaml"))
        for rule, case in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    )
