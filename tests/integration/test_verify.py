"""``fbacap verify``: an honest quarter passes, and every forgery is named."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from forgeries import FORGERIES
from tampering import copied, edit, edit_manifest, refresh, repack, run_of
from typer.testing import CliRunner

from fbacap_logic.calendar import Quarter
from orchestration import cli
from orchestration.assets import publications
from orchestration.assets import round_requests as round_requests_asset
from orchestration.assets.publications import publish
from orchestration.errors import ContractBroken, Corrupted, NotPublished
from orchestration.ingest import ingest_folder
from orchestration.instance import instance
from orchestration.outcome import failure_sentence
from orchestration.paths import DataFolder
from orchestration.runner import choose_stages, run_quarter, utc_now
from orchestration.simulation import generate
from orchestration.verification.certificate import certificate
from orchestration.verification.findings import broken
from orchestration.verification.quarter import QuarterVerification, verify_quarter

QUARTER = Quarter(2025, 4)
BYTES = {"files", "inputs", "manifest"}


def run_stages(data: DataFolder, *names: str):
    stages = choose_stages(data, QUARTER, None, utc_now())
    return list(
        run_quarter(data, QUARTER, [each for each in stages if not names or each.name in names])
    )


@pytest.fixture(scope="module")
def landed(tmp_path_factory) -> DataFolder:
    folder = tmp_path_factory.mktemp("input")
    generate(folder, sellers=60, quarters=1, seed=7, last_quarter=QUARTER)
    data = DataFolder(tmp_path_factory.mktemp("landed"))
    ingest_folder(data, folder, kind="tables", historical=True)
    return data


@pytest.fixture(scope="module")
def published(landed, tmp_path_factory) -> DataFolder:
    data = DataFolder(tmp_path_factory.mktemp("market") / "data")
    shutil.copytree(landed.root, data.root)
    run_stages(data)
    return data


@pytest.fixture
def zone(published, tmp_path) -> Path:
    return copied(published.published, tmp_path / "published")


def verified(zone: Path, run: int | None = None) -> QuarterVerification:
    return verify_quarter(zone, QUARTER.key, QUARTER.label, run=run)


def test_an_untouched_quarter_verifies_and_nothing_was_compared_in_vain(published):
    found = verified(published.published)
    assert found.sentences() == []
    assert [run.manifest.stage for run in found.runs] == [
        "announce", "round-1", "round-2", "round-3", "round-4", "preliminary", "final", "true-up",
    ]  # fmt: skip
    rows: dict[str, int] = {}
    for comparison in found.comparisons:
        rows[comparison.name] = rows.get(comparison.name, 0) + comparison.rows
    assert all(rows.values()), rows
    assert len(rows) == 23


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_hashes_catch(forgery, zone):
    stage, table, _, query = FORGERIES[forgery]
    edit(zone, QUARTER, stage, table, query)
    run = run_of(zone, QUARTER, stage).run
    different = {each.name: each for each in broken(verified(zone, run).comparisons)}
    columns = {difference.column for difference in different["files"].first}
    assert {"sha256", "row_hash"} <= columns
    assert f"run={run:04d}/{table}.parquet" in different["files"].first[0].key["file"]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_second_computation_alone_catches(forgery, zone):
    stage, table, column, query = FORGERIES[forgery]
    edit(zone, QUARTER, stage, table, query)
    refresh(zone, QUARTER)
    run = run_of(zone, QUARTER, stage).run
    different = {each.name: each for each in broken(verified(zone, run).comparisons)}
    assert not BYTES & set(different)
    difference = different[table].first[0]
    assert difference.column == column
    assert difference.published != difference.expected
    assert set(run_of(zone, QUARTER, stage).tables[table]["key"]) <= set(difference.key)
    assert f"run {run} {stage} {table} " in different[table].sentences()[0]


def test_a_row_of_an_earlier_round_that_changed_later_is_named(zone):
    stage, table, column, query = FORGERIES["a grant raised by one unit"]
    edit(zone, QUARTER, stage, table, query.replace("max(request_id)", "min(request_id)"))
    refresh(zone, QUARTER)
    different = {each.name: each for each in broken(verified(zone).comparisons)}
    assert different["cleared_allocations unchanged"].first[0].column == column


def test_settlement_deltas_that_no_longer_sum_to_the_latest_run_are_named(zone):
    edit(
        zone, QUARTER, "preliminary", "settlements",
        "select * replace (delta_fee_minor + 1 as delta_fee_minor) from rows",
    )  # fmt: skip
    refresh(zone, QUARTER)
    different = {(each.run, each.name) for each in broken(verified(zone).comparisons)}
    assert ("run 8 true-up", "sum of deltas") in different
    assert ("run 6 preliminary", "settlements") in different


def test_another_policy_in_one_manifest_is_named(zone):
    def sneak(document):
        document["policy"]["settlement"]["credit_rate_bp"] = 1

    edit_manifest(zone, QUARTER, "true-up", sneak)
    refresh(zone, QUARTER)
    different = {each.name: each for each in broken(verified(zone).comparisons)}
    assert [each.column for each in different["manifest"].first] == ["policy"]
    assert "credit_minor" in {each.column for each in different["settlements"].first}


def test_files_that_are_missing_or_that_no_manifest_names_are_named(zone):
    run_of(zone, QUARTER, "announce").file("base_allocation_estimates").unlink()
    stray = run_of(zone, QUARTER, "round-1").file("cleared_allocations").with_name("more.parquet")
    stray.write_bytes(b"more")
    run_of(zone, QUARTER, "round-2").manifest_path.unlink()
    sentences = "\n".join(verified(zone).sentences())
    assert "base_allocation_estimates.parquet: the file is published as missing" in sentences
    assert "run=0002/more.parquet: the file is published as there, in its manifest not" in sentences
    assert "run 4 round-3 manifest: runs before it is published as 2, but should be 3" in sentences


def test_a_manifest_that_is_none_is_named(zone, monkeypatch, capsys):
    run_of(zone, QUARTER, "round-2").manifest_path.write_text("{")
    code, _, said = answered(monkeypatch, capsys, zone)
    assert code == 7
    assert "run=0003.json is not a manifest" in said


@pytest.mark.parametrize("table", ["base_allocations", "repriced_fees"])
def test_a_file_that_is_no_parquet_any_more_is_named_without_a_traceback(
    table, zone, monkeypatch, capsys
):
    stage = "announce" if table == "base_allocations" else "round-4"
    path = run_of(zone, QUARTER, stage).file(table)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    code, page, said = answered(monkeypatch, capsys, zone)
    assert code == 1
    assert f"{table}.parquet: the file is published as unreadable" in page
    assert "figures, re-derived as impossible" in page
    assert said.startswith("fbacap: 2025Q4 is not verified: ")
    assert "Traceback" not in said
    assert "\n" not in said


def test_a_file_with_other_columns_is_named(zone):
    path = run_of(zone, QUARTER, "final").file("settlements")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select 1 as marketplace_id, * exclude (marketplace_id) from '{path}') "
            f"to '{path}.edited' (format parquet)"
        )
    Path(f"{path}.edited").replace(path)
    different = {each.name: each for each in broken(verified(zone, 7).comparisons)}
    assert [each.column for each in different["files"].first] == ["sha256", "columns"]


def answered(monkeypatch, capsys, zone: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, what was printed and what was said of the failure."""
    command = ["fbacap", "verify", QUARTER.label, "--data", str(zone.parent), *words]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err.strip()


