"""The report as a page: valid, readable by everyone, and safe whatever sellers are called."""

import base64
import hashlib
import json
import re
from itertools import pairwise

import pytest
from late_records import QUARTER
from report_pages import (
    break_first_rule,
    copy_of,
    parsed,
    rename_everywhere,
    tables_of,
    text_of,
)

from orchestration.paths import PROJECT
from orchestration.published import published_runs
from orchestration.report.making import make_report

HOSTILE = "\"><script>alert('seller')</script><img src=x onerror=alert(1)>\u202e{{ 7*7 }}"


@pytest.fixture(scope="module")
def page(settled_market, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "page.html"
    return make_report(settled_market, QUARTER, out).path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def hostile_page(settled_market, tmp_path_factory):
    """The same quarter with names of sellers, markets and policies made to do harm."""
    data = copy_of(settled_market, tmp_path_factory.mktemp("hostile") / "data")
    rename_everywhere(data, QUARTER, "seller_id", "halloween-shop", HOSTILE)
    rename_everywhere(data, QUARTER, "storage_type", "standard", HOSTILE)
    for run in published_runs(data.published, QUARTER):
        manifest = json.loads(run.manifest_path.read_text(encoding="utf-8"))
        manifest["policy_version"] = HOSTILE
        manifest["code_version"] = HOSTILE
        break_first_rule(run, "warning", [{"seller_id": HOSTILE, "=cmd()": "'\"&lt;b&gt;"}])
        run.manifest_path.chmod(0o644)
        run.manifest_path.write_text(json.dumps(manifest), encoding="utf-8")
    return make_report(data, QUARTER).path.read_text(encoding="utf-8")


@pytest.fixture(params=["page", "hostile_page"])
def tree(request):
    return parsed(request.getfixturevalue(request.param))


def test_ids_are_unique_and_every_link_stays_on_the_page(tree):
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    links = [each.get("href") for each in tree.iter("a")]
    assert links
    assert all(link.startswith("#") and link[1:] in ids for link in links)


def test_headings_never_skip_a_level(tree):
    levels = [int(each.tag[1]) for each in tree.iter() if re.fullmatch(r"h[1-6]", str(each.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_every_picture_has_a_name_and_a_description_or_is_hidden_from_readers_aloud(tree):
    pictures = list(tree.iter("svg"))
    assert len(pictures) > 10
    for picture in pictures:
        if picture.get("aria-hidden") == "true":
            continue
        assert picture.get("role") == "img"
        title, description = picture.find("title"), picture.find("desc")
        assert text_of(title)
        assert text_of(description)
        assert picture.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert not list(tree.iter("img"))


def test_every_table_has_a_caption_and_headings_of_columns_and_rows(tree):
    tables = list(tree.iter("table"))
    assert len(tables) > 10
    for table in tables:
        assert text_of(table.find("caption"))
        headings = list(table.find("thead").iter("th"))
        assert all(each.get("scope") == "col" and text_of(each) for each in headings)
        for row in table.find("tbody").iter("tr"):
            assert row[0].tag == "th"
            assert row[0].get("scope") == "row"
            assert len(row) == len(headings)


def test_the_page_loads_nothing_and_runs_nothing(page):
    tree = parsed(page)
    assert tree.get("lang") == "en"
    assert not list(tree.iter("script"))
    assert not list(tree.iter("link"))
    assert not re.search(r"https?://|url\(|@import|javascript:", page)
    loading = {"src", "srcset", "data", "action", "background", "poster", "style"}
    for element in tree.iter():
        assert not loading & set(element.attrib), element.tag
        assert not any(name.startswith("on") for name in element.attrib)


def test_the_policy_allows_the_pages_own_stylesheet_and_nothing_else(page):
    tree = parsed(page)
    [policy] = [
        each.get("content")
        for each in tree.iter("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    ]
    [style] = list(tree.iter("style"))
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'", f"style-src 'sha256-{digest}'", "base-uri 'none'",
        "form-action 'none'",
    ]  # fmt: skip


def test_names_made_to_do_harm_are_shown_and_do_nothing(hostile_page):
    tree = parsed(hostile_page)
    assert not list(tree.iter("script"))
    assert not list(tree.iter("img"))
    assert "<script" not in hostile_page
    assert "\u202e" not in hostile_page
    shown = HOSTILE.replace("\u202e", "\\u202e")
    body = text_of(tree.find("body"))
    assert f"Policy {shown}" in body
    [largest] = tables_of(tree, "Winners with the largest fees")
    assert shown in {row[0] for row in largest}
    assert shown in " ".join(text_of(each) for each in tree.iter("title"))
    [faults] = tables_of(tree, "Rules that do not hold")
    assert faults[0][0] == "warned"
    assert faults[0][-1] == f"seller_id {shown}, =cmd() '\"&lt;b&gt;"


def test_rules_that_do_not_hold_come_before_those_that_do(hostile_page):
    tree = parsed(hostile_page)
    [counts] = tables_of(tree, "Rules asked of each table")
    warned = [row[5] != "0" for row in counts[:-1]]
    assert any(warned)
    assert warned == sorted(warned, reverse=True)


def test_colours_can_be_read_on_their_grounds():
    style = (PROJECT / "orchestration" / "report" / "templates" / "report.css").read_text()
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style))
    for ink in ("ink", "soft", "mark", "bad"):
        for ground in ("#ffffff", colours["tint"]):
            assert contrast(colours[ink], ground) >= 4.5, (ink, ground)


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, as WCAG 2 defines it."""
    lights = sorted(map(_luminance, (first, second)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
