"""The valid quarter, built once, and copies of it to break.

Not a conftest: doctest collection imports every conftest by that one name, and takes only one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from mini_quarter import build_mini_quarter


@pytest.fixture(scope="session")
def valid_quarter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mini") / "quarter.duckdb"
    build_mini_quarter(path)
    return path


@pytest.fixture
def broken_quarter(valid_quarter: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of the valid quarter after some SQL."""

    def broken(sql: str) -> Path:
        path = tmp_path / "quarter.duckdb"
        shutil.copyfile(valid_quarter, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(sql)
        return path

    return broken
