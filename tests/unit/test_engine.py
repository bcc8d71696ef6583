"""Engines that read for scripts."""

from __future__ import annotations

import duckdb
import pytest

from orchestration.engine import engine
from orchestration.working import FILE_NAME, connect


def test_an_engine_draws_no_progress_where_a_script_reads():
    with engine() as connection:
        (shown,) = connection.execute("select current_setting('enable_progress_bar')").fetchone()
    assert shown is False


def test_an_engine_downloads_no_code():
    with engine() as connection:
        (fetches,) = connection.execute(
            "select current_setting('autoinstall_known_extensions')"
        ).fetchone()
        with pytest.raises(duckdb.Error, match="autocomplete"):
            connection.execute("select * from sql_auto_complete('s')")
    assert fetches is False


def test_a_working_file_is_opened_by_an_engine_that_downloads_no_code(tmp_path):
    with connect(tmp_path / FILE_NAME) as connection:
        (fetches,) = connection.execute(
            "select current_setting('autoinstall_known_extensions')"
        ).fetchone()
    assert fetches is False
