"""The rules of a contract: what must hold of a table's rows, and how its file says so.

Here belong ``Rule`` and its parsing: written rules in their two shapes, lists of values and
patterns, and the bounds of a column. Whole contracts are ``contracts``; the rules that a contract
implies without any entry (columns, types, keys) are ``checks.implied_rules``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args

Severity = Literal["error", "warning"]
RuleKind = Literal["row", "query", "relationship", "volume"]

_TABLE = "${table}"
_ROW_SHAPE = re.compile(
    r"select\s+count\(\*\)\s+from\s+\$\{table\}\s+where\s+\((?P<sql>.+)\)\s+is\s+not\s+true",
    re.IGNORECASE | re.DOTALL,
)
_QUERY_SHAPE = re.compile(
    r"select\s+count\(\*\)\s+from\s+\((?P<sql>.+\$\{table\}.*)\)\s+as\s+bad_rows",
    re.IGNORECASE | re.DOTALL,
)
_RULE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_QUOTED = re.compile(r"'(?:[^']|'')*'")
# A word directly before a parenthesis is a function, even where a column has the same name.
_WORD = re.compile(r"[a-z_][a-z0-9_]*\b(?!\()", re.IGNORECASE)

_BOUNDS = {
    "minimum": (">=", "at least"),
    "exclusiveMinimum": (">", "more than"),
    "maximum": ("<=", "at most"),
    "exclusiveMaximum": ("<", "less than"),
}
_TIME_WORDS = {
    "minimum": "not before",
    "exclusiveMinimum": "after",
    "maximum": "not after",
    "exclusiveMaximum": "before",
}
_LENGTHS = {"minLength": (">=", "at least"), "maxLength": ("<=", "at most")}


class ContractFault(ValueError):  # noqa: N818 - names what was found
    """What is wrong with a contract's file, to be completed with the file's name."""


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of a table.

    Attributes:
        name: a statement in snake_case, unique in its table.
        sentence: what people read when it breaks.
        sql: of a ``row`` rule the predicate that is true of every good row (null breaks it); of a
            ``query`` rule the SELECT that finds what is bad, reading ``${table}``.
        severity: ``error`` blocks the stages after, ``warning`` is shown.
        columns: the table's columns that a ``row`` rule reads, in the table's order.
        kind: ``row`` judges one row at a time, ``query`` sums, groups and comparisons of rows,
            ``relationship`` foreign keys, ``volume`` counts of rows over quarters.
        judged_sql: of a rule that may have nothing to judge by, a SELECT of how much breaks it and
            how much there is to judge.
        promise: of a rule whose SQL is made here, what the contract itself says.
    """

    name: str
    sentence: str
    sql: str
    severity: Severity
    columns: tuple[str, ...]
    kind: RuleKind = "row"
    judged_sql: str | None = None
    promise: str | None = None

    @staticmethod
    def for_table(sql: str, relation: str) -> str:
        """SQL of a rule with its table's name filled in."""
        return sql.replace(_TABLE, relation)

    def bad_rows_sql(self, relation: str) -> str:
        """A SELECT of what breaks the rule in ``relation``; nothing when it holds.

        >>> Rule("r", "R.", "a > 0", "error", ("a",)).bad_rows_sql("landing.t")
        'select * from landing.t where (a > 0) is not true'
        """
        if self.kind == "row":
            return f"select * from {relation} where ({self.sql}) is not true"
        return self.for_table(self.sql, relation)

    def count_sql(self, relation: str) -> str:
        """A SELECT of how much breaks the rule in ``relation``; 0 when it holds."""
        return f"select count(*) from ({self.bad_rows_sql(relation)}) as bad_rows"


def written_rule(
    entry: Any, columns: Sequence[str], column: str | None, logical_type: str | None
) -> Rule:
    """Read one ``quality`` entry.

    Args:
        entry: the entry, as the standard's own model (``DataQuality``).
        columns: the names of the table's columns, in order.
        column: the column that the entry stands under, or None when it is the table's.
        logical_type: that column's logical type.

    Raises:
        ContractFault: the entry is not a rule that can be checked.
    """
    name = entry.name or ""
    if not _RULE_NAME.fullmatch(name):
        raise ContractFault(f"a rule is named '{name}' instead of a statement in snake_case")
    if not (entry.description or "").strip():
        raise ContractFault(f"rule {name} has no description for people to read when it breaks")
    if entry.severity not in get_args(Severity):
        raise ContractFault(f"rule {name} has severity {entry.severity}, not error or warning")
    if entry.mustBe != 0 or isinstance(entry.mustBe, bool):
        raise ContractFault(f"rule {name} does not say mustBe: 0")
    kind: RuleKind = "row"
    if entry.type == "sql":
        kind, sql = _from_query(name, (entry.query or "").strip())
    elif entry.type == "library" and entry.metric == "invalidValues" and column and logical_type:
        sql = _from_arguments(name, entry.arguments or {}, column, logical_type)
    else:
        raise ContractFault(f"rule {name} is neither type sql nor a column's library invalidValues")
    mentioned = _mentioned(sql, columns) if kind == "row" else ()
    if kind == "row" and not mentioned:
        raise ContractFault(f"rule {name} reads no column of the table, so it cannot judge a row")
    sentence = " ".join(entry.description.split())
    return Rule(name, sentence, sql, entry.severity, mentioned, kind)


