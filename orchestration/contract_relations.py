"""Rules of a contract that reach beyond the table's rows: foreign keys, and volume over quarters.

Here belongs reading the standard's ``relationships`` and its ``rowCount`` into rules. Rules of rows
and free SQL are ``contract_rules``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from orchestration.contract_rules import ContractFault, Rule, Severity

_ARGUMENTS = frozenset({"dated_by", "of_quarter", "per", "quarters_before"})


def relationship_rule(
    entry: Any, table: str, columns: Sequence[str], key: Sequence[str], schema: str
) -> Rule:
    """Read one ``relationships`` entry: every row has its match in another table; null passes.

    Args:
        entry: the entry, as the standard's own model (``Relationship``).
        table: the table that the contract is of.
        columns: its columns.
        key: its key, shown of rows without a match.
        schema: the schema of a working file in which both tables stand.

    Raises:
        ContractFault: it is no foreign key from this table to one other, column by column.
    """
    here, there = _references(entry.from_), _references(entry.to)
    own, other = {name for name, _ in here}, {name for name, _ in there}
    if entry.type != "foreignKey" or own != {table} or len(other) != 1 or len(here) != len(there):
        raise ContractFault(
            f"a relationship must be a foreignKey from columns of {table} to as many of one table"
        )
    mine, theirs = [name for _, name in here], [name for _, name in there]
    for name in mine:
        if name not in columns:
            raise ContractFault(f"a relationship is from {table}.{name}, which is no column")
    given = {each.property: each.value for each in entry.customProperties or []}
    if set(given) != {"severity"} or given["severity"] not in get_args(Severity):
        raise ContractFault("a relationship needs the custom property severity: error or warning")
    (target,) = other
    present = " and ".join(f"judged.{name} is not null" for name in mine)
    matches = " and ".join(
        f"found.{their} = judged.{name}" for name, their in zip(mine, theirs, strict=True)
    )
    shown = ", ".join(dict.fromkeys((*key, *mine)))
    named = ", ".join(mine)
    # What rows refer to is far less than the rows: matched once each, three times faster.
    orphans = (
        f"select distinct {named} from ${{table}} as judged where {present} "
        f"and not exists (select 1 from {schema}.{target} as found where {matches})"
    )
    return Rule(
        name=f"found_in_{target}",
        sentence=f"{named} of every row {'stand' if mine[1:] else 'stands'} in {target}.",
        sql=f"select {shown} from ${{table}} semi join ({orphans}) as orphans using ({named})",
        severity=given["severity"],
        columns=tuple(mine),
        kind="relationship",
        promise=f"{named} in {target} ({', '.join(theirs)})",
    )


def _references(value: Any) -> list[tuple[str, str]]:
    names = [value] if isinstance(value, str) else list(value or ())
    parts = [tuple(name.split(".")) for name in names]
    if not parts or any(len(part) != 2 for part in parts):
        raise ContractFault("a relationship names columns as table.column, from and to")
    return [(table, column) for table, column in parts]


def volume_rule(entry: Any, columns: Sequence[str]) -> Rule:
    """Read one ``rowCount`` entry: a quarter's rows against the mean of the quarters before.

    ``dated_by`` judges the last quarter that is complete at the cut-off. ``of_quarter`` judges the
    run's own quarter, against earlier ones as they stood as long before or after their first day.
    Quarters without rows count towards no mean; where none has any, nothing is judged.

    Args:
        entry: the entry, as the standard's own model (``DataQuality``).
        columns: the table's columns.

    Raises:
        ContractFault: it is no such rule.
    """
    arguments = entry.arguments or {}
    dated = [arguments[name] for name in ("dated_by", "of_quarter") if name in arguments]
    per, quarters = arguments.get("per"), arguments.get("quarters_before")
    bounds = entry.mustBeBetween or ()
    sound = (
        set(arguments) <= _ARGUMENTS
        and len(dated) == 1
        and {*dated, *([per] if per else [])} <= set(columns)
        and type(quarters) is int
        and quarters > 0
        and len(bounds) == 2
        and all(type(bound) is int for bound in bounds)
    )
    if not sound or entry.unit != "percent" or entry.severity != "warning":
        raise ContractFault(
            f"rule {entry.name}: a rowCount is a warning in percent, mustBeBetween two whole "
            "numbers, with arguments dated_by or of_quarter, quarters_before, and per if it is "
            "counted apart"
        )
    least, most = (int(bound) for bound in bounds)
    counted = _volume_sql(dated[0], per, int(quarters or 0), of_run="of_quarter" in arguments)
    share = "rows_found * 100 * earlier"
    near = f"{share} > {least} * total and {share} < {most} * total"
    return Rule(
        name=entry.name,
        sentence=" ".join(entry.description.split()),
        sql=f"select {per + ', ' if per else ''}quarter_start, rows_found, "
        f"total // earlier as rows_mean_before from ({counted}) as volumes "
        f"where earlier > 0 and ({near}) is not true",
        severity="warning",
        columns=tuple(name for name in (per, dated[0]) if name),
        kind="volume",
        judged_sql=f"select count(*) filter (({near}) is not true), count(*) "
        f"from ({counted}) as volumes where earlier > 0",
        promise=f"rows between {least} and {most} percent, {sorted(arguments.items())}",
    )


def _volume_sql(dated: str, per: str | None, quarters: int, *, of_run: bool) -> str:
    """Rows of the judged quarter and, of those before, how many have rows and how many in all."""
    start = (
        "parameters.quarter_start"
        if of_run
        else "cast(date_trunc('quarter', parameters.cutoff_at) - interval 3 month as date)"
    )
    as_early = (
        "and judged.received_at < date_trunc('quarter', judged.{dated}) "
        "+ (parameters.cutoff_at - cast(parameters.quarter_start as timestamp)) "
        if of_run
        else ""
    ).format(dated=dated)
    group = f"{per}, " if per else ""
    return (
        f"select {group}any_value(judged_start) as quarter_start, "
        "coalesce(sum(rows_counted) filter (quarter_counted = judged_start), 0)::bigint "
        "as rows_found, "
        "coalesce(sum(rows_counted) filter (quarter_counted < judged_start), 0)::bigint as total, "
        "count(*) filter (quarter_counted < judged_start) as earlier "
        f"from (select {'judged.' + per + ', ' if per else ''}"
        f"cast(date_trunc('quarter', judged.{dated}) as date) as quarter_counted, "
        f"{start} as judged_start, count(*) as rows_counted "
        "from ${table} as judged cross join run.parameters as parameters "
        f"where judged.{dated} >= {start} - interval {3 * quarters} month "
        f"and judged.{dated} < {start} + interval 3 month {as_early}"
        f"group by all) as quarters{' group by ' + per if per else ''}"
    )
