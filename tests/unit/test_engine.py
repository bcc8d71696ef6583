"""Engines that read for scripts."""

from __future__ import annotations

from orchestration.engine import engine


def test_an_engine_draws_no_progress_where_a_script_reads():
    with engine() as connection:
        (shown,) = connection.execute("select current_setting('enable_progress_bar')").fetchone()
    assert shown is False
