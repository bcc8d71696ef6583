"""One generated quarter that integration and browser tests share, before and after it is settled.

Here belong fixtures of several folders. What makes them is imported by the test that asks first:
unit tests, which ask for none, start without the engine.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_once import made_once

# Each folder's conftest is the module "conftest" while that folder is collected: a search of this
# one for doctests, which comes after the folders beside it, would meet another's and stop.
collect_ignore = ["conftest.py"]


_FOLDERS = ("integration", "browser", "faults", "property", "contracts", "fuzz")
_LONG = (
    "test_olist_quarters",
    "test_backfill",
    "test_whole_quarters",
    "test_scheduled_years",
    "test_postgres",
    "test_scheduled_quarter",
    "test_settlement_runs",
    "test_quarter",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker is left with it when the other has ended."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> tuple[int, int]:
    folder, name = path.parent.name, path.stem
    return (
        _LONG.index(name) if name in _LONG else len(_LONG),
        _FOLDERS.index(folder) if folder in _FOLDERS else len(_FOLDERS),
    )


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


@pytest.fixture(scope="session")
def landed_quarters(tmp_path_factory):
    """Two small quarters that nothing has been run of."""
    from two_quarters import land_two_quarters

    from orchestration.paths import DataFolder

    return DataFolder(made_once(tmp_path_factory, "two-quarters", land_two_quarters) / "data")


@pytest.fixture(scope="session")
def one_after_another(landed_quarters, tmp_path_factory):
    """The two quarters run one after another, in one process."""
    from two_quarters import run_one_after_another

    from orchestration.paths import DataFolder

    def run(folder):
        run_one_after_another(landed_quarters, folder / "data")

    return DataFolder(made_once(tmp_path_factory, "one-after-another", run) / "data")
