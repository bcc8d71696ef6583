"""Which Chromium drives the tests, and what becomes of them where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pytest

_NO_BROWSER = "there is no Chromium: apt-get install chromium, or name one by FBACAP_CHROMIUM"


def chromium_path(environment: Mapping[str, str]) -> str:
    """The program that FBACAP_CHROMIUM names, or else the one called chromium.

    Where there is none the test is skipped, or fails if FBACAP_SKIP_NOTHING is 1.
    """
    named = environment.get("FBACAP_CHROMIUM", "chromium")
    found = shutil.which(named, path=environment.get("PATH", ""))
    if found is not None:
        return found
    if environment.get("FBACAP_SKIP_NOTHING") == "1":
        pytest.fail(_NO_BROWSER)
    pytest.skip(_NO_BROWSER)