def test_the_command_prints_one_page_and_writes_the_same_certificate(published, tmp_path):
    target = tmp_path / "certificate.md"
    words = ["verify", "2025Q4", "--data", str(published.root)]
    shown = CliRunner().invoke(cli.app, [*words, "--certificate", str(target)])
    assert shown.exit_code == 0
    assert shown.stdout == target.read_text(encoding="utf-8")
    assert shown.stdout == certificate(verified(published.published))
    assert shown.stdout.startswith("# 2025Q4: verified: nothing differs\n")
    assert str(published.root) not in shown.stdout
    assert len(shown.stdout.splitlines()) < 60


def test_the_command_ends_with_1_and_says_what_differs(zone, monkeypatch, capsys):
    stage, table, _, query = FORGERIES["a fee off by one"]
    edit(zone, QUARTER, stage, table, query)
    refresh(zone, QUARTER)
    code, page, said = answered(monkeypatch, capsys, zone, "--run", "5")
    assert code == 1
    assert page.startswith("# 2025Q4: NOT verified")
    assert "fee_minor is published as" in said
    code, document, _ = answered(monkeypatch, capsys, zone, "--run", "5", "--json")
    assert code == 1
    assert json.loads(document)["verified"] is False


def test_at_most_five_rows_of_a_comparison_are_shown(zone):
    edit(
        zone, QUARTER, "true-up", "incremental_sales_days",
        "select * replace (base_milli_ft3 + 1 as base_milli_ft3) from rows",
    )  # fmt: skip
    found = {each.name: each for each in broken(verified(zone, 8).comparisons)}
    days = found["incremental_sales_days"]
    assert days.differing_rows == days.rows > 5
    assert len({tuple(each.key.values()) for each in days.first}) == 5
    assert days.sentences()[-1].endswith(f": {days.differing_rows - 5} more rows differ")


