"""The lineage page in a browser: found by words, by link and by keyboard alone."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from seen import contrasts, heading_levels, is_wider_than_its_window, pages_of

NET_DUE = "settlements.net_due_minor"
CHANGED = "() => location.hash.slice(1)"


@pytest.fixture
def opened(lineage_file, watch):
    watch.open_file(lineage_file)
    return watch


def heading_of(page):
    return page.locator("#column h2")


def test_the_page_asks_for_nothing_and_complains_of_nothing(opened):
    opened.page.get_by_role("searchbox").fill("net_due")
    opened.page.locator("#found").get_by_role("link", name=NET_DUE, exact=True).click()
    heading_of(opened.page).wait_for()
    assert opened.complaints() == []


def test_a_column_found_by_words_leads_back_to_the_order_lines(opened):
    page = opened.page
    page.get_by_role("searchbox").fill("net_due")
    page.locator("#found").get_by_role("link", name=NET_DUE, exact=True).click()
    assert heading_of(page).inner_text() == NET_DUE
    assert page.evaluate(CHANGED) == NET_DUE
    column = page.locator("#column")
    assert "fee_minor − credit_minor" in column.inner_text()
    assert column.get_by_role("link", name="order_lines.revenue", exact=True).first.is_visible()


def test_the_way_to_the_order_lines_can_be_walked_link_by_link(opened, lineage_file):
    opened.open_file(lineage_file, NET_DUE)
    page, steps = opened.page, [NET_DUE]
    for step in (
        "settlements.credit_minor",
        "incremental_sales.incremental_sales_minor",
        "incremental_sales.usage_layer_minor",
    ):
        way = page.locator(".way").filter(has_text="Comes from")
        way.get_by_role("link", name=step, exact=True).first.click()
        page.wait_for_function("(name) => document.title.startsWith(name)", arg=step)
        steps.append(step)
    ends = page.locator("#column").get_by_role("link", name=re.compile("^order_lines[.]"))
    assert ends.count() > 0
    for step in reversed(steps[:-1]):
        page.go_back()
        page.wait_for_function("(name) => document.title.startsWith(name)", arg=step)
        assert heading_of(page).inner_text() == step


def test_a_link_to_a_column_opens_at_that_column(opened, lineage_file):
    opened.open_file(lineage_file, NET_DUE)
    assert heading_of(opened.page).inner_text() == NET_DUE
    assert opened.page.title().startswith(NET_DUE)


def test_a_link_to_a_table_opens_it_and_shows_it(opened, lineage_file):
    opened.open_file(lineage_file, "settlements")
    table = opened.page.locator("details#settlements")
    assert table.evaluate("(fold) => fold.open")
    assert 0 <= table.bounding_box()["y"] < 400
    assert table.get_by_role("link", name="net_due_minor", exact=True).is_visible()


def test_a_column_can_be_found_and_followed_without_a_mouse(opened):
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "words"
    page.keyboard.type("settlements.net_due")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent")
    assert "net_due" in first
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_function("(name) => document.title.startsWith(name)", arg=first)
    assert page.evaluate("document.activeElement.textContent") == first
    assert page.evaluate("document.activeElement.tagName") == "H2"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#column') !== null")


def test_readers_aloud_hear_how_many_columns_were_found(opened):
    page = opened.page
    page.get_by_role("searchbox", name="Find a table or a column").fill("net_due")
    said = page.get_by_role("status").inner_text()
    shown = page.get_by_role("region", name="Found").get_by_role("link").count()
    assert said == f"{shown} columns"
    page.get_by_role("searchbox").fill("no such column")
    assert page.get_by_role("status").inner_text() == "0 columns"


def test_headings_come_in_order_and_all_text_stands_out(opened, lineage_file):
    for fragment in ("", NET_DUE, "settlements"):
        opened.open_file(lineage_file, fragment)
        levels = heading_levels(opened.page)
        assert levels[0] == 1
        assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
        found = contrasts(opened.page)
        assert {kind: ratio for kind, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("fragment", ["", NET_DUE, "settlements", "fct_seller_statements"])
def test_the_page_does_not_scroll_sideways_on_a_telephone(opened, lineage_file, fragment):
    opened.page.set_viewport_size({"width": 360, "height": 740})
    opened.open_file(lineage_file, fragment)
    assert not is_wider_than_its_window(opened.page)


def test_names_of_columns_stay_whole_on_a_desk(opened, lineage_file):
    opened.open_file(lineage_file, "settlements")
    cells = opened.page.locator("details#settlements tbody th a")
    lines = cells.evaluate_all("(links) => links.map((link) => link.getClientRects().length)")
    assert len(lines) == 17
    assert set(lines) == {1}


def test_printing_shows_every_table_and_leaves_the_page_as_it_was(opened):
    page = opened.page
    page.emulate_media(media="print")
    assert pages_of(page.pdf()) > 5
    assert page.locator("details[open]").count() == 0


def test_a_printed_column_comes_without_the_other_tables(opened, lineage_file):
    opened.open_file(lineage_file, NET_DUE)
    opened.page.emulate_media(media="print")
    assert 1 <= pages_of(opened.page.pdf()) < 5
    assert not opened.page.locator(".search").is_visible()
