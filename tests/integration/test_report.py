"""The quarter report over published runs: its figures, its bytes, quarters half way through."""

import json
import shlex

import dagster as dg
import pytest
from late_records import QUARTER, REASON
from report_pages import commands_of, copy_of, number, parsed, strip_of, tables_of, text_of
from typer.testing import CliRunner

from orchestration.catalogue import query
from orchestration.cli import app
from orchestration.errors import BadUsage, NotPublished
from orchestration.files import file_digest
from orchestration.instance import instance
from orchestration.published import published_runs
from orchestration.report.making import default_path, make_report, verify_for_report

LABEL = QUARTER.label


@pytest.fixture(scope="module")
def report(settled_market, tmp_path_factory):
    """The report of the settled quarter and its page, made beside the one that stands."""
    out = tmp_path_factory.mktemp("report") / "page.html"
    return make_report(settled_market, QUARTER, out)


@pytest.fixture(scope="module")
def tree(report):
    return parsed(report.path.read_text(encoding="utf-8"))


def one(data, sql):
    [row] = query(data, sql.format(label=LABEL))[1]
    return row


def test_a_settlement_run_writes_the_report_that_the_command_writes(settled_market, report):
    assert default_path(settled_market, QUARTER).read_bytes() == report.path.read_bytes()


def test_the_asset_tells_where_its_report_is_and_by_which_hash(settled_market):
    path = default_path(settled_market, QUARTER)
    with instance(settled_market) as dagster_instance:
        event = dagster_instance.get_latest_materialization_event(dg.AssetKey("quarter_report"))
    told = event.asset_materialization.metadata
    assert told["sha256"].value == file_digest(path)
    assert told["bytes"].value == path.stat().st_size
    assert told["report"].value == str(path)
    assert told["link"].value == path.as_uri()


def test_the_headline_figures_are_sums_over_the_published_tables(settled_market, tree):
    shown = strip_of(tree)
    columns = {"Fees": "fee_minor", "Credits": "credit_minor", "Net due": "net_due_minor"}
    for name, column in columns.items():
        sums = query(
            settled_market,
            f"select currency, sum({column}) from settlements where quarter = '{LABEL}' "
            "group by currency order by currency",
        )[1]
        assert len(sums) == 2
        assert [(text.split()[1], number(text)) for text in shown[name]] == sums
    sellers, base = one(
        settled_market,
        "select count(distinct (marketplace_id, seller_id)), sum(base_milli_ft3) "
        "from base_allocations where quarter = '{label}'",
    )
    assert [number(text) for text in shown["Sellers"]] == [sellers]
    [space] = shown["Base space"]
    assert abs(number(space.removesuffix(" ft³")) * 1_000 - base) <= 500


def test_winners_wholly_offset_are_counted_over_sellers_and_markets(settled_market, tree):
    free, winners = one(
        settled_market,
        "with each as (select sum(net_due_minor) as due from settlements where quarter = '{label}' "
        "group by marketplace_id, storage_type, seller_id) "
        "select count(*) filter (due = 0), count(*) from each",
    )
    [shown] = strip_of(tree)["Winners wholly offset"]
    assert float(shown.removesuffix(" %")) == pytest.approx(100 * free / winners, abs=0.1)
    bands = tables_of(tree, "How much of the fee credits paid")
    assert sum(number(table[-1][2]) for table in bands) == winners
    rows = [row for table in bands for row in table]
    assert sum(number(row[2]) for row in rows if row[1].startswith("all of it")) == free > 0


def test_sellers_scaled_down_to_fit_are_those_that_got_less_than_they_were_due(
    settled_market, tree
):
    (scaled,) = one(
        settled_market,
        "select count(*) from base_allocations where quarter = '{label}' "
        "and base_milli_ft3 < unscaled_milli_ft3",
    )
    [markets] = tables_of(tree, "Base allocations by market")
    assert sum(number(row[-1]) for row in markets) == scaled > 0
    assert f"{scaled} allocations were scaled down to fit" in text_of(tree.find("body"))


