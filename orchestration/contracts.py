"""Data contracts: what every table that crosses a stage promises.

Here belongs reading ``data_contracts/<table>.odcs.yaml`` (Open Data Contract Standard) into plain
frozen values. Checking data against them is ``orchestration.landing`` (input tables, file by file)
and ``orchestration.checks`` (tables between stages); a rule's own parsing is ``contract_rules``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from orchestration.contract_files import read_contract_file
from orchestration.contract_lineage import UNKNOWN_ORIGIN, Origin, column_origin, row_sources
from orchestration.contract_relations import relationship_rule, volume_rule
from orchestration.contract_rules import (
    ContractFault,
    Rule,
    RuleKind,
    Severity,
    column_rules,
    written_rule,
)
from orchestration.errors import BadConfiguration
from orchestration.service_levels import ServiceLevels, service_levels

__all__ = [
    "CONTRACTS_FOLDER",
    "Column",
    "Contract",
    "Rule",
    "RuleKind",
    "Severity",
    "contract_names",
    "load_contract",
]

CONTRACTS_FOLDER = Path(__file__).resolve().parent.parent / "data_contracts"

_SUFFIX = ".odcs.yaml"
_STAGES = frozenset({"facts", "input", "mart", "stage"})
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
# No floating point: money and volume cross stages as integers or decimals only (rules §0).
_LOGICAL_TYPES = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}
_DECIMAL = re.compile(r"DECIMAL\([1-9]\d?,\d{1,2}\)")
_DEFAULTS = {
    "string": re.compile(r".+"),
    "boolean": re.compile(r"true|false"),
    "integer": re.compile(r"-?\d+"),
    "number": re.compile(r"-?\d+(\.\d+)?"),
}


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: its name, with the unit last.
        physical_type: the exact DuckDB type.
        required: whether it is never null.
        description: what it holds.
        unit: as ``minor``, ``milli_ft3``, ``bp``, ``quarter``, ``ISO 4217``.
        default: of input tables, the value, as text, of a missing column or an empty cell.
        origin: of tables that Python makes, what it is worked out from.
    """

    name: str
    physical_type: str
    required: bool
    description: str
    unit: str | None = None
    default: str | None = None
    origin: Origin = UNKNOWN_ORIGIN


@dataclass(frozen=True)
class Contract:
    """What one table promises: its columns in order, its key, and the rules of its rows.

    ``row_sources``: of tables that Python makes, the columns that decide which rows it has.
    """

    table: str
    version: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    tags: tuple[str, ...] = ()
    levels: ServiceLevels = field(default_factory=ServiceLevels)
    row_sources: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names, in the table's order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """One column by name.

        Raises:
            KeyError: the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def contract_names(tag: str | None = None, *, folder: Path = CONTRACTS_FOLDER) -> tuple[str, ...]:
    """The tables that have a contract (of that tag), in alphabetical order.

    Raises:
        BadConfiguration: a tag is asked for and some contract cannot be understood.

    >>> contract_names("input")[:3]
    ('capacity_requests', 'inventory_snapshots', 'marketplaces')
    """
    names = sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))
    if tag is None:
        return tuple(names)
    return tuple(name for name in names if tag in load_contract(name, folder=folder).tags)


@cache
def load_contract(table: str, *, folder: Path = CONTRACTS_FOLDER) -> Contract:
    """The contract of one table; read once a process.

    Raises:
        BadConfiguration: there is none, or it cannot be understood.
    """
    names = contract_names(folder=folder)
    if table not in names:
        raise BadConfiguration(
            f"no data contract for table '{table}'; there are: {', '.join(names) or 'none'}"
        )
    path = folder / f"{table}{_SUFFIX}"
    try:
        return _contract(table, read_contract_file(path))
    except ContractFault as fault:
        where = f"{folder.name}/{path.name}"
        raise BadConfiguration(f"{where}: {fault}; see data_contracts/README.md") from fault


def _contract(table: str, document: Any) -> Contract:
    tags = tuple(document.tags or ())
    _check_head(table, document, tags)
    (schema,) = document.schema_
    properties = schema.properties or []
    columns = tuple(_column(each) for each in properties)
    names = tuple(column.name for column in columns)
    _refuse_twice("column", names)
    rules = tuple(rule for each in properties for rule in _rules_of_column(each, names))
    key = _key(properties, columns)
    rules += tuple(_rule_of_table(entry, names) for entry in schema.quality or [])
    place = "landing" if "input" in tags else "market"
    rules += tuple(
        relationship_rule(entry, table, names, key, place) for entry in schema.relationships or []
    )
    _refuse_twice("rule", [rule.name for rule in rules])
    if any(column.default is not None for column in columns) and "input" not in tags:
        raise ContractFault("a default is for input tables only")
    if document.slaProperties and "input" not in tags:
        raise ContractFault("slaProperties are for input tables only")
    return Contract(
        table=table,
        version=document.version,
        description=_sentence(document.description and document.description.purpose, "purpose"),
        grain=_sentence(schema.dataGranularityDescription, "dataGranularityDescription"),
        columns=columns,
        key=key,
        rules=rules,
        tags=tags,
        levels=service_levels(document.slaProperties),
        row_sources=row_sources(schema),
    )


