"""Where a column comes from, as its contract says it.

Here belongs reading the standard's ``transform…`` fields of a column, and ``rowSources`` of a
table. Following columns from table to table is ``lineage``; whether what is declared is true is
tested against the pure functions themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.contract_rules import ContractFault

ROW_SOURCES = "rowSources"
_SOURCE = re.compile(r"[a-z_]+\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Origin:
    """What a column is worked out from.

    Attributes:
        sources: columns as ``market.repriced_fees.fee_minor``; parameters of the policy as
            ``policy.settlement.credit_rate_bp``. None: the contract does not say.
        formula: how; None where the value is the one source's as it is.
        description: the formula's reason, with the section of the rules.
    """

    sources: tuple[str, ...] = ()
    formula: str | None = None
    description: str | None = None


UNKNOWN_ORIGIN = Origin()


def column_origin(each: Any) -> Origin:
    """The origin that a column's ``transform…`` fields declare.

    Raises:
        ContractFault: a source is no column's full name or stands twice, or there is a formula
            without sources, or several sources without a formula.
    """
    sources = tuple(each.transformSourceObjects or ())
    formula, description = _text(each.transformLogic), _text(each.transformDescription)
    _refuse_bad_names(f"column {each.name}: transformSourceObjects", sources)
    if not sources and (formula or description):
        raise ContractFault(f"column {each.name} says how it is worked out but not from what")
    if len(sources) > 1 and formula is None:
        raise ContractFault(
            f"column {each.name} has several sources, so transformLogic must say what becomes of "
            "them"
        )
    return Origin(sources, formula, description)


def row_sources(schema: Any) -> tuple[str, ...]:
    """The columns that decide which rows a table has.

    Raises:
        ContractFault: another custom property stands there, or it is no list of full names.
    """
    found: tuple[str, ...] = ()
    for entry in schema.customProperties or []:
        if entry.property != ROW_SOURCES or found:
            raise ContractFault(
                f"the custom property {entry.property} of the table is not {ROW_SOURCES}, or it "
                "stands twice"
            )
        if not isinstance(entry.value, list) or not entry.value:
            raise ContractFault(f"{ROW_SOURCES} must be a list of columns' full names")
        found = tuple(str(name) for name in entry.value)
    _refuse_bad_names(ROW_SOURCES, found)
    return found


def _refuse_bad_names(place: str, names: Sequence[str]) -> None:
    for name in names:
        if not _SOURCE.fullmatch(name):
            raise ContractFault(f"{place}: '{name}' is no schema.table.column")
        if names.count(name) > 1:
            raise ContractFault(f"{place}: {name} stands twice")


def _text(value: str | None) -> str | None:
    return " ".join(value.split()) if value else None
