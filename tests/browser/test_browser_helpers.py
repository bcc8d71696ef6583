"""What the browser tests rest on can itself fail: no browser, a process left behind."""

from __future__ import annotations

import subprocess
import sys

import pytest
from chromium_path import chromium_path
from processes import born, outliving


def test_without_a_browser_a_test_is_skipped_with_what_to_do():
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        chromium_path({"PATH": ""})


def test_without_a_browser_that_is_required_a_test_fails():
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        chromium_path({"PATH": "", "FBACAP_SKIP_NOTHING": "1"})


def test_a_browser_that_is_named_is_taken():
    assert chromium_path({"FBACAP_CHROMIUM": sys.executable}) == sys.executable


def test_a_process_that_outlives_the_ui_is_noticed_and_one_that_ended_is_not():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started = {(process.pid, born(process.pid))}
        assert outliving(started, 0) == {process.pid}
        process.communicate(b"\n")
        assert outliving(started, 0) == set()
