"""The auditor's SQL: everything published can be read, nothing can be written."""

import pytest

from orchestration.catalogue import query
from orchestration.errors import BadUsage
from orchestration.paths import DataFolder


@pytest.fixture
def data(tmp_path):
    return DataFolder(tmp_path)


def test_before_anything_is_published_every_table_is_there_and_empty(data):
    columns, rows = query(data, "select * from settlements")
    assert columns[:2] == ["quarter", "run"]
    assert "net_due_minor" in columns
    assert rows == []
    assert query(data, "select count(*) from all_runs.settlements")[1] == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "create table t (a integer)",
        "drop view settlements",
        "copy (select 1) to 'stolen.csv'",
        "attach 'other.duckdb'",
        "set enable_external_access = true",
        "install httpfs",
        "select 1; select 2",
        "explain analyze copy (select 1) to 'stolen.csv'",
        "explain analyze create table t as select 1",
        "",
    ],
)
def test_a_statement_that_does_more_than_read_is_refused(data, statement):
    with pytest.raises(BadUsage, match="give one SELECT"):
        query(data, statement)


def test_files_outside_the_published_zone_cannot_be_read(data, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(BadUsage, match="that query failed"):
        query(data, f"select * from read_csv('{secret}')")


@pytest.mark.parametrize(
    "source",
    [
        "read_text('/etc/hostname')",
        "read_blob('/etc/hostname')",
        "parquet_metadata('/etc/hostname')",
        "glob('/etc/*')",
        "'/etc/hostname'",
        "read_csv('https://example.org/a.csv')",
        "duckdb_secrets()",
        "query('from read_text(''/etc/hostname'')')",
        "sql_auto_complete('an extension that would be downloaded')",
    ],
)
def test_nothing_but_the_published_zone_is_within_reach_of_a_query(data, source):
    with pytest.raises(BadUsage, match="that query failed"):
        query(data, f"select * from {source}")


def test_a_query_that_writes_on_the_way_changes_nothing_that_lasts(data):
    words = "with written as (insert into runs (run) values (1) returning run) from written"
    assert query(data, words)[1] == [(1,)]
    assert query(data, "select count(*) from runs")[1] == [(0,)]
    assert list(data.root.iterdir()) == []


def test_a_query_that_fails_says_why(data):
    with pytest.raises(BadUsage, match=r"that query failed: .*nothing_like_that"):
        query(data, "select nothing_like_that from settlements")
