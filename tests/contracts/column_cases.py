"""Breaking the rules that follow from one column: required, bounds, lengths, lists of values.

A copy of a table's first row is added per rule, with one column made wrong and its key marked, so
that one run of the contract shows for every such rule that it fails, and on its own row only.
"""

from __future__ import annotations

import re

from orchestration.checks.implied_rules import content_rules
from orchestration.contracts import Contract, Rule

_BOUND = re.compile(r"\w+ is null or \w+ (>=|<=) (-?\d+)")
_MARKER_COLUMNS = ("request_id", "seller_id", "entry_id", "marketplace_id", "rule_name")


def column_rules(contract: Contract) -> tuple[Rule, ...]:
    """The rules that speak of a single column alone and that ``wrong_value`` can break."""
    return tuple(rule for rule in content_rules(contract) if wrong_value(rule) is not None)


def wrong_value(rule: Rule) -> str | None:
    """A value, as SQL, that breaks the rule; None for a rule that is about more than a column."""
    (column, *others) = rule.columns or ("",)
    if others or rule.kind != "row":
        return None
    if rule.name == f"{column}_is_present":
        return "null"
    if rule.name == f"{column}_is_known":
        return "'nonsense'"
    if rule.name == f"{column}_min_length":
        return "''"
    if bound := _BOUND.fullmatch(rule.sql):
        return str(int(bound[2]) + (-1 if bound[1] == ">=" else 1))
    return None


def marker_column(contract: Contract) -> str:
    """The key column that copies are told apart by."""
    return next(name for name in _MARKER_COLUMNS if name in contract.key)


def breaking_copies(relation: str, contract: Contract) -> str:
    """SQL that adds one copy per column rule; its marker is the rule's name."""
    marker = marker_column(contract)
    order = ", ".join(contract.key)
    statements = []
    for rule in column_rules(contract):
        changes = {marker: f"'{rule.name}'", rule.columns[0]: wrong_value(rule)}
        replaced = ", ".join(f"{value} as {name}" for name, value in changes.items())
        statements.append(
            f"insert into {relation} "
            f"select * replace ({replaced}) from (select * from {relation}_before "
            f"order by {order} limit 1)"
        )
    return f"create table {relation}_before as from {relation}; {'; '.join(statements)}"