def test_round_tables_show_what_market_rounds_holds(settled_market, tree):
    shown = [row for table in tables_of(tree, "Rounds") for row in table]
    rows = query(
        settled_market,
        "select round, supply_milli_ft3, demanded_milli_ft3, granted_milli_ft3, unsold_milli_ft3, "
        "clearing_fee_minor_per_ft3, requests, winners from market_rounds "
        f"where quarter = '{LABEL}' order by marketplace_id, storage_type, round",
    )[1]
    assert len(shown) == len(rows) > 4
    for cells, row in zip(shown, rows, strict=True):
        figures = [*cells[:6], *cells[8:]]
        assert [None if cell == "–" else number(cell) for cell in figures] == list(row)


@pytest.mark.parametrize(
    ("caption", "columns"),
    [
        ("How much of the fee credits paid", (2, 3, 4, 5)),
        ("Fees by the round that granted", (1, 2, 5, 6)),
        ("Requests received", (4,)),
        ("Settlement runs", (6, 7, 8)),
        ("Rules asked", (2, 3, 4, 5)),
    ],
)
def test_totals_are_the_sums_of_their_columns(tree, caption, columns):
    tables = tables_of(tree, caption)
    assert tables
    for *rows, total in tables:
        for place in columns:
            assert sum(number(row[place]) for row in rows) == number(total[place]), caption


def test_the_ledger_balances_in_every_marketplace(tree):
    ledgers = tables_of(tree, "Ledger")
    assert [len(ledger) for ledger in ledgers] == [4, 4]
    assert [number(ledger[-1][2]) for ledger in ledgers] == [0, 0]


def test_the_method_that_pays_credits_what_was_settled(settled_market, tree):
    methods = tables_of(tree, "Credits by method")
    settled = query(
        settled_market,
        f"select sum(credit_minor) from settlements where quarter = '{LABEL}' "
        "group by marketplace_id order by marketplace_id",
    )[1]
    paid = [(number(row[3]),) for table in methods for row in table if row[1] == "pays"]
    assert paid == settled
    assert [len(table) for table in methods] == [3, 3]


def test_settlement_runs_come_with_their_changes_and_the_reason_of_a_directed_one(tree):
    tables = tables_of(tree, "Settlement runs")
    assert len(tables) == 2
    for runs in tables:
        stages = [row[0].split()[1] for row in runs[:-1]]
        assert stages == ["(preliminary)", "(final)", "(true-up)", "(rerun-1)"]
        latest, changes = runs[-2][3:6], runs[-1][6:]
        assert list(map(number, changes)) == list(map(number, latest))
    assert REASON in text_of(tree.find("body"))


def test_every_query_of_the_page_gives_the_reports_figures_when_pasted(
    settled_market, report, tree
):
    commands = commands_of(tree)
    assert len(commands) > 10
    for name, command in commands.items():
        program, subcommand, sql = shlex.split(command)
        assert (program, subcommand) == ("fbacap", "sql")
        columns, rows = query(settled_market, sql)
        held = [dict(zip(columns, row, strict=True)) for row in rows]
        assert held == report.reading.rows[name], name


def test_two_makings_are_the_same_bytes(settled_market, tmp_path, report):
    again = make_report(settled_market, QUARTER, tmp_path / "again.html")
    assert again.path.read_bytes() == report.path.read_bytes()
    assert again.sha256 == file_digest(report.path)


def test_every_published_file_and_every_input_file_is_there_by_hash(settled_market, tree):
    shown = {cells[-1] for caption in ("Published files", "Input files")
             for table in tables_of(tree, caption) for cells in table}  # fmt: skip
    for run in published_runs(settled_market.published, QUARTER):
        assert {str(entry["sha256"]) for entry in run.tables.values()} <= shown
        assert {str(file["sha256"]) for file in run.manifest["inputs"]["landing"]} <= shown
    origins = {row[1] for table in tables_of(tree, "Input files") for row in table}
    assert origins == {"simulated", "as delivered"}


