"""What the checks of a published run found, read back: one entry for every rule.

Here belongs reading the table ``contract_results``, and the manifests of runs that were published
before there was one. Laying the table out is ``checks.results_table``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.checks.results_table import sample_text
from orchestration.engine import engine
from orchestration.files import sql_literal
from orchestration.published import PublishedRun
from orchestration.stages import RESULTS_TABLE

SECOND = "second_computation"


@dataclass(frozen=True)
class RuleOutcome:
    """One rule of one run. ``sample``: rows that break it, as JSON text; None if there are none."""

    table: str
    rule: str
    kind: str
    severity: str
    outcome: str
    rows_checked: int | None
    rows_failed: int
    sample: str | None


def rule_outcomes(run: PublishedRun) -> list[RuleOutcome]:
    """Every rule that a run was held to, by table and rule."""
    if RESULTS_TABLE not in run.tables:
        return sorted(_from_manifest(run.manifest), key=lambda each: (each.table, each.rule))
    with engine() as connection:
        rows = connection.execute(
            "select table_name, rule_name, kind, severity, outcome, rows_checked, rows_failed, "
            f"sample from read_parquet({sql_literal(run.file(RESULTS_TABLE))}, "
            "hive_partitioning = false) order by table_name, rule_name"
        ).fetchall()
    return [RuleOutcome(*row) for row in rows]


def _from_manifest(manifest: Mapping[str, Any]) -> Iterator[RuleOutcome]:
    for check in manifest.get("checks", ()):
        table = str(check["table"])
        for rule in check["rules"]:
            yield RuleOutcome(
                table=table,
                rule=str(rule["name"]),
                kind=_kind(table),
                severity=str(rule.get("severity", "error")),
                outcome="passed" if rule["passed"] else "failed",
                rows_checked=rule.get("rows", check.get("rows")),
                rows_failed=int(rule.get("failed_rows", 0)),
                sample=sample_text(rule.get("sample", ())),
            )
        for name in check.get("unjudged", ()):
            yield RuleOutcome(table, str(name), "row", "error", "not_judged", None, 0, None)


def _kind(table: str) -> str:
    """The kind of rules kept under a name; manifests did not tell a contract's kinds apart."""
    if table.startswith("invariants_"):
        return "invariant"
    return {"row_accounts": "row_account"}.get(table, table if table == SECOND else "row")
