"""Two small quarters, landed and undisturbed, for the tests that disturb copies of them."""

from __future__ import annotations

import pytest

from orchestration.paths import DataFolder
from tests.integration.two_quarters import land_two_quarters, run_one_after_another
from tests.made_once import made_once

collect_ignore = ["__main__.py", "hook"]


@pytest.fixture(scope="session")
def landed(tmp_path_factory):
    """The two quarters, with nothing run of them."""
    return DataFolder(made_once(tmp_path_factory, "two-quarters", land_two_quarters) / "data")


@pytest.fixture(scope="session")
def undisturbed(landed, tmp_path_factory):
    """The two quarters run one after another."""

    def run(folder):
        run_one_after_another(landed, folder / "data")

    return DataFolder(made_once(tmp_path_factory, "one-after-another", run) / "data")
