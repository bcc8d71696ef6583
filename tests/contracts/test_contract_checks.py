"""Contracts as Dagster checks: what blocks, what does not, and what people read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from contract_fixtures import broken_quarter, valid_quarter

from orchestration.checks.contract_checks import contract_check
from orchestration.checks.contract_result import ContractResult
from orchestration.errors import BadConfiguration

__all__ = ["broken_quarter", "valid_quarter"]  # fixtures, which pytest finds in this module

Break = Callable[[str], Path]


def run_with_check(
    path: Path, table: str, **arguments: object
) -> tuple[dg.ExecuteInProcessResult, list[ContractResult]]:
    """Run an asset, its contract check, and an asset after it."""

    @dg.asset(key=table)
    def checked() -> None: ...

    @dg.asset(deps=[dg.AssetKey(table)])
    def after() -> None: ...

    kept: list[ContractResult] = []
    check = contract_check(
        table,
        dg.AssetKey(table),
        working_file=lambda _: path,
        keep=lambda _, result: kept.append(result),
        **arguments,  # type: ignore[arg-type]
    )
    definitions = dg.Definitions(assets=[checked, after], asset_checks=[check])
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(raise_on_error=False), kept


def materialised(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}


def test_a_kept_contract_lets_the_next_stage_run(valid_quarter: Path) -> None:
    result, kept = run_with_check(valid_quarter, "settlements")
    assert result.success
    assert materialised(result) == {"settlements", "after"}
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.check_name, evaluation.passed) == ("contract", True)
    assert evaluation.metadata["rows_checked"].value == 8
    assert evaluation.description == f"all {len(kept[0].rules)} rules hold for 8 rows"
    assert "failing_rows" not in evaluation.metadata


def test_a_broken_contract_stops_the_next_stage(broken_quarter: Break) -> None:
    path = broken_quarter("update market.settlements set net_due_minor = 1 where request_id = 'e'")
    result, kept = run_with_check(path, "settlements")
    assert not result.success
    assert materialised(result) == {"settlements"}
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert evaluation.description == (
        "net_due_is_fee_less_credit fails once: Net due is fee less credit (rules §7). "
        "First at request_id e, round 3, fee_minor 14000, credit_minor 7000, net_due_minor 1; "
        "also broken: deltas_are_now_less_before"
    )
    assert [result.table for result in kept] == ["settlements"]


def test_a_broken_warning_stops_nothing(broken_quarter: Break) -> None:
    path = broken_quarter(
        "delete from facts.round_supply_released where storage_type = 'oversize' and round = 4"
    )
    result, kept = run_with_check(path, "round_supply_released", schema="facts")
    assert result.success
    assert materialised(result) == {"round_supply_released", "after"}
    assert [rule.severity for rule in kept[0].broken] == ["warning"]


def test_a_seller_id_that_carries_markup_is_shown_as_text(broken_quarter: Break) -> None:
    path = broken_quarter(
        "update market.settlements set net_due_minor = 1, "
        "request_id = '<script>alert(1)</script>|`x`' where request_id = 'e'"
    )
    result, _ = run_with_check(path, "settlements")
    (evaluation,) = result.get_asset_check_evaluations()
    for name in ("results", "failing_rows"):
        shown = str(evaluation.metadata[name].value)
        assert "<script>" not in shown
    assert "&lt;script&gt;alert\\(1\\)&lt;/script&gt;\\|\\`x\\`" in str(
        evaluation.metadata["failing_rows"].value
    )


def test_an_outcome_can_be_written_as_json(broken_quarter: Break) -> None:
    path = broken_quarter("update market.settlements set net_due_minor = 1 where request_id = 'e'")
    _, kept = run_with_check(path, "settlements")
    document = json.loads(json.dumps(kept[0].as_document()))
    assert document["table"] == "settlements"
    assert not document["passed"]
    broken = [rule for rule in document["rules"] if not rule["passed"]]
    assert broken[0]["sample"][0]["request_id"] == "e"


def test_a_table_without_a_contract_is_refused_when_the_check_is_made() -> None:
    with pytest.raises(BadConfiguration, match="no data contract for table 'no_such_table'"):
        contract_check("no_such_table", dg.AssetKey("t"), working_file=lambda _: Path())
