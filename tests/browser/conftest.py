"""Debian's Chromium, the UI over one published quarter, and pages under watch."""

from __future__ import annotations

import os
import shutil

import pytest
from chromium_path import chromium_path
from late_records import QUARTER
from ui_server import serving

_PATIENCE_MILLISECONDS = 30_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep a screenshot of a page at which its test failed, in the test's tmp_path."""
    report = yield
    watch = item.funcargs.get("watch") if hasattr(item, "funcargs") else None
    if call.when == "call" and report.failed and watch is not None:
        picture = item.funcargs["tmp_path"] / "page.png"
        watch.page.screenshot(path=picture)
        report.sections.append(("screenshot", str(picture)))
    return report


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; without one the tests are skipped, or fail where CI asks for it."""
    return chromium_path(os.environ)


@pytest.fixture(scope="module")
def browser(chromium):
    """One browser a file: its event loop must not outlast the file's tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def watch(browser, tmp_path):
    """A new page, of a browser that has seen nothing before, with all it does on record."""
    from watched import Watch

    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    watch = Watch(context.new_page())
    yield watch
    context.close()
    assert watch.outside == [], "the page asked for something outside this machine"


@pytest.fixture(scope="session")
def ui(chromium, settled_market, tmp_path_factory):
    """The address of a read-only UI over a copy of the settled quarter."""
    data = tmp_path_factory.mktemp("ui") / "data"
    shutil.copytree(settled_market.root, data)
    with serving("--read-only", "--data", data) as server:
        yield server.address


@pytest.fixture(scope="session")
def report_file(chromium, settled_market, tmp_path_factory):
    """The quarter's report as `fbacap report` writes it."""
    out = tmp_path_factory.mktemp("report") / "report.html"
    return written(out, "report", QUARTER.label, "--out", out, "--data", settled_market.root)


@pytest.fixture(scope="session")
def lineage_file(chromium, tmp_path_factory):
    """The lineage page as `fbacap lineage --page` writes it."""
    out = tmp_path_factory.mktemp("lineage") / "lineage.html"
    return written(out, "lineage", "--page", out)


@pytest.fixture(scope="session")
def statement_file(chromium, settled_market, tmp_path_factory):
    """A seller's statement as `fbacap statement` writes it."""
    out = tmp_path_factory.mktemp("statement") / "statement.html"
    words = ("statement", "halloween-shop", QUARTER.label, "--out", out)
    return written(out, *words, "--data", settled_market.root)


def written(out, *words):
    """The file that a command wrote."""
    from typer.testing import CliRunner

    from orchestration.cli import app

    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return out
