"""What input tables promise beyond single rows, asked in each stage run that stages them; warnings.

Here belong foreign keys and volume against the quarters before: both can only be judged where
everything received before a cut-off stands together. Rows are judged file by file at ingest
(``landing``), and what may not pass there never lands; so nothing here stops a run.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from orchestration.assets.dbt_models import models_of_kind
from orchestration.checks.contract_result import rows_markdown
from orchestration.checks.outcomes import record_outcome
from orchestration.checks.row_accounts import STAGED
from orchestration.contracts import Rule, contract_names, load_contract
from orchestration.descriptions.run_metadata import of_which_run
from orchestration.resources import Market
from orchestration.working import connect

CHECK_NAME = "contract"
_OUTCOME = "inputs"
_SAMPLE = 5


def input_rules(table: str) -> tuple[Rule, ...]:
    """The rules of an input table that are asked of everything received, not of each file."""
    return tuple(rule for rule in load_contract(table).rules if rule.kind != "row")


def judged_tables() -> tuple[str, ...]:
    """The input tables that have such rules."""
    return tuple(table for table in contract_names("input") if input_rules(table))


def staged_tables(kind: str) -> frozenset[str]:
    """The input tables that one kind of stage run stages."""
    return frozenset(STAGED[model] for model in models_of_kind(kind) if model in STAGED)


def input_rule_specs() -> list[dg.AssetCheckSpec]:
    """A check for each input table with rules over all that was received."""
    return [
        dg.AssetCheckSpec(
            CHECK_NAME,
            asset=dg.AssetKey(["landing", table]),
            blocking=False,
            description=(
                f"{table} keeps its data contract, version {load_contract(table).version}, beyond "
                "single rows, which ingest has judged; a warning, which stops nothing:\n\n"
                + "\n".join(f"- {rule.sentence}" for rule in input_rules(table))
            ),
        )
        for table in judged_tables()
    ]


def input_rule_results(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.AssetCheckResult]:
    """Judge the input tables that this run stages; the others pass unjudged."""
    staged = staged_tables(market.stage_run(context).stage.kind)
    with connect(market.working_file(context)) as connection:
        found = judge_inputs(connection, staged)
    record_outcome(market.folder(context), _OUTCOME, outcome_document(found))
    about = of_which_run(context.run.tags)
    for table in judged_tables():
        yield _result(table, [each for each in found if each["table"] == table], about)


def judge_inputs(
    connection: duckdb.DuckDBPyConnection, tables: Collection[str]
) -> list[dict[str, Any]]:
    """Ask the rules of some input tables of a working file; an entry for each rule."""
    return [
        _judge(connection, table, rule)
        for table in judged_tables()
        if table in tables
        for rule in input_rules(table)
    ]


def _judge(connection: duckdb.DuckDBPyConnection, table: str, rule: Rule) -> dict[str, Any]:
    relation = f"landing.{table}"
    ((rows,),) = connection.execute(f"select count(*) from {relation}").fetchall()
    if rule.judged_sql:
        sql = rule.for_table(rule.judged_sql, relation)
        ((failed, judged_rows),) = connection.execute(sql).fetchall()
    else:
        ((failed,),) = connection.execute(rule.count_sql(relation)).fetchall()
        judged_rows = rows
    judged = judged_rows > 0
    sample = _sample(connection, rule.bad_rows_sql(relation)) if failed else []
    return {
        "table": table,
        "name": rule.name,
        "kind": rule.kind,
        "sentence": rule.sentence,
        "severity": rule.severity,
        "contract_version": load_contract(table).version,
        "passed": not failed,
        "judged": judged,
        "rows": rows if judged else None,
        "failed_rows": failed,
        "sample": sample,
    }


def _sample(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, str]]:
    cursor = connection.execute(
        f"select columns(*)::varchar from (select * from ({sql}) order by all limit {_SAMPLE})"
    )
    names = [str(entry[0]) for entry in cursor.description or []]
    rows = cursor.fetchall()
    return [
        {name: "null" if value is None else value for name, value in zip(names, row, strict=True)}
        for row in rows
    ]


def outcome_document(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The outcome as it is kept; a broken warning leaves it passed."""
    return {"table": _OUTCOME, "kind": _OUTCOME, "passed": True, "rules": list(found)}


def _result(
    table: str, found: Sequence[Mapping[str, Any]], about: Mapping[str, str]
) -> dg.AssetCheckResult:
    broken = [each for each in found if not each["passed"]]
    unjudged = [each for each in found if not each["judged"]]
    told = f"all {len(found)} rules hold" if found else f"this run does not stage {table}"
    if broken:
        first = broken[0]
        example = ", ".join(f"{name} {value}" for name, value in first["sample"][0].items())
        times = "once" if first["failed_rows"] == 1 else f"{first['failed_rows']:,} times"
        told = f"{table}: {first['name']} fails {times}: {first['sentence']} First at {example}"
    metadata: dict[str, Any] = {
        **about,
        "contract_version": load_contract(table).version,
        "rules": len(found),
        "rules_broken": len(broken),
        "rules_not_judged": len(unjudged),
    }
    for each in broken:
        metadata[each["name"]] = dg.MetadataValue.md(rows_markdown(each["sample"]))
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(["landing", table]),
        check_name=CHECK_NAME,
        passed=not broken,
        severity=dg.AssetCheckSeverity.WARN,
        description=told,
        metadata=metadata,
    )
