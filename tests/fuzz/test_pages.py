"""Hostile texts on the pages that people read: every one is shown, and none becomes markup.

Texts are drawn as those of hostile deliveries are. The parser is the HTML standard's, and strict: a
tag too many or a character that HTML has no room for is an error.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from xml.etree.ElementTree import Element

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from jinja2 import Environment, PackageLoader

from orchestration.report.html_page import html_of as report_of
from orchestration.report.page import page_of as report_page
from orchestration.report.page import sources_of
from orchestration.report.reading import Reading, read_quarter
from orchestration.statements import html_page as statement_html
from orchestration.statements.html_page import html_of as statement_of
from orchestration.statements.page import page_of as statement_page
from orchestration.statements.words import visible
from tests.late_records import QUARTER
from tests.report_pages import parsed, text_of
from tests.unit.statement_examples import hostile

from .hostile import texts

SELLER, MARKET = "halloween-shop", "seasonal"
_LINKS = ("href", "src", "action", "style")
_EXAMPLES = 1_000 if os.environ.get("FBACAP_LONG") else 25
# A seller's id has a character at least.
_names = texts.filter(lambda text: text.strip() != "")
_each_time = settings(
    max_examples=_EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # pages are large, and texts short enough as drawn
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def shape_of(tree: Element) -> Counter[tuple[str, tuple[str, ...]]]:
    """Elements with the names of their attributes, and with where they lead and how they look."""
    return Counter(
        (str(each.tag), (*sorted(each.keys()), *(each.get(name, "") for name in _LINKS)))
        for each in tree.iter()
    )


def shows(tree: Element, text: str) -> bool:
    return " ".join(visible(text).split()) in text_of(tree)


@pytest.fixture(scope="module")
def usual_statement() -> Element:
    return parsed(statement_of(statement_page(hostile("x"))))


@_each_time
@given(text=_names)
def test_a_statement_shows_a_text_and_makes_nothing_of_it(usual_statement, text):
    attacked = parsed(statement_of(statement_page(hostile(text))))
    assert shape_of(attacked) == shape_of(usual_statement)
    assert shows(attacked, text)


@pytest.fixture(scope="module")
def reading(settled_market) -> Reading:
    return read_quarter(settled_market, QUARTER)


def attacked_by(reading: Reading, seller: str, market: str) -> Reading:
    """The reading with other names for a seller and for a market, in results of checks as well."""
    other = {("seller_id", SELLER): seller, ("storage_type", MARKET): market}
    sample = json.dumps([{"seller_id": seller, market: "1"}])
    rows = {
        name: [
            {key: other.get((key, value), value) for key, value in row.items()}
            | ({"sample": sample} if name == "breaches" else {})
            for row in found
        ]
        for name, found in reading.rows.items()
    }
    runs = tuple(
        replace(run, manifest={**run.manifest, "policy_version": seller, "code_version": market})
        for run in reading.runs
    )
    return replace(reading, rows=rows, runs=runs)


def page_of(reading: Reading) -> Element:
    page = report_page(reading)
    return parsed(report_of(page, sources_of(reading, page)))


@pytest.fixture(scope="module")
def usual_report(reading) -> Element:
    return page_of(attacked_by(reading, "x", "y"))


@_each_time
@example(seller="`fbacap run`", market="\x0efbacap run\x0f")
@given(seller=_names, market=_names)
def test_a_report_shows_texts_and_makes_nothing_of_them(reading, usual_report, seller, market):
    attacked = page_of(attacked_by(reading, seller, market))
    assert shape_of(attacked) == shape_of(usual_report)
    assert shows(attacked, seller)
    assert shows(attacked, market)


def test_a_text_that_is_not_escaped_is_found(monkeypatch):
    careless = Environment(loader=PackageLoader("orchestration.statements"), autoescape=False)  # noqa: S701
    template = careless.get_template("statement.html.jinja")
    monkeypatch.setattr(statement_html, "_template", lambda: template)
    shapes = [
        shape_of(parsed(statement_of(statement_page(hostile(each))))) for each in ("x", "<b>x</b>")
    ]
    assert shapes[0] != shapes[1]
