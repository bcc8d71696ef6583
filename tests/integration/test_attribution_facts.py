"""Attribution over a real run: against SQL on the delivered files, and on missing snapshots."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from attribution_sql import HALF_EVEN, SELLER_DAYS_IN_SQL
from typer.testing import CliRunner

from fbacap_logic.calendar import Quarter
from orchestration.catalogue import query
from orchestration.cli import app
from orchestration.errors import BadUsage, ContractBroken, Differs
from orchestration.ingest import ingest_folder
from orchestration.paths import DataFolder
from orchestration.published import published_runs
from orchestration.runner import choose_stages, run_quarter, utc_now
from orchestration.simulation import generate

QUARTER = Quarter(2025, 4)
GAP = "snapshot_date between date '2025-11-10' and date '2025-11-24'"  # 15 days: 7 carried, 8 not

COLUMNS = (
    "marketplace_id, seller_id, storage_type, day, net_sales_minor, used_milli_ft3, base_milli_ft3,"
    " extra_milli_ft3, extra_used_milli_ft3, usage_layer_micro_minor, capacity_share_micro_minor,"
    " is_carried, is_missing"
)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory) -> Path:
    """A generated delivery whose American snapshots of fifteen days in November are kept back."""
    folder = tmp_path_factory.mktemp("delivered")
    generate(folder, sellers=50, quarters=1, seed=11, last_quarter=QUARTER)
    kept_back = folder / "_kept_back"
    kept_back.mkdir()
    whole = folder / "inventory_snapshots.parquet"
    with duckdb.connect() as connection:
        gap = f"{GAP} and marketplace_id = 'US'"
        connection.execute(
            f"copy (select * replace (timestamp '2026-02-01' as received_at) from '{whole}' "
            f"where {gap} order by all) to '{kept_back}/inventory_snapshots.parquet'"
        )
        connection.execute(
            f"copy (from '{whole}' where not ({gap}) order by all) to '{folder}/rest.parquet'"
        )
    shutil.move(folder / "rest.parquet", whole)
    return folder


def run_stages(data: DataFolder, *names: str):
    due = choose_stages(data, QUARTER, None, utc_now())
    return list(run_quarter(data, QUARTER, [stage for stage in due if stage.name in names]))


@pytest.fixture(scope="module")
def preliminary(tmp_path_factory, delivered) -> DataFolder:
    data = DataFolder(tmp_path_factory.mktemp("market"))
    ingest_folder(data, delivered, kind="tables", historical=True)
    run_stages(data, "announce", "round-4", "preliminary")
    return data


def in_sql(data: DataFolder, delivery: Path, cutoff: str) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute(HALF_EVEN)
        for path in delivery.glob("*.parquet"):
            connection.execute(f"create view {path.stem} as from '{path}'")
        for view, table in (("grants", "repriced_fees"), ("bases", "base_allocations")):
            newest = sorted((data.published / table).glob("*/*/*.parquet"))[-1]
            connection.execute(f"create view {view} as from '{newest}'")
        days = SELLER_DAYS_IN_SQL.format(cutoff=cutoff)
        return connection.execute(f"select {COLUMNS} from ({days}) order by all").fetchall()


def published_days(data: DataFolder) -> list[tuple]:
    return query(data, f"select {COLUMNS} from incremental_sales_days order by all")[1]


def test_published_days_are_those_of_sql_on_the_delivered_files(preliminary, delivered):
    found = published_days(preliminary)
    assert found == in_sql(preliminary, delivered, "2026-01-08")
    assert len(found) > 500
    _, ((cases, several, types, mid_quarter),) = query(
        preliminary,
        "select count(*), count(*) filter (grants > 1), count(distinct storage_type),"
        " count(*) filter (first_round > 2) from (select storage_type, seller_id,"
        " count(*) as grants, min(round) as first_round from repriced_fees group by all)",
    )
    assert min(cases, several, types - 1, mid_quarter) > 0


def test_seller_quarters_are_the_rounded_sums_of_their_days(preliminary):
    _, wrong = query(
        preliminary,
        "select seller_id from incremental_sales join (select marketplace_id, storage_type,"
        " seller_id, sum(usage_layer_micro_minor) as usage, sum(net_sales_minor) as net"
        " from incremental_sales_days group by all) using (marketplace_id, storage_type, seller_id)"
        " where usage_layer_minor <> round_even(usage / 1000000::decimal(38, 0), 0)"
        " or forecast_uplift_minor <> greatest(0, net - sales_forecast_minor)",
    )
    assert wrong == []


def test_days_without_a_snapshot_are_carried_for_seven_days_and_then_count_as_nothing(preliminary):
    _, days = query(
        preliminary,
        "select distinct marketplace_id, strftime(day, '%m-%d'), is_carried, is_missing"
        " from incremental_sales_days where is_carried or is_missing order by all",
    )
    carried = [f"11-{day}" for day in range(10, 17)]
    missing = [f"11-{day}" for day in range(17, 25)]
    assert days == [("US", day, True, False) for day in carried] + [
        ("US", day, False, True) for day in missing
    ]
    _, counted = query(
        preliminary,
        "select distinct marketplace_id, missing_days, carried_days from incremental_sales"
        " order by all",
    )
    assert ("US", 8, 7) in counted
    assert set(counted) <= {("US", 8, 7), ("JP", 0, 0)}


def test_a_final_run_stops_on_days_without_a_snapshot_until_they_are_delivered(
    preliminary, delivered, tmp_path
):
    data = DataFolder(tmp_path / "market")
    shutil.copytree(preliminary.root, data.root)
    for stage in ("final", "true-up"):
        with pytest.raises(ContractBroken) as caught:
            run_stages(data, stage)
        message = str(caught.value)
        assert message.startswith(f"2025Q4 {stage}: seller_market_days breaks its check 'contract'")
        assert "final_runs_lack_no_snapshot" in message
    assert [run.stage for run in published_runs(data.published, QUARTER)] == [
        "announce", "round-4", "preliminary",
    ]  # fmt: skip
    ingest_folder(data, delivered / "_kept_back", kind="tables", historical=False)
    (outcome,) = run_stages(data, "final")
    assert outcome.is_new
    _, missing = query(
        data, "select day from incremental_sales_days where is_missing or is_carried"
    )
    assert missing == []
    with duckdb.connect() as connection:
        late = connection.execute(
            f"select count(*) from '{delivered}/refunds.parquet' "
            "where received_at >= timestamp '2026-01-08' and received_at < timestamp '2026-02-15'"
        ).fetchone()
    assert late[0] > 0, "no refund between the two cut-offs: the case is not exercised"


def test_every_dollar_of_a_day_is_evidence_of_exactly_one_grant(preliminary):
    _, wrong = query(
        preliminary,
        "select seller_id, day from incremental_sales_days left join (select marketplace_id,"
        " storage_type, seller_id, day, sum(usage_layer_micro_minor) as usage,"
        " sum(capacity_share_micro_minor) as share from grant_evidence_days group by all)"
        " using (marketplace_id, storage_type, seller_id, day)"
        " where usage_layer_micro_minor <> coalesce(usage, 0)"
        " or capacity_share_micro_minor <> coalesce(share, 0)",
    )
    assert wrong == []
    _, early = query(
        preliminary,
        "select request_id from grant_evidence_days where (round = 3 and day < date '2025-10-16')"
        " or (round = 4 and day < date '2025-11-13')",
    )
    assert early == []


def busiest_day(data: DataFolder) -> tuple[str, str, int]:
    """Seller, day and net sales of a day with refunded order lines."""
    sql = (
        "select seller_id, strftime(day, '%Y-%m-%d'), net_sales_minor from incremental_sales_days"
        " where seller_id not like '%costume%' order by net_sales_minor desc, all limit 1"
    )
    _, (found,) = query(data, sql.replace(", all limit", ", seller_id, day limit"))
    return found


def test_a_credit_is_traced_to_order_lines_that_come_to_the_days_net_sales(preliminary):
    seller, day, net_sales = busiest_day(preliminary)
    words = ["evidence", seller, QUARTER.label, "--data", str(preliminary.root)]
    shown = CliRunner().invoke(app, [*words, "--day", day, "--json"])
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert sum(line["net_sales_minor"] for line in found["lines"]) >= net_sales > 0
    assert {line["day"] for line in found["lines"]} == {day}
    assert all(len(line["source_file"]) == 64 for line in found["lines"])
    for row in found["days"]:
        parts = [
            part["usage_layer_micro_minor"]
            for part in found["grant_days"]
            if part["storage_type"] == row["storage_type"]
        ]
        assert sum(parts) == row["usage_layer_micro_minor"]
    whole = CliRunner().invoke(app, [*words, "--json"])
    quarter = json.loads(whole.stdout)
    assert len(quarter["days"]) == 92 * len(quarter["sales"])
    for row in quarter["days"]:
        assert row["net_sales_of_lines_minor"] == row["net_sales_minor"]
    assert any(line["refunded_minor"] for line in refunded_lines(preliminary))
    assert CliRunner().invoke(app, words).exit_code == 0


def refunded_lines(data: DataFolder) -> list[dict]:
    from orchestration.evidence import read_evidence

    sql = (
        "select distinct seller_id, day from incremental_sales_days where net_sales_minor > 0"
        " and seller_id not like '%costume%' order by all"
    )
    for seller, day in query(data, sql)[1]:
        lines = read_evidence(data, QUARTER, seller, day).lines
        if any(line["refunds"] for line in lines):
            return list(lines)
    return []


def test_evidence_that_no_longer_comes_to_the_published_net_sales_is_a_difference(
    preliminary, tmp_path
):
    data = DataFolder(tmp_path / "market")
    shutil.copytree(preliminary.root, data.root)
    seller, day, _ = busiest_day(data)
    (path,) = (data.landing / "typed" / "order_lines").glob("*.parquet")
    changed = tmp_path / "changed.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (if(seller_id = '{seller}', revenue + 1, revenue)"
            f"::decimal(18, 2) as revenue) from '{path}') to '{changed}'"
        )
    path.chmod(0o644)
    shutil.move(changed, path)
    words = ["evidence", seller, QUARTER.label, "--day", day, "--data", str(data.root)]
    failed = CliRunner().invoke(app, words)
    assert isinstance(failed.exception, Differs)
    assert f"{seller} on {day}: order lines come to" in str(failed.exception)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nobody", "2025Q4"], "seller 'nobody' won no space in 2025Q4"),
        (["halloween-shop", "2025Q4", "--day", "2026-01-01"], "is not a day of 2025Q4"),
        (["halloween-shop", "2025Q4", "--day", "today"], "'today' is not a day"),
    ],
)
def test_evidence_of_what_is_not_there_is_refused_in_a_sentence(preliminary, words, sentence):
    failed = CliRunner().invoke(app, ["evidence", *words, "--data", str(preliminary.root)])
    assert isinstance(failed.exception, BadUsage)
    assert sentence in str(failed.exception)
