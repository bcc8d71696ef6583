"""Renderers: what a stranger typed stays text, on every medium and screen."""

import csv
import io
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from rich.console import Console
from statement_examples import FORMULA, HOSTILE, MARKET, STATEMENT, hostile

from orchestration.statements.figures import Statement
from orchestration.statements.figures_csv import COLUMNS, csv_of
from orchestration.statements.html_page import html_of
from orchestration.statements.page import page_of
from orchestration.statements.terminal_page import print_page

VOID = {"meta"}


class Outline(HTMLParser):
    """Elements with their attributes, text, and whether every element is closed in its turn."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def outline(statement: Statement) -> Outline:
    return Outline(html_of(page_of(statement)))


def terminal(statement: Statement, *, brief: bool = False, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_page(console, page_of(statement), brief=brief)
    return console.file.getvalue()


def csv_rows(statement: Statement) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_of(statement))))


def test_hostile_text_makes_no_element_and_no_attribute():
    usual, attacked = outline(STATEMENT), outline(hostile(HOSTILE))
    assert {tag for tag, _ in attacked.elements} == {tag for tag, _ in usual.elements}
    names = {name for _, attributes in attacked.elements for name in attributes}
    assert names == {name for _, attributes in usual.elements for name in attributes}
    assert attacked.open == []
    assert "<script>alert(1)</script>" in "".join(attacked.text)


def test_hostile_text_is_neither_run_as_a_template_nor_left_to_turn_what_follows():
    page = html_of(page_of(hostile(HOSTILE)))
    assert "{{ 7 * 7 }}" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "\\u202e" in page


def test_the_page_fetches_nothing_and_runs_nothing():
    page = html_of(page_of(STATEMENT))
    found = Outline(page)
    tags = {tag for tag, _ in found.elements}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "form", "a", "base"})
    assert not re.search(r"https?:|//|url\(|@import|\bon\w+=", page)
    policies = [each["content"] for each in found.all("meta") if "http-equiv" in each]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_readers_aloud_find_language_title_headings_captions_and_scopes():
    found = outline(STATEMENT)
    assert found.all("html")[0]["lang"] == "en"
    assert len(found.all("h1")) == len(found.all("title")) == len(found.all("main")) == 1
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(found.all("caption")) == len(found.all("table")) > 5
    assert {each.get("scope") for each in found.all("th")} == {"row", "col"}
    assert all(each["role"] == "cell" and each["data-heading"] for each in found.all("td"))


@pytest.mark.parametrize("ink", ["ink", "soft", "mark"])
@pytest.mark.parametrize("ground", ["#ffffff", "tint"])
def test_text_stands_out_from_its_ground_by_4_5_to_1(ink, ground):
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", html_of(page_of(STATEMENT))))
    light, dark = (luminance(colours.get(name, name)) for name in (ground, ink))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_the_terminal_shows_escapes_and_markup_as_text():
    shown = terminal(hostile(HOSTILE), width=400)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[red]" in shown
    assert "\\x1b[31m" in shown


def test_the_brief_page_keeps_the_sentences_and_leaves_out_tables_and_sources():
    whole, brief = terminal(STATEMENT), terminal(STATEMENT, brief=True)
    sentence = "Round 3 cleared at 3.20, so your fee for round 2's space fell from 4.10 to 3.20."
    assert sentence in whole
    assert sentence in brief
    assert "SHA-256" in whole
    assert "SHA-256" not in brief
    assert all(line == line.rstrip() for line in brief.splitlines() if line.startswith("  "))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n="])
def test_no_text_in_the_csv_begins_a_formula(start):
    for row in csv_rows(hostile(f"{start}cmd()")):
        for column, cell in row.items():
            if column == "value" and re.fullmatch(r"-?\d+(\.\d+)?", cell):
                continue
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), (column, cell)


def test_a_received_line_break_breaks_no_line_of_the_csv():
    assert len(csv_of(hostile(FORMULA)).splitlines()) == len(csv_rows(hostile(FORMULA))) + 1


def test_the_csv_has_amounts_volumes_and_shares_with_their_units():
    rows = csv_rows(STATEMENT)
    assert tuple(rows[0]) == COLUMNS
    found = {
        (row["record"], row["item"], row["round"], row["figure"]): (row["value"], row["unit"])
        for row in rows
    }
    assert found["grant", "r-1", "2", "fee"] == ("256.00", "USD")
    assert found["grant", "r-1", "2", "final_fee"] == ("3.20", "USD per ft3")
    assert found["grant", "r-1", "2", "granted"] == ("80.000", "ft3")
    assert found["score_component", "excess_share", "", "value"] == ("20.00", "%")
    assert found["score_component", "in_stock_rate", "", "value"] == ("", "%")
    assert found["settlement_run", "7 final", "", "delta_credit"] == ("-3.00", "USD")
    assert found["sales_day", "2026-11-27", "", "usage_layer"] == ("360.00000000", "USD")
    assert found["request_revision", "r-1/1/1", "", "source_row"] == ("7", "")
    assert found["input_file", "7/round_supply", "", "simulated"] == ("made up", "")


def test_no_figure_of_the_csv_is_written_with_an_exponent():
    quiet = replace(MARKET.sales.top_days[0], usage_layer_micro_minor=0)
    market = replace(MARKET, sales=replace(MARKET.sales, top_days=(quiet,)))
    values = [
        row["value"]
        for row in csv_rows(replace(STATEMENT, markets=(market,)))
        if row["figure"] == "usage_layer"
    ]
    assert values == ["0.00000000"]
    assert Decimal(values[0]) == 0


def test_a_currency_without_minor_units_shows_none():
    yen = replace(STATEMENT, currency="JPY", minor_unit_digits=0)
    assert "25,600 JPY" in terminal(yen)
    assert "25,600.00" not in html_of(page_of(yen))
    fees = [row for row in csv_rows(yen) if row["figure"] == "fee" and row["record"] == "grant"]
    assert [(row["value"], row["unit"]) for row in fees] == [("25600", "JPY")]


def test_amounts_whose_currency_nothing_names_yet_stand_without_one():
    unnamed = replace(STATEMENT, currency=None)
    assert "None" not in terminal(unnamed)
    assert "at up to 5.00 per ft³" in terminal(unnamed)