def test_what_is_not_published_is_said(published, tmp_path):
    with pytest.raises(NotPublished, match="nothing of 2025Q4 is published in"):
        verified(tmp_path)
    with pytest.raises(NotPublished, match=r"2025Q4 has no published run 9; its runs are 1, 2"):
        verified(published.published, 9)


def test_a_figure_that_the_second_computation_disputes_is_never_published(
    landed, tmp_path, monkeypatch
):
    data = DataFolder(tmp_path / "data")
    shutil.copytree(landed.root, data.root)
    run_stages(data, "announce")
    judge = round_requests_asset.judge_requests

    def judge_generously(*tables):
        judged = judge(*tables)
        return judged.assign(cap_milli_ft3=judged["cap_milli_ft3"] + 1)

    monkeypatch.setattr(round_requests_asset, "judge_requests", judge_generously)
    with pytest.raises(ContractBroken) as caught:
        run_stages(data, "round-1")
    message = str(caught.value)
    assert "repriced_fees breaks its check 'second_computation'" in message
    assert "cap_milli_ft3 is published as 2000001, re-derived as 2000000" in message
    assert not (data.published / "repriced_fees").exists()


def test_a_settlement_is_verified_after_it_was_published_with_what_it_was_built_on(
    published, tmp_path, monkeypatch
):
    data = DataFolder(tmp_path / "data")
    shutil.copytree(published.root, data.root)
    (again,) = run_stages(data, "true-up")
    assert "verified" in {check.name for check in again.checks}

    def publish_beside_damage(*arguments, **named):
        done = publish(*arguments, **named)
        repack(data.published, QUARTER, "round-4", "market_rounds")
        return done

    damaged = r"market_rounds\.parquet does not hold the bytes that were stored there"
    with monkeypatch.context() as patch:
        patch.setattr(publications, "publish", publish_beside_damage)
        with pytest.raises(Corrupted, match=damaged):
            run_stages(data, "true-up")
    with instance(data) as history:
        (last,) = history.get_runs(limit=1)
        fault = failure_sentence(history, last.run_id, "2025Q4 true-up")
    assert "settlement_run breaks its check 'verified'" in fault
    assert "sha256 is published as" in fault
    with pytest.raises(Corrupted, match=damaged):
        run_stages(data, "true-up")
