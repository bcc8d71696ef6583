"""Checks of runs that were published before there was a table of them, as its queries give them.

Here belongs only that: what a manifest records of checks, in the rows of the report's own queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from orchestration.published import PublishedRun
from orchestration.published_checks import SECOND, RuleOutcome, rule_outcomes
from orchestration.stages import RESULTS_TABLE

QUERIES = ("checks", "breaches", "second")


def older_checks(runs: Iterable[PublishedRun]) -> dict[str, list[Mapping[str, Any]]]:
    """Rows for each of ``QUERIES`` of the runs that lack the table; none where all have it."""
    rows: dict[str, list[Mapping[str, Any]]] = {name: [] for name in QUERIES}
    for run in runs:
        if RESULTS_TABLE in run.tables:
            continue
        about = {"run": run.run, "stage": run.stage}
        outcomes = rule_outcomes(run)
        rows["second"] += [about | each for each in _second(outcomes)]
        asked = [each for each in outcomes if each.kind != SECOND]
        rows["checks"] += [about | each for each in _counts(asked)]
        rows["breaches"] += [about | _breach(each) for each in asked if each.outcome == "failed"]
    return rows


def _counts(outcomes: list[RuleOutcome]) -> Iterable[dict[str, Any]]:
    for table, found in groupby(outcomes, key=lambda each: each.table):
        rules = list(found)
        failed = [each.severity for each in rules if each.outcome == "failed"]
        yield {
            "table_name": table,
            "rules": len(rules),
            "hold": sum(each.outcome == "passed" for each in rules),
            "broken": failed.count("error"),
            "warned": failed.count("warning"),
            "not_judged": sum(each.outcome == "not_judged" for each in rules),
        }


def _second(outcomes: list[RuleOutcome]) -> Iterable[dict[str, Any]]:
    compared = [each for each in outcomes if each.kind == SECOND]
    if compared:
        yield {
            "rows_checked": sum(each.rows_checked or 0 for each in compared),
            "rows_failed": sum(each.rows_failed for each in compared),
        }


def _breach(each: RuleOutcome) -> dict[str, Any]:
    return {
        "table_name": each.table,
        "rule_name": each.rule,
        "severity": each.severity,
        "outcome": each.outcome,
        "rows_failed": each.rows_failed,
        "sample": each.sample,
    }
