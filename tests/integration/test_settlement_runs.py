"""Late refunds and snapshots move money through new runs, and through nothing else (rules §7)."""

import json
import shutil

import pytest
from late_records import (
    QUARTER,
    REASON,
    RERUN_CUT_OFF,
    deliver_refunds,
    rerun,
    run_stages,
    zone_bytes,
)
from typer.testing import CliRunner

from orchestration import cli
from orchestration.catalogue import query
from orchestration.cli import app
from orchestration.errors import BadUsage, NotPublished
from orchestration.instance import instance
from orchestration.paths import DataFolder
from orchestration.published import published_runs
from orchestration.runner import rerun_quarter, utc_now

STAGES = ["preliminary", "final", "true-up", "rerun-1"]


@pytest.fixture
def copied(settled_market, tmp_path) -> DataFolder:
    data = DataFolder(tmp_path / "market" / "data")
    shutil.copytree(settled_market.root, data.root)
    return data


def rows(data: DataFolder, sql: str) -> list[tuple]:
    return query(data, sql)[1]


def test_each_run_posts_what_changed_and_the_deltas_sum_to_the_latest(settled_market):
    told = rows(
        settled_market,
        """
        select run, stage, currency, sum(net_due_minor)::bigint, sum(delta_net_due_minor)::bigint,
               count(*) filter (delta_net_due_minor <> 0)
        from all_runs.settlements join runs using (quarter, run)
        group by all order by run, currency
        """,
    )
    assert [stage for _, stage, *_ in told] == [name for name in STAGES for _ in ("JPY", "USD")]
    assert all(moved for *_, moved in told), told
    for currency in ("JPY", "USD"):
        mine = [row for row in told if row[2] == currency]
        running = 0
        for _, _, _, due, delta, _ in mine:
            running += delta
            assert running == due
        assert [row[3] for row in mine] == sorted(row[3] for row in mine)  # refunds cost credit
    ledger = rows(
        settled_market,
        "select run, marketplace_id, storage_type, currency, sum(amount_minor) "
        "from all_runs.ledger_entries group by all",
    )
    assert {total for *_, total in ledger} == {0}
    receivable = rows(
        settled_market,
        "select (select sum(amount_minor) from all_runs.ledger_entries "
        "where account = 'seller_receivable'), (select sum(net_due_minor) from settlements)",
    )
    assert receivable[0][0] == receivable[0][1] > 0


def test_the_reason_stands_in_the_manifest_the_runs_the_status_and_the_history(settled_market):
    last = published_runs(settled_market.published, QUARTER)[-1]
    assert (last.stage, last.reason, last.cutoff_at) == ("rerun-1", REASON, RERUN_CUT_OFF)
    assert rows(settled_market, "select stage, reason from runs where reason is not null") == [
        ("rerun-1", REASON)
    ]
    words = ["status", "--data", str(settled_market.root)]
    assert f"rerun-1: run {last.run}, cut-off 2026-06-01, because: {REASON}" in (
        CliRunner().invoke(app, words).stdout
    )
    listed = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert [row["reason"] for row in listed if row["stage"] == "rerun-1"] == [REASON]
    with instance(settled_market) as history:
        tags = [run.tags for run in history.get_runs() if run.job_name == "directed_rerun"]
    assert [each["fbacap/reason"] for each in tags] == [REASON]
    assert tags[0]["fbacap/cut_off"] == RERUN_CUT_OFF.isoformat()


def test_the_rerun_is_the_run_that_holds(settled_market):
    held = rows(settled_market, "select distinct run, settlement_run from fct_settlements")
    last = published_runs(settled_market.published, QUARTER)[-1]
    assert held == [(last.run, "rerun-1")]


def test_stages_run_again_on_the_same_facts_publish_nothing(copied):
    before = zone_bytes(copied)
    again = [*run_stages(copied, "preliminary", "true-up"), rerun(copied, "the same once more")]
    assert [outcome.is_new for outcome in again] == [False, False, False]
    assert zone_bytes(copied) == before


def test_records_that_came_late_move_money_only_through_the_next_rerun(copied, monkeypatch, capsys):
    deliver_refunds(copied, part=3, received_at="2026-01-02")
    before = zone_bytes(copied)
    words = ["run", QUARTER.label, "--stage", "final", "--data", str(copied.root)]
    monkeypatch.setattr("sys.argv", ["fbacap", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 9
    assert (
        "2025Q4 final would now differ from run 4, but rerun-1 (run 6) has settled with more"
        in (capsys.readouterr().err)
    )
    assert zone_bytes(copied) == before
    outcome = rerun(copied, "a carrier's file found again")
    assert (outcome.is_new, outcome.published.stage, outcome.published.run) == (True, "rerun-2", 7)
    assert {path: digest for path, digest in zone_bytes(copied).items() if path in before} == before
    totals = "select sum(delta_net_due_minor) from all_runs.settlements"
    assert rows(copied, totals) == rows(copied, "select sum(net_due_minor) from settlements")


def test_a_published_run_cannot_be_changed_through_the_tool(settled_market):
    for run in published_runs(settled_market.published, QUARTER):
        for path in [run.manifest_path, *(run.file(table) for table in run.tables)]:
            assert path.stat().st_mode & 0o777 == 0o444
    file = published_runs(settled_market.published, QUARTER)[-1].file("settlements")
    for statement in (
        "update settlements set net_due_minor = 0",
        "delete from all_runs.settlements",
        f"copy (select 1) to '{file}'",
    ):
        with pytest.raises(BadUsage, match="published tables are never changed"):
            query(settled_market, statement)


@pytest.mark.parametrize(
    ("cut_off", "reason", "sentence"),
    [
        ("2026-05-31", "why", "(run 6) already knows what was received before 2026-06-01"),
        ("2999-01-01", "why", "is still to come"),
        ("2026-07-01", "  ", "a reason is one line of 1 to 300 printable characters"),
        ("2026-07-01", "two\nlines", "a reason is one line"),
        ("2026-07-01", "x" * 301, "a reason is one line"),
    ],
)
def test_a_rerun_that_cannot_stand_is_refused(settled_market, cut_off, reason, sentence):
    from orchestration.cli.words import moment

    with pytest.raises(BadUsage) as caught:
        rerun_quarter(settled_market, QUARTER, reason, moment(cut_off), utc_now())
    assert sentence in str(caught.value)


def test_a_rerun_before_a_settlement_that_is_due_names_it(cleared_market):
    with pytest.raises(NotPublished, match="2025Q4 preliminary is not published, and a directed"):
        rerun(cleared_market)
