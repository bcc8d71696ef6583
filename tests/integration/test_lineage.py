"""The whole graph: whether it is complete, and what it says of columns known by hand."""

import attr
import pytest
import sqlglot
from openlineage.client import event_v2
from openlineage.client.generated.column_lineage_dataset import ColumnLineageDatasetFacet
from sqlglot.lineage import lineage as sqlglot_lineage
from sqlglot.optimizer.scope import build_scope
from typer.testing import CliRunner

from fbacap_logic.calendar import Quarter
from orchestration.cli import app
from orchestration.contracts import contract_names, load_contract
from orchestration.dbt_runner import compiled_models
from orchestration.errors import NotPublished
from orchestration.lineage.build import whole_lineage
from orchestration.lineage.openlineage import job_events, lines_of
from orchestration.lineage.openlineage_runs import run_events
from orchestration.lineage.page import html_of
from orchestration.stages import MARTS, STAGES


@pytest.fixture(scope="module")
def graph():
    return whole_lineage()


def tables_under_contract(graph):
    return {table.name: table for table in graph.tables.values() if table.layer != "history"}


def test_every_column_of_every_contract_has_lineage(graph):
    known = tables_under_contract(graph)
    for name in contract_names():
        columns = {column.name for column in known[name].columns}
        assert set(load_contract(name).column_names) <= columns, name


def test_every_published_column_rests_on_something_received_or_decided(graph):
    made = [f"market.{table}" for stage in STAGES for table in stage.tables]
    for relation in (*made, *(f"marts.{table}" for table in MARTS)):
        for column in graph.tables[relation].columns:
            reached = graph.upstream(f"{relation}.{column.name}")
            beginnings = {name.split(".")[0] for name in reached}
            assert beginnings & {"landing", "run", "policy"}, f"{relation}.{column.name}"


def test_a_stage_names_as_sources_only_what_it_reads_or_makes(graph):
    for stage in STAGES:
        makes = {f"market.{table}" for table in stage.tables}
        for relation in makes:
            table = graph.tables[relation]
            named = set(table.row_sources).union(*(column.sources for column in table.columns))
            for source in named:
                read = source.rpartition(".")[0]
                beginning = read.split(".")[0] in ("policy", "run")
                assert beginning or read in makes or read in stage.reads, (relation, source)


def test_every_relation_that_a_stage_reads_is_a_source_of_something_it_makes(graph):
    for stage in STAGES:
        named = set()
        for name in stage.tables:
            table = graph.tables[f"market.{name}"]
            named |= {source.rpartition(".")[0] for source in table.row_sources}
            for column in table.columns:
                named |= {source.rpartition(".")[0] for source in column.sources}
        # Whether the forecast came true is told beside the announcement, not published in it.
        assert set(stage.reads) - named <= {"facts.foretold_quarter"}, stage.name


def test_the_net_due_reaches_every_figure_that_was_delivered_for_it(graph):
    reached = graph.upstream("market.settlements.net_due_minor")
    for name in (
        "order_lines.revenue",
        "refunds.amount",
        "inventory_snapshots.on_hand_units",
        "inventory_snapshots.inbound_units",
        "products.unit_volume_ft3",
        "capacity_requests.max_fee_per_ft3",
        "capacity_requests.requested_ft3",
        "capacity_requests.minimum_ft3",
        "round_supply.released_ft3",
        "network_capacity.network_ft3",
    ):
        assert f"landing.{name}" in reached, name


def test_a_grant_does_not_rest_on_sales_of_its_own_quarters_settlement(graph):
    reached = graph.upstream("market.cleared_allocations.granted_milli_ft3")
    assert "facts.seller_market_days.net_sales_minor" not in reached
    assert "market.settlements.credit_minor" not in reached


@pytest.mark.parametrize(
    ("column", "sources"),
    [
        ("staging.stg_sellers.account_type", {"landing.sellers.account_type"}),
        (
            "facts.int_rounds.opens_at",
            {"run.rounds.closes_at", "run.rounds.round"},
        ),
        (
            "facts.market_capacity.base_pool_milli_ft3",
            {
                "staging.stg_network_capacity.network_milli_ft3",
                "staging.stg_network_capacity.request_milli_ft3",
            },
        ),
        (
            "marts.dim_sellers.products",
            {"staging.stg_products.marketplace_id", "staging.stg_products.seller_id"},
        ),
        (
            "marts.fct_seller_statements.seller_id",
            {
                "market.base_allocations.seller_id",
                "market.cleared_allocations.seller_id",
                "marts.fct_settlements.seller_id",
            },
        ),
        (
            "marts.fct_settlements.net_due",
            {"market.settlements.net_due_minor", "run.currencies.minor_unit_digits"},
        ),
        (
            "facts.int_idle_extra.idle_extra_milli_ft3_days",
            {
                "history.previous_cleared_allocations.granted_milli_ft3",
                "history.second_previous_cleared_allocations.granted_milli_ft3",
                "history.previous_base_allocations.base_milli_ft3",
                "history.second_previous_base_allocations.base_milli_ft3",
                "facts.int_daily_stock.used_milli_ft3",
            },
        ),
    ],
)
def test_columns_of_models_come_from_what_their_sql_says(graph, column, sources):
    assert set(graph.sources(column)) == sources