def test_a_quarter_whose_rounds_have_closed_says_when_it_is_settled(cleared_market, tmp_path):
    made = make_report(copy_of(cleared_market, tmp_path / "data"), QUARTER)
    tree = parsed(made.path.read_text(encoding="utf-8"))
    shown, said = strip_of(tree), text_of(tree.find("body"))
    assert [name.split(",")[0] for name in shown] == [
        "Sellers", "Base space", "Extra space granted", "Fees",
    ]  # fmt: skip
    assert "Next comes preliminary, with what was received before 2026-01-08" in said
    assert "Nothing is settled yet." in said
    assert tables_of(tree, "Settlement runs") == []


def test_a_quarter_that_is_only_announced_has_a_report(cleared_market, tmp_path):
    made = make_report(copy_of(cleared_market, tmp_path / "data", runs=1), QUARTER)
    tree = parsed(made.path.read_text(encoding="utf-8"))
    said = text_of(tree.find("body"))
    assert list(strip_of(tree)) == ["Sellers", "Base space"]
    assert "No round has closed yet. Next comes round-1" in said
    assert made.as_document()["to_come"][0]["stage"] == "round-1"
    assert tables_of(tree, "Rounds") == []


def test_what_verification_found_is_shown_only_of_the_manifests_that_it_saw(
    settled_market, tmp_path
):
    data = copy_of(settled_market, tmp_path / "data")
    page = make_report(data, QUARTER).path.read_text(encoding="utf-8")
    assert "No verification of the published files is kept" in page
    verify_for_report(data, QUARTER)
    page = make_report(data, QUARTER).path.read_text(encoding="utf-8")
    assert "Verified after publishing" in page
    for run in published_runs(data.published, QUARTER):
        path = run.manifest_path
        path.chmod(0o644)
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    page = make_report(data, QUARTER).path.read_text(encoding="utf-8")
    assert "No verification of the published files is kept" in page


def test_a_figure_that_is_not_what_was_settled_is_reported_as_not_verified(
    settled_market, tmp_path
):
    data = copy_of(settled_market, tmp_path / "data")
    last = published_runs(data.published, QUARTER)[-1]
    manifest = json.loads(last.manifest_path.read_text(encoding="utf-8"))
    manifest["tables"]["settlements"]["sha256"] = "0" * 64
    last.manifest_path.chmod(0o644)
    last.manifest_path.write_text(json.dumps(manifest), encoding="utf-8")
    verify_for_report(data, QUARTER)
    page = make_report(data, QUARTER).path.read_text(encoding="utf-8")
    assert f"NOT verified: what stands published of run {last.run}" in page
    assert "Verified after publishing" not in page


def test_a_settlement_run_keeps_what_its_verification_found(report):
    settled = {run.run for run in report.reading.runs if run.kind == "settle"}
    assert set(report.reading.verified) == settled
    assert all(record["verified"] for record in report.reading.verified.values())


def test_the_command_writes_the_default_file_and_tells_a_script_what_it_holds(
    settled_market, tmp_path
):
    data = copy_of(settled_market, tmp_path / "data")
    done = CliRunner().invoke(app, ["report", LABEL, "--data", str(data.root), "--json"])
    document = json.loads(done.stdout)
    assert document["file"] == str(data.root / "reports" / f"{LABEL}.html")
    assert document["sha256"] == file_digest(default_path(data, QUARTER))
    assert document["figures"]["rounds"]


def test_a_quarter_that_nothing_is_published_of_has_no_report(settled_market):
    with pytest.raises(NotPublished, match=f"nothing of {QUARTER.next.label} has been published"):
        make_report(settled_market, QUARTER.next)


def test_a_data_folder_that_takes_no_report_is_named_with_what_to_do(settled_market, tmp_path):
    data = copy_of(settled_market, tmp_path / "data")
    data.reports.write_text("a file where the folder should be")
    with pytest.raises(BadUsage, match=r"cannot be written .* name another file with --out"):
        make_report(data, QUARTER)


def test_a_file_in_a_folder_that_is_not_there_is_refused(settled_market, tmp_path):
    with pytest.raises(BadUsage, match="name a file in a folder that is there"):
        make_report(settled_market, QUARTER, tmp_path / "no" / "page.html")