def column_rules(column: str, logical_type: str, options: dict[str, Any]) -> tuple[Rule, ...]:
    """The rules that a column's ``logicalTypeOptions`` stand for; null passes them all.

    Raises:
        ContractFault: an option that is not understood, or a bound that does not fit the type.

    >>> (rule,) = column_rules("round", "integer", {"minimum": 1})
    >>> rule.name, rule.sentence, rule.sql
    ('round_minimum', 'round is at least 1.', 'round is null or round >= 1')
    """
    rules = []
    for option, value in options.items():
        if option in _BOUNDS and logical_type in _LITERALS:
            comparison, words = _BOUNDS[option]
            if logical_type in ("date", "timestamp"):
                words = _TIME_WORDS[option]
            literal = _LITERALS[logical_type](column, value)
            shown = literal.split("'")[1] if "'" in literal else literal
            sql, sentence = f"{column} {comparison} {literal}", f"is {words} {shown}"
        elif option in _LENGTHS and logical_type == "string":
            comparison, words = _LENGTHS[option]
            length = _integer(column, value)
            sql = f"length({column}) {comparison} {length}"
            sentence = f"has {words} {length} character{'' if length == '1' else 's'}"
        elif option == "pattern" and logical_type == "string":
            sql, sentence = _matches(column, value), f"matches {value}"
        else:
            raise ContractFault(f"column {column}: the option {option} is not understood here")
        name = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", option).lower()
        rules.append(
            Rule(
                name=f"{column}_{name}",
                sentence=f"{column} {sentence}.",
                sql=f"{column} is null or {sql}",
                severity="error",
                columns=(column,),
            )
        )
    return tuple(rules)


def _from_query(name: str, query: str) -> tuple[RuleKind, str]:
    bare = _QUOTED.sub("''", query)
    if "--" in bare or "/*" in bare or ";" in bare:
        raise ContractFault(f"rule {name} holds a comment or a semicolon; a rule is one SELECT")
    shapes: dict[RuleKind, re.Pattern[str]] = {"row": _ROW_SHAPE, "query": _QUERY_SHAPE}
    for kind, shape in shapes.items():
        found = shape.fullmatch(query)
        if found and _is_balanced(found["sql"]):
            sql = found["sql"].strip()
            if "${" in (sql if kind == "row" else sql.replace(_TABLE, "")):
                raise ContractFault(
                    f"rule {name} has a ${{…}} where its shape has none: only ${{table}} is "
                    "filled in, and a row's predicate cannot read it"
                )
            return kind, sql
    raise ContractFault(f"rule {name}: its query has neither of the two shapes")


def _is_balanced(sql: str) -> bool:
    """Whether the text closes what it opens, so that the shape's own parentheses surround it."""
    depth = 0
    for character in _QUOTED.sub("''", sql):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _from_arguments(name: str, arguments: dict[str, Any], column: str, logical_type: str) -> str:
    if set(arguments) == {"pattern"} and logical_type == "string":
        return f"{column} is null or {_matches(column, arguments['pattern'])}"
    values = arguments.get("validValues")
    if set(arguments) != {"validValues"} or not isinstance(values, list) or not values:
        raise ContractFault(f"rule {name} needs one argument: validValues, or pattern for text")
    if logical_type == "string" and all(isinstance(value, str) for value in values):
        literals = [_text(value) for value in values]
    elif logical_type == "integer":
        literals = [_integer(column, value) for value in values]
    else:
        raise ContractFault(f"rule {name}: its validValues are not all of type {logical_type}")
    return f"{column} is null or {column} in ({', '.join(literals)})"


def _matches(column: str, pattern: Any) -> str:
    if not isinstance(pattern, str) or not pattern:
        raise ContractFault(f"column {column}: a pattern is text")
    return f"regexp_matches({column}, {_text(pattern)})"


def _mentioned(sql: str, columns: Sequence[str]) -> tuple[str, ...]:
    words = {word.lower() for word in _WORD.findall(_QUOTED.sub("''", sql))}
    return tuple(column for column in columns if column in words)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _integer(column: str, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ContractFault(f"column {column}: {value} is not a whole number")
    return str(value)


def _number(column: str, value: Any) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ContractFault(f"column {column}: {value} is not a number")
    number = Decimal(repr(value))
    if not number.is_finite():
        raise ContractFault(f"column {column}: {value} is not a finite number")
    return f"{number:f}"  # never an exponent, which the engine would read as floating point


def _day(column: str, value: Any) -> str:
    try:
        return f"date '{date.fromisoformat(value).isoformat()}'"
    except (TypeError, ValueError):
        raise ContractFault(f"column {column}: {value} is not a day as '2026-10-01'") from None


def _instant(column: str, value: Any) -> str:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        instant = None
    if instant is None or instant.tzinfo is not None:
        raise ContractFault(f"column {column}: {value} is not a time as '2026-10-01T00:00:00'")
    return f"timestamp '{instant.isoformat(sep=' ')}'"


_LITERALS: dict[str, Callable[[str, Any], str]] = {
    "integer": _integer,
    "number": _number,
    "date": _day,
    "timestamp": _instant,
}
