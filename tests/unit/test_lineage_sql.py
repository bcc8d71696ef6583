"""Columns of a query, against lineage worked out by hand."""

import pytest

from orchestration.errors import BadConfiguration
from orchestration.lineage.sql_columns import columns_of_query

SCHEMA = {
    "t": {
        "sales": {"seller": "varchar", "day": "date", "amount": "int", "is_void": "boolean"},
        "refunds": {"seller": "varchar", "day": "date", "amount": "int"},
        "sellers": {"seller": "varchar", "name": "varchar"},
    }
}


def sources(sql: str) -> dict[str, set[str]]:
    found = columns_of_query(sql, SCHEMA, "example")
    return {
        name: {f"{relation.removeprefix('t.')}.{column}" for relation, column in query.sources}
        for name, query in found.columns.items()
    }


def rows(sql: str) -> set[str]:
    found = columns_of_query(sql, SCHEMA, "example").rows
    return {f"{relation.removeprefix('t.')}.{column}" for relation, column in found}


def test_a_column_is_followed_through_ctes_stars_and_joins():
    sql = """
    with paid as (select * from t.sales where not is_void),
    named as (
        select paid.*, sellers.name from paid left join t.sellers using (seller)
    )
    select name as called, amount * 2 as doubled from named
    """
    assert sources(sql) == {"called": {"sellers.name"}, "doubled": {"sales.amount"}}
    assert {"sales.is_void", "sales.seller", "sellers.seller"} <= rows(sql)


def test_both_sides_of_a_union_are_sources_by_place_and_not_by_name():
    sql = """
    select seller, amount from t.sales
    union all
    select seller as other, -amount as taken from t.refunds
    """
    assert sources(sql) == {
        "seller": {"sales.seller", "refunds.seller"},
        "amount": {"sales.amount", "refunds.amount"},
    }
    assert rows(sql) == set()


def test_a_distinct_union_compares_every_column():
    sql = "select seller from t.sales union select seller from t.refunds"
    assert rows(sql) == {"sales.seller", "refunds.seller"}


def test_a_window_reads_what_it_is_split_and_ordered_by():
    sql = "select row_number() over (partition by seller order by day desc) as place from t.sales"
    assert sources(sql) == {"place": {"sales.seller", "sales.day"}}


def test_a_case_reads_its_condition():
    sql = "select sum(case when is_void then 0 else amount end) as kept from t.sales"
    assert sources(sql) == {"kept": {"sales.is_void", "sales.amount"}}


def test_a_count_of_rows_has_the_sources_of_its_rows():
    sql = "select seller, count(*) as lines from t.sales where amount > 0 group by seller"
    assert sources(sql)["lines"] == {"sales.seller", "sales.amount"}


def test_only_what_is_worked_out_has_an_expression():
    sql = "with a as (select amount + 1 as more, seller from t.sales) select more, seller from a"
    found = columns_of_query(sql, SCHEMA, "example").columns
    assert found["more"].expression == "sales.amount + 1"
    assert found["seller"].expression is None


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select nothing from t.sales", "cannot be worked out"),
        ("select * from t.unknown", "cannot be worked out"),
        ("select 1 as one from t.sales", "example.one is empty"),
        ("select from where", "cannot be worked out"),
    ],
)
def test_what_cannot_be_resolved_is_an_error_and_never_an_empty_lineage(sql, said):
    with pytest.raises(BadConfiguration, match=said):
        columns_of_query(sql, SCHEMA, "example")
