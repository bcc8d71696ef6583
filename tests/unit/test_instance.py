"""Where Dagster's history of a data folder stands."""

from __future__ import annotations

import os

from orchestration.instance import prepare_home
from orchestration.paths import DataFolder


def test_each_data_folder_has_a_history_of_its_own_in_one_process(tmp_path, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    first, second = DataFolder(tmp_path / "first"), DataFolder(tmp_path / "second")
    assert prepare_home(first) == first.dagster_home
    assert prepare_home(second) == second.dagster_home
    assert os.environ["DAGSTER_HOME"] == str(second.dagster_home)
    assert prepare_home(first) == first.dagster_home


def test_a_home_that_somebody_has_named_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "named"))
    assert prepare_home(DataFolder(tmp_path / "data")) == tmp_path / "named"