def _check_head(table: str, document: Any, tags: Sequence[str]) -> None:
    schemas = document.schema_ or []
    if (document.apiVersion, document.kind) != ("v3.1.0", "DataContract"):
        raise ContractFault("it is not apiVersion v3.1.0 of kind DataContract")
    if [document.name, *(schema.name for schema in schemas)] != [table, table]:
        raise ContractFault(f"name and the one entry of schema must both be named {table}")
    if document.id != (expected := f"fbacap-{table.replace('_', '-')}"):
        raise ContractFault(f"its id is {document.id} instead of {expected}")
    if not _VERSION.fullmatch(document.version or ""):
        raise ContractFault(f"its version is {document.version}, not three numbers as 1.0.0")
    if len(_STAGES.intersection(tags)) != 1:
        raise ContractFault(f"its tags must name one of {', '.join(sorted(_STAGES))}")


def _column(each: Any) -> Column:
    name = each.name or ""
    if not _IDENTIFIER.fullmatch(name):
        raise ContractFault(f"a column is named '{name}', which is not in snake_case")
    if each.physicalType is None:
        raise ContractFault(f"column {name} has no physicalType")
    logical = _LOGICAL_TYPES.get(each.physicalType)
    if _DECIMAL.fullmatch(each.physicalType):
        logical = "number"
    if logical is None:
        raise ContractFault(
            f"column {name} has physicalType {each.physicalType}, which is none of "
            f"{', '.join(sorted(_LOGICAL_TYPES))} or DECIMAL(p,s)"
        )
    if each.logicalType != logical:
        raise ContractFault(
            f"column {name} has logicalType {each.logicalType}, "
            f"but {each.physicalType} is {logical}"
        )
    if each.required is None:
        raise ContractFault(f"column {name} does not say whether it is required")
    custom = _custom_properties(name, each.customProperties or [])
    default = custom.get("default")
    if default is not None and not (logical in _DEFAULTS and _DEFAULTS[logical].fullmatch(default)):
        raise ContractFault(f"column {name}: the default '{default}' is no {logical} value")
    return Column(
        name=name,
        physical_type=each.physicalType,
        required=each.required,
        description=_sentence(each.description, f"description of column {name}"),
        unit=custom.get("unit"),
        default=default,
        origin=column_origin(each),
    )


def _custom_properties(column: str, entries: Sequence[Any]) -> dict[str, str]:
    _refuse_twice(f"custom property of column {column}", [entry.property for entry in entries])
    for entry in entries:
        if entry.property not in ("unit", "default"):
            raise ContractFault(
                f"column {column}: the custom property {entry.property} is neither unit nor default"
            )
        if not isinstance(entry.value, str) or not entry.value:
            raise ContractFault(f"column {column}: the value of {entry.property} must be text")
    return {entry.property: entry.value for entry in entries}


def _rules_of_column(each: Any, names: Sequence[str]) -> tuple[Rule, ...]:
    written = (
        written_rule(entry, names, each.name, each.logicalType) for entry in each.quality or []
    )
    return (*column_rules(each.name, each.logicalType, each.logicalTypeOptions or {}), *written)


def _rule_of_table(entry: Any, names: Sequence[str]) -> Rule:
    if entry.type == "library" and entry.metric == "rowCount" and entry.name and entry.description:
        return volume_rule(entry, names)
    return written_rule(entry, names, None, None)


def _key(properties: Sequence[Any], columns: Sequence[Column]) -> tuple[str, ...]:
    positions: dict[int, str] = {}
    for each, column in zip(properties, columns, strict=True):
        if bool(each.primaryKey) != (each.primaryKeyPosition is not None):
            raise ContractFault(
                f"column {column.name}: primaryKey and primaryKeyPosition go together"
            )
        if not each.primaryKey:
            continue
        if not column.required and column.default is None:
            raise ContractFault(f"column {column.name} is of the key, so it must be required")
        if each.primaryKeyPosition in positions:
            raise ContractFault(f"primaryKeyPosition {each.primaryKeyPosition} stands twice")
        positions[each.primaryKeyPosition] = column.name
    if not positions or sorted(positions) != list(range(1, len(positions) + 1)):
        found = ", ".join(map(str, sorted(positions))) or "none"
        raise ContractFault(f"the key's positions are {found}; they count 1, 2, 3 without gaps")
    return tuple(positions[position] for position in sorted(positions))


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ContractFault(f"the {what} {name} stands twice")


def _sentence(text: str | None, what: str) -> str:
    if not (text or "").strip():
        raise ContractFault(f"the {what} is missing")
    return " ".join(str(text).split())
