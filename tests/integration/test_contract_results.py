"""The published table of what checks found: whole, the same each time, of no say in what is new."""

from __future__ import annotations

import json
from itertools import groupby

import pytest
from late_records import QUARTER
from report_pages import copy_of, parsed, tables_of, text_of

from orchestration.catalogue import query
from orchestration.checks.implied_rules import SHAPE_RULES, content_rules
from orchestration.contracts import load_contract
from orchestration.published import published_runs
from orchestration.published_checks import rule_outcomes
from orchestration.report.making import make_report
from orchestration.stages import RESULTS_TABLE, published_tables


@pytest.fixture(scope="module")
def runs(settled_market):
    return published_runs(settled_market.published, QUARTER)


def test_every_rule_of_every_table_that_a_run_made_has_its_result(runs):
    for run in runs:
        judged = {}
        for table, found in groupby(rule_outcomes(run), key=lambda each: each.table):
            judged[table] = {each.rule for each in found}
        for table in published_tables(run.kind):
            if table == RESULTS_TABLE:
                assert table not in judged
                continue
            rules = (*SHAPE_RULES, *content_rules(load_contract(table)))
            assert judged[table] == {rule.name for rule in rules}, (run.stage, table)


def test_invariants_row_accounts_and_the_second_computation_are_in_it_too(runs):
    kinds = {each.kind for each in rule_outcomes(runs[-1])}
    assert {"shape", "row", "key", "query", "row_account", "invariant", "second_computation"} <= (
        kinds
    )


def test_nothing_published_breaks_a_rule_that_stops(runs):
    for run in runs:
        errors = {each.outcome for each in rule_outcomes(run) if each.severity == "error"}
        assert errors == {"passed"}, run.stage


def test_the_catalogue_answers_questions_about_rules(settled_market):
    columns, found = query(
        settled_market,
        "select stage, sentence, rows_checked from all_runs.contract_results "
        "where table_name = 'settlements' and rule_name = 'net_due_is_fee_less_credit' "
        "order by run",
    )
    assert columns == ["stage", "sentence", "rows_checked"]
    assert [row[0] for row in found] == ["preliminary", "final", "true-up", "rerun-1"]
    assert all(row[1] == "Net due is fee less credit (rules §7)." and row[2] > 0 for row in found)


def test_the_manifest_seals_the_table_and_keeps_no_second_copy(runs):
    for run in runs:
        assert "checks" not in run.manifest
        assert run.tables[RESULTS_TABLE]["rows"] == len(rule_outcomes(run))


def test_a_report_of_runs_without_the_table_is_made_from_their_manifests(settled_market, tmp_path):
    data = copy_of(settled_market, tmp_path / "data")
    for run in published_runs(data.published, QUARTER):
        manifest = dict(run.manifest)
        manifest["tables"] = {k: v for k, v in run.tables.items() if k != RESULTS_TABLE}
        rules = [
            {"name": each.rule, "severity": each.severity, "passed": True, "failed_rows": 0,
             "rows": each.rows_checked}
            for each in rule_outcomes(run)
            if each.table == "second_computation"
        ]  # fmt: skip
        broken = {"name": "a_rule", "passed": False, "severity": "warning", "failed_rows": 2,
                  "sample": [{"seller_id": "<b>"}]}  # fmt: skip
        manifest["checks"] = [
            {"table": "second_computation", "rules": rules},
            {"table": "market_rounds", "contract_version": "1.0.0", "rows": 4, "rules": [broken]},
        ]
        run.manifest_path.chmod(0o644)
        run.manifest_path.write_text(json.dumps(manifest), encoding="utf-8")
    tree = parsed(make_report(data, QUARTER).path.read_text(encoding="utf-8"))
    [faults] = tables_of(tree, "Rules that do not hold")
    assert len(faults) == len(published_runs(data.published, QUARTER))
    assert faults[0][2:] == ["market_rounds", "a rule", "2", "seller_id <b>"]
    new = parsed(make_report(settled_market, QUARTER, tmp_path / "new.html").path.read_text())
    older_rows, new_rows = (
        [row[:3] for row in tables_of(page, "Rows computed a second time")[0]]
        for page in (tree, new)
    )
    assert older_rows == new_rows
    assert any(row[1] != "–" for row in new_rows)
    assert "query checks" not in text_of(tree.find("body"))
    assert "query checks" in text_of(new.find("body"))
