"""Report and statement in a browser, from disk: nothing fetched, nothing run, readable by all."""

from __future__ import annotations

from itertools import pairwise

import pytest
from late_records import QUARTER
from report_pages import copy_of, rename_everywhere
from seen import contrasts, heading_levels, is_wider_than_its_window, pages_of

HOSTILE = "<script>window.x=1</script><img src=x onerror=window.x=1>"
PAGES = ("report_file", "statement_file")


@pytest.fixture(params=PAGES)
def opened(request, watch):
    watch.open_file(request.getfixturevalue(request.param))
    return watch


@pytest.fixture(scope="module")
def hostile_report(chromium, settled_market, tmp_path_factory):
    """The report of a quarter in which a seller's id is a script."""
    from orchestration.report.making import make_report

    data = copy_of(settled_market, tmp_path_factory.mktemp("hostile") / "data")
    rename_everywhere(data, QUARTER, "seller_id", "halloween-shop", HOSTILE)
    return make_report(data, QUARTER).path


def unfold(page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")


def test_a_page_from_disk_asks_for_nothing_and_complains_of_nothing(opened):
    assert opened.complaints() == []
    assert len([url for url in opened.requested if url.startswith("file:")]) == 1


def test_a_page_does_not_scroll_sideways_on_a_telephone(opened):
    opened.page.set_viewport_size({"width": 360, "height": 740})
    unfold(opened.page)
    assert not is_wider_than_its_window(opened.page)


def test_headings_come_in_order(opened):
    levels = heading_levels(opened.page)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_all_text_stands_out_from_its_ground(opened):
    unfold(opened.page)
    found = contrasts(opened.page)
    assert len(found) > 10
    assert {kind: ratio for kind, ratio in found.items() if ratio < 4.5} == {}


def test_a_page_prints_on_more_than_one_sheet(opened):
    opened.page.emulate_media(media="print")
    assert pages_of(opened.page.pdf()) > 1


def test_every_picture_of_the_report_is_read_aloud_by_a_name_of_its_own(report_file, watch):
    watch.open_file(report_file)
    drawn = watch.page.locator("svg:not([aria-hidden=true])")
    named = [picture.get_attribute("aria-labelledby").split()[0] for picture in drawn.all()]
    titles = [watch.page.locator(f"#{name}").text_content().strip() for name in named]
    assert len(titles) > 10
    assert all(titles)
    assert watch.page.get_by_role("img").count() == len(titles)
    assert all(watch.page.get_by_role("img", name=title).count() for title in titles)


def test_a_sellers_id_that_is_a_script_is_shown_and_does_not_run(hostile_report, watch):
    watch.open_file(hostile_report)
    assert HOSTILE in watch.page.text_content("main")
    assert watch.page.evaluate("typeof window.x") == "undefined"
    assert watch.page.locator("script, img").count() == 0
    assert watch.complaints() == []


def test_a_script_that_got_into_the_report_would_be_refused_and_noticed(
    report_file, watch, tmp_path
):
    planted = tmp_path / "planted.html"
    text = report_file.read_text(encoding="utf-8")
    planted.write_text(text.replace("</main>", f"{HOSTILE}</main>"), encoding="utf-8")
    watch.open_file(planted)
    assert watch.page.evaluate("typeof window.x") == "undefined"
    assert any("script-src" in each for each in watch.complaints())


def test_watching_notices_a_page_that_is_too_wide_too_pale_or_unruly(watch, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<h1>One</h1><h3 style='color:#aaa;width:2000px'>Three</h3>"
        "<img src='https://elsewhere.invalid/x.png'>"
    )
    watch.open_file(bad)
    watch.page.wait_for_load_state("networkidle")
    assert is_wider_than_its_window(watch.page)
    assert heading_levels(watch.page) == [1, 3]
    assert min(contrasts(watch.page).values()) < 3
    assert watch.outside == ["https://elsewhere.invalid/x.png"]
    assert "asked the network for https://elsewhere.invalid/x.png" in watch.complaints()
    watch.outside.clear()
