"""Full quarters of the Olist marketplace through all six stages, in order.

The four of 2017, and with FBACAP_LONG (``make olist``) all six.
"""

import os
from pathlib import Path

import pytest
from beancount import loader

from fbacap_logic.calendar import Quarter, quarter_range
from orchestration.catalogue import query
from orchestration.ingest import ingest_folder
from orchestration.ledger_export import ledger_text
from orchestration.outcome import StageOutcome
from orchestration.paths import DataFolder
from orchestration.published import published_runs
from orchestration.runner import choose_stages, run_quarter, utc_now
from orchestration.simulation.olist import olist_folder

LAST = Quarter(2018, 2) if os.environ.get("FBACAP_LONG") else Quarter(2017, 4)
QUARTERS = quarter_range(Quarter(2017, 1), LAST)
SIMULATED = {"inventory_snapshots", "network_capacity", "round_supply", "capacity_requests"}

pytestmark = [
    pytest.mark.olist,
    pytest.mark.skipif(
        not olist_folder().is_dir(),
        reason="the Olist data does not stand beside the project (see README, results)",
    ),
]


@pytest.fixture(scope="module")
def backfilled(tmp_path_factory) -> tuple[DataFolder, list[StageOutcome]]:
    data = DataFolder(tmp_path_factory.mktemp("olist"))
    ingest_folder(data, Path(olist_folder()), kind="olist", historical=True)
    outcomes = [
        outcome
        for quarter in QUARTERS
        for outcome in run_quarter(data, quarter, choose_stages(data, quarter, None, utc_now()))
    ]
    return data, outcomes


def test_every_contract_and_invariant_holds_in_every_stage_run(backfilled):
    _, outcomes = backfilled
    assert len(outcomes) == 8 * len(QUARTERS)
    broken = [
        (outcome.quarter.label, outcome.stage.name, check.table, check.name)
        for outcome in outcomes
        for check in outcome.checks
        if not check.passed
    ]
    assert broken == []


def test_every_quarter_grants_space_settles_it_and_nets_some_fees_to_zero(backfilled):
    data, _ = backfilled
    _, rows = query(
        data,
        "select quarter, count(*), sum(fee_minor), sum(credit_minor), sum(net_due_minor), "
        "count(*) filter (where net_due_minor = 0) from settlements group by 1 order by 1",
    )
    assert [row[0] for row in rows] == [quarter.label for quarter in QUARTERS]
    for _, grants, fee, credit, net_due, offset in rows:
        assert grants > 0
        assert fee == credit + net_due
        assert 0 < credit < fee
        assert 0 < offset < grants


def test_deltas_sum_to_the_latest_run_in_every_quarter(backfilled):
    data, _ = backfilled
    _, rows = query(
        data,
        """
        select quarter, sum(delta_net_due_minor) from all_runs.settlements group by quarter
        except
        select quarter, sum(net_due_minor) from settlements group by quarter
        """,
    )
    assert rows == []


def test_an_announcement_reads_only_what_had_been_received_by_then(backfilled):
    data, _ = backfilled
    lines = []
    for quarter in QUARTERS:
        announced = published_runs(data.published, quarter)[0]
        entries = announced.manifest["inputs"]["landing"]
        lines.append(sum(entry["rows"] for entry in entries if entry["table"] == "order_lines"))
        received = {entry["table"] for entry in entries}
        assert "capacity_requests" not in received or quarter > QUARTERS[0]
    assert lines == sorted(set(lines))
    assert 0 < lines[0] < lines[-1] < 112_650


def test_what_is_simulated_is_marked_in_every_manifest(backfilled):
    data, _ = backfilled
    for quarter in QUARTERS:
        for run in published_runs(data.published, quarter):
            for entry in run.manifest["inputs"]["landing"]:
                assert ("simulated" in entry) == (entry["table"] in SIMULATED), entry


def test_beancount_accepts_the_ledger_of_every_quarter_and_each_balance_it_asserts(backfilled):
    data, _ = backfilled
    for quarter in QUARTERS:
        text = "".join(ledger_text(data, quarter, "beancount"))
        entries, errors, _ = loader.load_string(text)
        assert errors == [], quarter.label
        assert entries
        assert text.count(" balance ") == text.count(" open ") > 100
