"""Statements of a published quarter: figures as published, every step told, nobody left out."""

import csv
import io
import json
import re
import shutil
from dataclasses import asdict, replace
from html import unescape
from pathlib import Path

import duckdb
import pytest
from statement_market import QUARTER, SHOP, hostile_market
from typer.testing import CliRunner

from fbacap_logic.calendar import Quarter
from orchestration.catalogue import query
from orchestration.cli import app
from orchestration.errors import BadUsage, NotPublished
from orchestration.landing import landed_files
from orchestration.paths import DataFolder
from orchestration.published import published_runs
from orchestration.statements.collect import every_statement, seller_statement
from orchestration.statements.figures import Statement
from orchestration.statements.figures_csv import csv_of
from orchestration.statements.page import page_of
from orchestration.statements.writing import file_name, html_statement


@pytest.fixture(scope="module")
def market(tmp_path_factory) -> DataFolder:
    return hostile_market(tmp_path_factory.mktemp("input"), tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def statements(market) -> list[Statement]:
    return [statement for statement, _ in every_statement(market, QUARTER)]


def rows(data: DataFolder, sql: str) -> list[tuple[object, ...]]:
    return query(data, sql)[1]


def by_market(statements: list[Statement]) -> dict[tuple[str, str, str], object]:
    return {
        (statement.marketplace_id, market.storage_type, statement.seller_id): market
        for statement in statements
        for market in statement.markets
    }


def test_everyone_with_a_base_allocation_or_a_request_has_one_statement(market, statements):
    expected = rows(
        market,
        "select marketplace_id, seller_id from base_allocations "
        "union select marketplace_id, seller_id from round_requests order by all",
    )
    assert [(each.marketplace_id, each.seller_id) for each in statements] == expected


def test_no_statement_names_another_seller_or_its_requests(market, statements):
    owners = dict(rows(market, "select distinct request_id, seller_id from round_requests"))
    owners |= {seller: seller for seller in (each.seller_id for each in statements)}
    requests = owners.keys() - {each.seller_id for each in statements}
    assert len(requests) > len(statements)
    for statement in statements:
        for text in (unescape(html_statement(statement)), csv_of(statement)):
            named = {owners[word] for word in re.findall(r"[\w-]+", text) if word in owners}
            assert named <= {statement.seller_id}


def test_fees_credits_and_net_dues_are_those_of_the_published_statements(market, statements):
    found = by_market(statements)
    published = rows(
        market,
        "select marketplace_id, storage_type, seller_id, base_milli_ft3, granted_milli_ft3, "
        "fee_minor, credit_minor, net_due_minor from fct_seller_statements "
        "where base_milli_ft3 > 0 or requested_milli_ft3 > 0",
    )
    assert len(published) > 50
    for marketplace, storage_type, seller, base, granted, fee, credit, net_due in published:
        told = found[marketplace, storage_type, seller]
        assert (told.base.base_milli_ft3 if told.base else 0) == base
        assert sum(grant.granted_milli_ft3 for grant in told.grants) == granted
        assert sum(grant.fee_minor for grant in told.grants) == fee
        assert sum(grant.credit_minor for grant in told.grants) == credit
        assert sum(grant.net_due_minor for grant in told.grants) == net_due


def test_the_credit_of_the_method_that_pays_is_the_published_one_and_rises_with_its_sales(
    statements,
):
    with_sales = [told for told in by_market(statements).values() if told.sales is not None]
    assert len(with_sales) > 10
    for told in with_sales:
        (paying,) = [method for method in told.sales.methods if method.pays]
        assert paying.credit_minor == sum(grant.credit_minor for grant in told.grants)
        ordered = sorted(told.sales.methods, key=lambda method: method.incremental_sales_minor)
        credited = [method.credit_minor for method in ordered]
        assert credited == sorted(credited)


def test_parts_sum_to_what_they_are_parts_of(statements):
    bases = [told.base for told in by_market(statements).values() if told.base is not None]
    assert len(bases) > 50
    for base in bases:
        change = (
            base.change_demand_milli_ft3
            + base.change_score_milli_ft3
            + base.change_floor_milli_ft3
            + base.change_pool_milli_ft3
        )
        assert base.previous_base_milli_ft3 + change == base.base_milli_ft3
        if any(component.points for component in base.components):
            assert sum(component.score_part for component in base.components) == base.score


def test_every_repricing_step_is_told_and_leads_from_the_round_fee_to_the_final_fee(
    market, statements
):
    steps = [
        (request.request_id, grant.round, step.repriced_in_round, step.fee_after_minor_per_ft3)
        for told in by_market(statements).values()
        for request in told.requests
        for grant in request.grants
        for step in grant.steps
    ]
    assert sorted(steps) == rows(
        market,
        "select request_id, round, repriced_in_round, fee_after_minor_per_ft3 "
        "from repricing_steps order by all",
    )
    assert len(steps) > 10
    for told in by_market(statements).values():
        for grant in told.grants:
            path = [grant.round_fee_minor_per_ft3]
            for step in grant.steps:
                assert step.fee_before_minor_per_ft3 == path[-1]
                path.append(step.fee_after_minor_per_ft3)
            assert path[-1] == grant.final_fee_minor_per_ft3


def test_every_revision_and_every_round_of_it_is_told(market, statements):
    requests = [request for told in by_market(statements).values() for request in told.requests]
    (revisions,) = rows(market, "select count(*) from round_requests")[0]
    (outcomes,) = rows(market, "select count(*) from cleared_allocations")[0]
    assert sum(len(request.revisions) for request in requests) == revisions
    assert sum(len(request.rounds) for request in requests) == outcomes
    reasons = {revision.reason for request in requests for revision in request.revisions}
    assert {"accepted", "late", "malformed", "duplicate_id", "unknown_seller"} <= reasons


def test_settlement_deltas_of_a_statement_sum_to_its_latest_run(statements):
    settled = [told for told in by_market(statements).values() if told.settlements]
    assert len(settled) > 10
    for told in settled:
        assert [run.stage for run in told.settlements] == ["preliminary", "final", "true-up"]
        deltas = sum(run.delta_net_due_minor for run in told.settlements)
        assert deltas == told.settlements[-1].net_due_minor
        assert deltas == sum(grant.net_due_minor for grant in told.grants)


def test_the_trail_leads_to_files_that_landed_and_to_the_very_rows_of_the_requests(
    market, statements
):
    landed = {file.sha256: file for file in landed_files(market.landing)}
    runs = {run.run: run for run in published_runs(market.published, QUARTER)}
    trail = statements[0].provenance
    for table in trail.tables:
        assert runs[table.run].tables[table.table]["sha256"] == table.sha256
    for run in trail.runs:
        assert (market.published / run.manifest).is_file()
        assert {file.sha256 for file in run.input_files} <= set(landed)
    revisions = [
        (request.request_id, revision)
        for told in by_market(statements).values()
        for request in told.requests
        for revision in request.revisions
    ]
    (source,) = {revision.source_file for _, revision in revisions}
    with duckdb.connect() as connection:
        received = connection.execute(
            "select request_id, revision from read_parquet(?)", [str(landed[source].stored_path)]
        ).fetchall()
    for request_id, revision in revisions:
        assert received[revision.source_row - 1] == (request_id, revision.revision)


def test_one_sellers_statement_is_the_same_alone_and_among_all(market, statements):
    one = next(each for each in statements if each.seller_id == SHOP)
    alone = seller_statement(market, QUARTER, SHOP, None)
    assert alone == one
    assert html_statement(alone) == html_statement(one)


def test_batches_change_nothing(market, statements, monkeypatch):
    monkeypatch.setattr("orchestration.statements.collect.BATCH", 7)
    assert [each for each, _ in every_statement(market, QUARTER)] == statements


def test_the_page_of_the_shop_tells_its_story_and_holds_none_of_its_markup(market):
    page = page_of(seller_statement(market, QUARTER, SHOP, None))
    assert page.summary == (
        "You made 1 request for extra space, and it won 5,000 ft³.",
        "Later rounds cleared lower, and so lowered the fee of your grant.",
        (
            "Your fees are 20,000.00 USD; sales made with the extra space earn 20,000.00 USD of "
            "that back, and 0.00 USD is due."
        ),
    )
    document = html_statement(seller_statement(market, QUARTER, SHOP, None))
    assert "<script" not in document
    assert "=cmd()&lt;script&gt;alert(&#39;shop&#39;)&lt;/script&gt;/../.." in document


def test_every_sellers_statement_is_written_twice_with_the_same_bytes(market, tmp_path):
    for name in ("once", "again"):
        words = ["statement", "--all", QUARTER.label, "--out", str(tmp_path / name)]
        done = CliRunner().invoke(app, [*words, "--data", str(market.root)])
        assert done.exit_code == 0, done.output
    written = {path.name: path.read_bytes() for path in sorted((tmp_path / "once").iterdir())}
    again = {path.name: path.read_bytes() for path in sorted((tmp_path / "again").iterdir())}
    assert written == again
    assert file_name("US", SHOP, "html") in written
    index = list(csv.DictReader(io.StringIO(written["index.csv"].decode())))
    assert {row["file"] for row in index} | {"index.csv"} == set(written)
    assert str(market.root).encode() not in b"".join(written.values())


def test_explain_prints_the_statement_and_its_document_holds_the_figures(market):
    words = ["explain", "S000005", QUARTER.label, "--marketplace", "JP"]
    told = CliRunner().invoke(app, [*words, "--data", str(market.root)])
    assert "at up to 606 JPY per ft³" in told.stdout
    assert not re.search(r"\d\.\d\d JPY", told.stdout)
    shown = CliRunner().invoke(app, [*words, "--json", "--data", str(market.root)])
    document = json.loads(shown.stdout)
    expected = seller_statement(market, QUARTER, "S000005", "JP")
    assert document == json.loads(json.dumps(asdict(expected), default=str))


def test_a_seller_of_two_marketplaces_is_asked_which(market):
    with pytest.raises(BadUsage) as caught:
        seller_statement(market, QUARTER, "S000014", None)
    assert str(caught.value) == (
        "'S000014' sells in JP, US in 2025Q4; name one of them with --marketplace"
    )
    assert seller_statement(market, QUARTER, "S000014", "US").currency == "USD"


def test_an_unknown_seller_is_told_who_is_most_like_it(market):
    with pytest.raises(BadUsage) as caught:
        seller_statement(market, QUARTER, "S00001x\n", None)
    assert str(caught.value).startswith(
        "2025Q4 has no seller 'S00001x\\n'; the most similar of its sellers are S00001"
    )
    with pytest.raises(BadUsage, match="no seller 'S000005' in marketplace 'FR'; it sells in JP"):
        seller_statement(market, QUARTER, "S000005", "FR")


def test_an_unpublished_quarter_is_told_which_ones_are(market, tmp_path):
    with pytest.raises(NotPublished) as caught:
        seller_statement(market, Quarter(2024, 4), "S000005", None)
    assert str(caught.value) == (
        "nothing of 2024Q4 has been published; published quarters are 2025Q4, and "
        "`fbacap run 2024Q4` runs the stages that are due"
    )
    with pytest.raises(NotPublished, match="no quarter has been"):
        seller_statement(DataFolder(tmp_path), QUARTER, "S000005", None)


def test_a_folder_with_something_in_it_is_refused(market, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    words = ["statement", "--all", QUARTER.label, "--out", str(tmp_path)]
    done = CliRunner().invoke(app, [*words, "--data", str(market.root)])
    assert isinstance(done.exception, BadUsage)
    assert "is not an empty folder" in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def only_stages(data: DataFolder, root: Path, last: int) -> DataFolder:
    """A copy of the data folder in which nothing after a run has been published."""
    earlier = DataFolder(root / "market")
    shutil.copytree(data.published, earlier.published)
    for path in sorted((earlier.published / "_manifests").rglob("run=*.json")):
        if int(path.stem.removeprefix("run=")) > last:
            path.unlink()
    return earlier


def test_before_any_round_a_statement_tells_the_base_allocation(market, tmp_path):
    announced = only_stages(market, tmp_path, last=1)
    told = seller_statement(announced, QUARTER, SHOP, None)
    assert (told.stage, told.currency) == ("announce", None)
    assert told.markets[0].base is not None
    page = page_of(told)
    assert page.summary == ("You asked for no extra space.",)
    assert [fact.name for fact in page.facts] == ["Base allocation", "Extra space won"]


def test_between_the_rounds_a_statement_tells_fees_that_can_still_fall(market, tmp_path):
    half = only_stages(market, tmp_path, last=3)
    told = seller_statement(half, QUARTER, SHOP, None)
    assert (told.stage, told.currency, told.minor_unit_digits) == ("round-2", None, 2)
    (grant,) = told.markets[0].grants
    assert (grant.final_fee_minor_per_ft3, grant.credit_minor) == (500, None)
    assert page_of(told).summary[-1].startswith("The quarter is not settled yet")
    whole = seller_statement(market, QUARTER, SHOP, None)
    (later,) = whole.markets[0].grants
    assert replace(
        grant, steps=later.steps, final_fee_minor_per_ft3=400, fee_minor=2_000_000,
        credit_minor=2_000_000, net_due_minor=0,
    ) == later  # fmt: skip
