"""The graph of columns: tables, columns, what each is worked out from, and what of each.

Here belongs the graph and walking it. Where it comes from is ``build``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from orchestration.errors import BadConfiguration

LAYERS = ("policy", "run", "landing", "history", "staging", "facts", "market", "marts")
_RULE = re.compile(r"§§?\d+(?:\.\d+)*(?:\s?[–,]\s?\d+(?:\.\d+)*)*")


@dataclass(frozen=True)
class LineageColumn:
    """One column of a table.

    Attributes:
        name: its name.
        sources: the columns it is worked out from, by full name (``market.settlements.fee_minor``).
        formula: how; None where it is its one source as it is, or where it comes from outside.
        reason: why, or what the formula leaves unsaid.
        description: what the column holds.
        physical_type: DuckDB type.
        unit: unit of its values, or None.
        rule: sections of the market rules, as ``§7``, or None.
    """

    name: str
    sources: tuple[str, ...]
    formula: str | None
    reason: str | None
    description: str
    physical_type: str
    unit: str | None
    rule: str | None


@dataclass(frozen=True)
class LineageTable:
    """One relation of a working file, or one section of the policy.

    Attributes:
        relation: its full name, as ``market.settlements``.
        description: what it holds.
        columns: in the table's order.
        row_sources: the columns that decide which rows it has.
        made_by: the stage or step that makes it.
        contract_version: version of its data contract, or None.
        earlier: where it is read from an earlier run, which one, in words.
    """

    relation: str
    description: str
    columns: tuple[LineageColumn, ...]
    row_sources: tuple[str, ...]
    made_by: str
    contract_version: str | None = None
    earlier: str | None = None

    @property
    def layer(self) -> str:
        """The schema it stands in."""
        return self.relation.split(".")[0]

    @property
    def name(self) -> str:
        """What people call it: the table's name; with its section's for parts of the policy."""
        return self.relation if self.layer == "policy" else self.relation.split(".")[1]


class Lineage:
    """All tables, their columns, and the ways between them.

    Raises:
        BadConfiguration: a column comes from one that does not exist, from itself alone, or from
            nowhere although it is worked out here.
    """

    def __init__(self, tables: Iterable[LineageTable]) -> None:
        ordered = sorted(tables, key=lambda table: (LAYERS.index(table.layer), table.relation))
        self.tables: Mapping[str, LineageTable] = MappingProxyType(
            {table.relation: table for table in ordered}
        )
        self._columns = {
            f"{table.relation}.{column.name}": column
            for table in ordered
            for column in table.columns
        }
        self._refuse_unknown_sources()

    def table_of(self, full_name: str) -> LineageTable:
        """The table of a column's full name."""
        return self.tables[full_name.rpartition(".")[0]]

    def column(self, full_name: str) -> LineageColumn:
        """One column by its full name.

        Raises:
            KeyError: there is none.
        """
        return self._columns[full_name]

    def label(self, full_name: str) -> str:
        """A column as people call it: ``settlements.net_due_minor``."""
        return f"{self.table_of(full_name).name}.{full_name.rpartition('.')[2]}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The full names of all columns, by layer, table and the table's order."""
        return tuple(self._columns)

    def sources(self, full_name: str) -> tuple[str, ...]:
        """What a column is worked out from, one step back."""
        return self._columns[full_name].sources

    def targets(self, full_name: str) -> tuple[str, ...]:
        """What is worked out from a column, one step on."""
        return self._targets.get(full_name, ())

    def upstream(self, full_name: str) -> frozenset[str]:
        """Everything that a column comes from, over any number of steps and earlier runs."""
        return _reached(full_name, self.sources)

    def downstream(self, full_name: str) -> frozenset[str]:
        """Everything that a column goes into."""
        return _reached(full_name, self.targets)

    @cached_property
    def _targets(self) -> dict[str, tuple[str, ...]]:
        targets: dict[str, list[str]] = {}
        for name, column in self._columns.items():
            for source in column.sources:
                targets.setdefault(source, []).append(name)
        return {name: tuple(found) for name, found in targets.items()}

    def _refuse_unknown_sources(self) -> None:
        for table in self.tables.values():
            named = [(f"the rows of {table.relation}", name) for name in table.row_sources]
            named += [
                (f"{table.relation}.{column.name}", source)
                for column in table.columns
                for source in column.sources
            ]
            for target, source in named:
                if source not in self._columns or source == target:
                    raise BadConfiguration(
                        f"{target} is said to come from {source}, which no table has; "
                        f"correct transformSourceObjects in its data contract"
                    )
            begins = table.layer in ("policy", "run", "landing")
            for column in table.columns:
                if not begins and not column.sources:
                    raise BadConfiguration(
                        f"{table.relation}.{column.name} has no lineage; "
                        f"name its transformSourceObjects in data_contracts"
                    )


def _reached(start: str, step: Callable[[str], tuple[str, ...]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in step(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return frozenset(found)


def rule_in(*texts: str | None) -> str | None:
    """The first sections of the market rules that a text names.

    >>> rule_in(None, "Never below 0 (rules §7).", "§8"), rule_in("nothing")
    ('§7', None)
    """
    for text in texts:
        found = _RULE.search(text or "")
        if found:
            return found.group()
    return None


_UNITS = (
    ("_minor_per_ft3", "minor per ft3"), ("_micro_minor", "millionths of a minor unit"),
    ("_per_ft3", "currency per ft3"), ("milli_ft3_days", "milli_ft3 days"),
    ("_milli_ft3", "milli_ft3"), ("_micro_ft3", "micro_ft3"), ("_ft3", "ft3"),
    ("_minor", "minor"), ("_bp", "bp"), ("units", "units"), ("_days", "days"), ("_weeks", "weeks"),
)  # fmt: skip


def unit_in(name: str) -> str | None:
    """The unit that stands last in a column's name.

    >>> unit_in("granted_milli_ft3"), unit_in("fee_minor_per_ft3"), unit_in("round")
    ('milli_ft3', 'minor per ft3', None)
    """
    return next((unit for suffix, unit in _UNITS if name.endswith(suffix)), None)
