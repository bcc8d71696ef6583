"""What a change of a contract means for those who rely on it, and which new version it needs.

Here belong a contract's promises in comparable form, and the comparison of two forms. Where the
accepted form is kept, and who compares, is ``contract_versions``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from orchestration.contracts import Column, Contract, Rule

Level = Literal["major", "minor"]
Form = Mapping[str, Any]

_BOUND = re.compile(r"(\w+ is null or (?:\w+|length\(\w+\))) (>=|>|<=|<) (.+)")
_VALUES = re.compile(r"(\w+ is null or \w+) in \((.+)\)", re.DOTALL)
_LITERAL = re.compile(r"'(?:[^']|'')*'|-?\d+")


@dataclass(frozen=True)
class Change:
    """One difference between two forms of a contract, and the bump that it needs at least."""

    level: Level
    sentence: str


def form_of(contract: Contract) -> dict[str, Any]:
    """What a contract promises, without its words: columns, key, rules, timing.

    Descriptions, sentences and lineage may change freely. A rule over several rows is kept by the
    digest of its SQL, unless that is made here from what the contract says.
    """
    levels = contract.levels
    return {
        "version": contract.version,
        "received": "input" in contract.tags,
        "key": list(contract.key),
        "days": [levels.frequency_days, levels.latency_days, levels.longest_wait_days],
        "columns": [_column_form(column) for column in contract.columns],
        "rules": [_rule_form(rule) for rule in contract.rules],
    }


def _column_form(column: Column) -> dict[str, Any]:
    form: dict[str, Any] = {"name": column.name, "type": column.physical_type}
    form |= {"required": True} if column.required else {}
    form |= {"unit": column.unit} if column.unit else {}
    return form | ({"default": column.default} if column.default is not None else {})


def _rule_form(rule: Rule) -> dict[str, Any]:
    sql = " ".join(rule.sql.split())
    if rule.promise:
        sql = rule.promise
    elif rule.kind != "row":
        sql = f"sha256 {hashlib.sha256(sql.encode()).hexdigest()[:16]}"
    return {"name": rule.name, "severity": rule.severity, "sql": sql}


def changes(before: Form, after: Form) -> list[Change]:
    """Every difference that somebody may notice, columns first.

    Incompatible is what refuses data that was good before, and, of tables that are made here and
    read by others, what no longer promises them something.

    >>> old = {"received": True, "key": ["a"], "days": [1, 0, None], "rules": [],
    ...        "columns": [{"name": "a", "type": "BIGINT", "required": True}]}
    >>> new = old | {"columns": [{"name": "a", "type": "VARCHAR", "required": True}]}
    >>> changes(old, new)
    [Change(level='major', sentence='column a is VARCHAR instead of BIGINT')]
    """
    return [
        *_column_changes(before, after),
        *_key_changes(before, after),
        *_rule_changes(before, after),
        *_timing_changes(before, after),
    ]


def _column_changes(before: Form, after: Form) -> Iterator[Change]:
    old, new = _by_name(before["columns"]), _by_name(after["columns"])
    for name in old.keys() - new.keys():
        yield Change("major", f"column {name} is gone")
    for name in [name for name in new if name not in old]:
        demanded = after["received"] and _is_demanded(new[name])
        told = "must now be delivered" if demanded else "is new"
        yield Change("major" if demanded else "minor", f"column {name} {told}")
    both = [name for name in new if name in old]
    if both != [name for name in old if name in new]:
        yield Change("major", "the columns stand in another order")
    for name in both:
        yield from _one_column(name, old[name], new[name], received=after["received"])


def _is_demanded(column: Form) -> bool:
    return bool(column.get("required")) and "default" not in column


def _one_column(name: str, old: Form, new: Form, *, received: bool) -> Iterator[Change]:
    if old["type"] != new["type"]:
        yield Change("major", f"column {name} is {new['type']} instead of {old['type']}")
    if old.get("unit") != new.get("unit"):
        yield Change("major", f"column {name} is in {new.get('unit')} instead of {old.get('unit')}")
    if not old.get("required") and new.get("required"):
        yield Change("major", f"column {name} is now required")
    if old.get("required") and not new.get("required"):
        yield Change(_taken_back(received), f"column {name} may now be null")
    if old.get("default") != new.get("default"):
        level: Level = "minor" if "default" not in old else "major"
        yield Change(level, f"column {name} has another default")


def _taken_back(received: bool) -> Level:
    """The level of a promise that is weaker now: its readers relied on it, deliverers did not."""
    return "minor" if received else "major"


def _key_changes(before: Form, after: Form) -> Iterator[Change]:
    if before["key"] != after["key"]:
        old, new = (", ".join(form["key"]) for form in (before, after))
        yield Change("major", f"the key is {new} instead of {old}")


def _rule_changes(before: Form, after: Form) -> Iterator[Change]:
    received = after["received"]
    old, new = _by_name(before["rules"]), _by_name(after["rules"])
    for name in [name for name in old if name not in new]:
        stops = old[name]["severity"] == "error"
        yield Change(_taken_back(received) if stops else "minor", f"rule {name} is gone")
    for name in [name for name in new if name not in old]:
        stops = new[name]["severity"] == "error"
        yield Change("major" if stops else "minor", f"rule {name} is new")
    for name in [name for name in new if name in old]:
        yield from _one_rule(name, old[name], new[name], received=received)


def _one_rule(name: str, old: Form, new: Form, *, received: bool) -> Iterator[Change]:
    if old["severity"] != new["severity"]:
        level: Level = "major" if new["severity"] == "error" else _taken_back(received)
        yield Change(level, f"rule {name} is now of severity {new['severity']}")
    if old["sql"] == new["sql"]:
        return
    if {old["severity"], new["severity"]} == {"warning"}:
        yield Change("minor", f"rule {name} warns of something else")
        return
    looser = _is_looser(old["sql"], new["sql"])
    if looser:
        yield Change(_taken_back(received), f"rule {name} lets more pass")
    else:
        told = "judges otherwise" if looser is None else "lets less pass"
        yield Change("major", f"rule {name} {told}")


def _is_looser(old: str, new: str) -> bool | None:
    """Whether every value that passed still does; None where that cannot be told from the text."""
    lists = [_VALUES.fullmatch(sql) for sql in (old, new)]
    if lists[0] and lists[1] and lists[0][1] == lists[1][1]:
        return set(_LITERAL.findall(lists[0][2])) <= set(_LITERAL.findall(lists[1][2]))
    bounds = [_BOUND.fullmatch(sql) for sql in (old, new)]
    if not (bounds[0] and bounds[1]) or bounds[0].groups()[:2] != bounds[1].groups()[:2]:
        return None
    was, now = (found[3] for found in bounds if found)
    if ("'" in was) != ("'" in now):
        return None
    # Days and times compare as the text that they are written in.
    is_lower = now < was if "'" in was else Decimal(now) < Decimal(was)
    return is_lower == (bounds[0][2] in (">=", ">"))


def _timing_changes(before: Form, after: Form) -> Iterator[Change]:
    if before["days"] != after["days"]:
        yield Change("minor", "its timing (slaProperties) is another")


def _by_name(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in entries}
