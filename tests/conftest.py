"""One generated quarter that integration and browser tests share, before and after it is settled.

Here belong fixtures of several folders. What makes them is imported by the test that asks first:
unit tests, which ask for none, start without the engine.
"""

from __future__ import annotations

import shutil

import pytest
from made_once import made_once

# Each folder's conftest is the module "conftest" while that folder is collected: a search of this
# one for doctests, which comes after the folders beside it, would meet another's and stop.
collect_ignore = ["conftest.py"]


@pytest.fixture(scope="session")
def cleared_market(tmp_path_factory):
    """A generated quarter whose rounds have closed; nothing of it is settled."""
    from late_records import announced_and_cleared

    from orchestration.paths import DataFolder

    return DataFolder(made_once(tmp_path_factory, "cleared", announced_and_cleared) / "data")


@pytest.fixture(scope="session")
def settled_market(cleared_market, tmp_path_factory):
    """The same quarter after four settlement runs, with late records between them."""
    from late_records import settled_four_times

    from orchestration.paths import DataFolder

    def settle(folder):
        data = DataFolder(folder / "data")
        shutil.copytree(cleared_market.root, data.root)
        settled_four_times(data)

    return DataFolder(made_once(tmp_path_factory, "settled", settle) / "data")