def test_sqlglots_own_lineage_agrees_on_every_column_of_every_model(graph):
    from orchestration.lineage.sql_columns import _qualified

    schema = {}
    for table in graph.tables.values():
        if table.layer != "policy":
            types = {column.name: column.physical_type or "INT" for column in table.columns}
            schema.setdefault(table.layer, {})[table.name] = types
    for model, sql in compiled_models().items():
        query = _qualified(sql, schema)
        scope = build_scope(query)
        (table,) = (each for each in graph.tables.values() if each.made_by == f"dbt model {model}")
        for column in table.columns:
            if "COUNT(*)" in (column.formula or "") or column.name.endswith("sku_days"):
                continue
            if column.name in ("products", "sold_skus"):  # counts of rows: sources of their rows
                continue
            root = sqlglot_lineage(column.name, query, schema, scope=scope, dialect="duckdb")
            leaves = {
                f"{node.expression.db}.{node.expression.name}.{node.name.split('.')[-1]}"
                for node in root.walk()
                if isinstance(node.expression, sqlglot.exp.Table)
            }
            assert set(column.sources) == leaves, f"{model}.{column.name}"


def test_history_leads_on_to_the_table_that_an_earlier_run_published(graph):
    assert graph.sources("history.previous_settlements.fee_minor") == (
        "market.settlements.fee_minor",
    )
    assert graph.tables["history.previous_base_allocations"].earlier == "of the quarter before"


def test_the_page_of_everything_is_the_same_bytes_twice(graph):
    page = html_of(graph)
    assert page == html_of(graph)
    assert 'id="settlements"' in page


def as_standard(event):
    """The event as openlineage-python's own classes; they refuse what the standard lacks."""
    is_run = "run" in event
    outputs = []
    for output in event["outputs"]:
        found = dict(output["facets"]["columnLineage"])
        found = {name: value for name, value in found.items() if not name.startswith("_")}
        outputs.append(
            event_v2.OutputDataset(
                output["namespace"],
                output["name"],
                facets={"columnLineage": ColumnLineageDatasetFacet(**found)},
            )
        )
    inputs = [event_v2.InputDataset(each["namespace"], each["name"]) for each in event["inputs"]]
    job = event_v2.Job(event["job"]["namespace"], event["job"]["name"])
    if is_run:
        return event_v2.RunEvent(
            eventTime=event["eventTime"],
            eventType=event_v2.RunState[event["eventType"]],
            run=event_v2.Run(event["run"]["runId"]),
            job=job,
            inputs=inputs,
            outputs=outputs,
            producer=event["producer"],
        )
    return event_v2.JobEvent(
        eventTime=event["eventTime"],
        job=job,
        inputs=inputs,
        outputs=outputs,
        producer=event["producer"],
    )


def test_every_design_event_is_of_the_standard(graph):
    for event in job_events(graph):
        standard = as_standard(event)
        assert standard.schemaURL == event["schemaURL"]
        assert attr.asdict(standard)["job"]["name"] == event["job"]["name"]


def test_a_published_quarter_becomes_run_events_of_the_standard(graph, settled_market):
    zone, quarter = settled_market.published, None
    from orchestration.published import published_quarters

    quarter = published_quarters(zone)[-1]
    events = list(run_events(graph, zone, quarter))
    assert [event["eventType"] for event in events[:2]] == ["START", "COMPLETE"]
    assert lines_of(events) == lines_of(run_events(graph, zone, quarter))
    for event in events:
        assert as_standard(event).schemaURL == event["schemaURL"]
    last = events[-1]
    facets = {output["name"]: output["facets"] for output in last["outputs"]}
    assertions = facets["market.settlements"]["dataQualityAssertions"]["assertions"]
    assert {"assertion": "net_due_is_fee_less_credit", "success": True} in assertions


def test_a_quarter_without_runs_has_no_events(graph, tmp_path):
    with pytest.raises(NotPublished, match="nothing of 2026Q4 is published"):
        list(run_events(graph, tmp_path, Quarter(2026, 4)))


def test_the_command_shows_a_column_a_table_and_what_is_downstream(tmp_path):
    def shown(*words):
        done = CliRunner().invoke(app, ["lineage", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "fee_minor − credit_minor" in shown("settlements.net_due_minor")
    assert "Which rows there are" in shown("settlements")
    assert "fct_settlements" in shown("settlements.net_due_minor", "--downstream")
    assert '"in_the_end"' in shown("settlements.net_due_minor", "--json")
    page, events = tmp_path / "page.html", tmp_path / "events.jsonl"
    shown("--page", str(page), "--openlineage", str(events))
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert events.read_text("utf-8").count("\n") > 50
