"""Every rule that a contract makes of its table, written out and derived.

Here belong the rules a contract implies without saying them: its columns and their order, their
types, required columns, and the uniqueness of its key. Reading contracts is
``orchestration.contracts``; running the rules is ``contract_run``.
"""

from __future__ import annotations

from orchestration.contracts import Contract, Rule

COLUMNS_RULE = "columns_are_as_agreed"
TYPES_RULE = "types_are_as_agreed"
KEY_RULE = "key_is_unique"

SHAPE_KEY = ("column_name",)
SHAPE_RULES = (
    Rule(
        name=COLUMNS_RULE,
        sentence="The table has exactly the contract's columns, in the contract's order.",
        sql="agreed_position is not distinct from found_position",
        severity="error",
        columns=("agreed_position", "found_position"),
    ),
    Rule(
        name=TYPES_RULE,
        sentence="Every column has the type that the contract names.",
        sql="agreed_type is null or found_type is null or agreed_type = found_type",
        severity="error",
        columns=("agreed_type", "found_type"),
    ),
)


def shape_query(schema: str, contract: Contract) -> str:
    """One row per column that is agreed or found in ``schema``: what ``SHAPE_RULES`` judge."""
    agreed = ",\n        ".join(
        f"({position}, {_text(column.name)}, {_text(column.physical_type)})"
        for position, column in enumerate(contract.columns, start=1)
    )
    return f"""
select
    coalesce(agreed.column_name, found.column_name) as column_name,
    agreed.agreed_position,
    found.ordinal_position as found_position,
    agreed.agreed_type,
    found.data_type as found_type
from (
    values
        {agreed}
) as agreed (agreed_position, column_name, agreed_type)
full join (
    select column_name, ordinal_position, data_type
    from information_schema.columns
    where table_catalog = current_database()
        and table_schema = {_text(schema)}
        and table_name = {_text(contract.table)}
) as found on agreed.column_name = found.column_name""".strip()


def content_rules(contract: Contract) -> tuple[Rule, ...]:
    """The rules of a table's rows: required columns, unique key, then the contract's own.

    >>> from orchestration.contracts import Column
    >>> contract = Contract("t", "1.0.0", "d", "g", (Column("a", "BIGINT", True, "d"),), ("a",), ())
    >>> [rule.name for rule in content_rules(contract)]
    ['a_is_present', 'key_is_unique']
    """
    required = tuple(
        Rule(
            name=f"{column.name}_is_present",
            sentence=f"{column.name} is never null.",
            sql=f"{column.name} is not null",
            severity="error",
            columns=(column.name,),
        )
        for column in contract.columns
        if column.required
    )
    return (*required, _key_rule(contract), *contract.rules)


def _key_rule(contract: Contract) -> Rule:
    key = ", ".join(contract.key)
    return Rule(
        name=KEY_RULE,
        sentence=f"No two rows share one {key}.",
        sql=f"select {key}, count(*) as rows_sharing_it from ${{table}} "
        f"group by {key} having count(*) > 1",
        severity="error",
        columns=contract.key,
        kind="query",
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
