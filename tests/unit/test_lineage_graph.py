"""The graph, its tree, its search, its page and its events, on five small tables."""

import json
import re

import pytest

from orchestration.errors import BadConfiguration, BadUsage
from orchestration.lineage.graph import Lineage, LineageColumn, LineageTable
from orchestration.lineage.openlineage import job_events, lines_of
from orchestration.lineage.page import html_of
from orchestration.lineage.search import find
from orchestration.lineage.tree import ends_of, line_of, tree_of


def column(name: str, *sources: str, formula: str | None = None, text: str = "A figure."):
    return LineageColumn(name, sources, formula, None, text, "BIGINT", "minor", "§7")


def table(relation: str, *columns: LineageColumn, earlier: str | None = None, rows=()):
    return LineageTable(relation, f"About {relation}.", columns, rows, "a stage", "1.0.0", earlier)


TABLES = (
    table("landing.order_lines", column("revenue"), column("units")),
    table("history.previous_fees", column("fee", "market.fees.fee"), earlier="of the run before"),
    table("facts.sales", column("net", "landing.order_lines.revenue")),
    table(
        "market.fees",
        column("fee", "facts.sales.net", formula="net × 2"),
        column("delta", "market.fees.fee", "history.previous_fees.fee", formula="fee − before"),
        rows=("landing.order_lines.units",),
    ),
)
GRAPH = Lineage(TABLES)


def test_upstream_and_downstream_cross_tables_and_earlier_runs():
    assert "landing.order_lines.revenue" in GRAPH.upstream("market.fees.delta")
    assert "market.fees.delta" in GRAPH.downstream("landing.order_lines.revenue")
    assert GRAPH.upstream("landing.order_lines.units") == frozenset()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (table("market.bad", column("x", "market.fees.gone")), "which no table has"),
        (table("market.bad", column("x", "market.bad.x")), "which no table has"),
        (table("market.bad", column("x")), "has no lineage"),
        (table("market.bad", column("x", "market.fees.fee"), rows=("market.y.z",)), "the rows of"),
    ],
)
def test_a_source_that_is_not_there_is_refused(bad, said):
    with pytest.raises(BadConfiguration, match=said):
        Lineage([*TABLES, bad])


def test_a_tree_names_what_an_earlier_run_published_and_does_not_follow_it():
    tree = tree_of(GRAPH, "market.fees.delta")
    fee, before = tree.branches
    assert fee.branches[0].branches[0].full_name == "landing.order_lines.revenue"
    assert before.branches == ()
    assert "of the run before" in line_of(GRAPH, before)


def test_a_tree_is_cut_at_its_depth_and_says_so():
    (net,) = tree_of(GRAPH, "market.fees.fee", depth=1).branches
    assert net.is_cut
    assert line_of(GRAPH, net).endswith("…")


def test_the_ends_of_a_column_are_the_columns_received():
    assert ends_of(GRAPH, "market.fees.delta") == {"order_lines": ["revenue"]}
    ends = ends_of(GRAPH, "facts.sales.net", downstream=True)
    assert ends == {"fees": ["fee", "delta"]}


def test_names_are_found_with_and_without_their_schema():
    assert find(GRAPH, "fees.fee") == find(GRAPH, "market.fees.fee") == "market.fees.fee"
    assert find(GRAPH, "fees") is GRAPH.tables["market.fees"]


def test_names_are_found_in_capitals_too():
    assert find(GRAPH, "Fees.FEE") == "market.fees.fee"
    assert find(GRAPH, "FEES") is GRAPH.tables["market.fees"]


@pytest.mark.parametrize(
    ("words", "suggested"),
    [
        ("fees.fe", "fees.fee"),
        ("Fees.Fe", "fees.fee"),
        ("feees", "fees"),
        ("revenue", "order_lines.revenue"),
    ],
)
def test_an_unknown_name_gets_one_sentence_with_near_names(words, suggested):
    with pytest.raises(BadUsage, match=re.escape(suggested)) as caught:
        find(GRAPH, words)
    assert "\n" not in str(caught.value)


def test_the_page_is_the_same_bytes_each_time_and_reaches_for_nothing():
    page = html_of(GRAPH)
    assert page == html_of(Lineage(TABLES[::-1]))
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    assert not re.search(r"https?://", page)


def test_the_pages_one_script_is_the_one_that_its_policy_allows():
    import base64
    import hashlib

    page = html_of(GRAPH)
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_no_text_of_a_contract_can_end_the_script_or_open_an_element():
    evil = "</script><script>alert(1)</script><img src=x>"
    page = html_of(Lineage([table("landing.order_lines", column("revenue", text=evil))]))
    assert "alert(1)</script>" not in page
    assert "<img" not in page
    (graph,) = re.findall(r'id="graph">(.*?)</script>', page, flags=re.DOTALL)
    assert json.loads(graph)["columns"][0]["text"] == evil


def test_events_name_direct_and_row_sources_and_are_the_same_bytes_each_time():
    events = {event["job"]["name"]: event for event in job_events(GRAPH)}
    facets = events["market.fees"]["outputs"][0]["facets"]["columnLineage"]
    (net,) = facets["fields"]["fee"]["inputFields"]
    assert (net["name"], net["field"]) == ("facts.sales", "net")
    assert net["transformations"][0]["subtype"] == "TRANSFORMATION"
    assert facets["dataset"][0]["transformations"][0]["type"] == "INDIRECT"
    assert lines_of(job_events(GRAPH)) == lines_of(job_events(Lineage(TABLES[::-1])))
