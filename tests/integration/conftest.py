"""What several test files share: working files that dbt has built, and two small quarters."""

from __future__ import annotations

import pytest
from dbt_runs import built, describe_run, filled, messages
from dbt_scenarios import (
    add_catalogue,
    add_earlier_grant,
    add_market,
    add_sales_before_the_announcement,
    add_sales_of_the_quarter,
)

_NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


@pytest.fixture(scope="session")
def dbt_empty(tmp_path_factory):
    """Everything built, and every unit test run, on a working file that did not exist."""
    working_file = tmp_path_factory.mktemp("empty") / "quarter.duckdb"
    with built(working_file, "build") as outcome:
        outcome.connection.close()
        yield outcome


@pytest.fixture(scope="session")
def dbt_announced(dbt_empty, tmp_path_factory):
    """The announcement's models over the weeks before 20 August 2026."""

    def fill(connection):
        describe_run(connection, "announce")
        add_catalogue(connection)
        add_sales_before_the_announcement(connection)

    working_file = filled(dbt_empty.working_file, tmp_path_factory.mktemp("announce"), fill)
    with built(working_file, "build", "--select", "tag:announce", *_NO_UNIT_TESTS) as outcome:
        assert outcome.result.success, messages(outcome.result)
        yield outcome


@pytest.fixture(scope="session")
def dbt_settled(dbt_empty, tmp_path_factory):
    """All models over a quarter and its market, so that none is empty."""

    def fill(connection):
        describe_run(connection, "final")
        add_catalogue(connection)
        add_earlier_grant(connection)
        add_sales_of_the_quarter(connection)
        add_market(connection)

    working_file = filled(dbt_empty.working_file, tmp_path_factory.mktemp("settle"), fill)
    with built(working_file, "build", *_NO_UNIT_TESTS) as outcome:
        assert outcome.result.success, messages(outcome.result)
        yield outcome
