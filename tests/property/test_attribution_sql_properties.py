"""Day amounts and their division over grants, worked out again in 128-bit SQL (rules §6)."""

from __future__ import annotations

import duckdb
import pandas as pd
from edge_strategies import MAX
from hypothesis import given
from hypothesis import strategies as st
from proof_effort import examples
from strategies import QUARTER, seller_days, settled_grants

from fbacap_logic.attribution import attribute_days, attribute_quarter, evidence_by_grant
from fbacap_logic.policy import Policy

_HALF_EVEN = """
create macro half_even(amount, divisor) as
  (amount // divisor)::hugeint + case
    when 2 * (amount % divisor) > divisor then 1
    when 2 * (amount % divisor) = divisor and (amount // divisor) % 2 = 1 then 1
    else 0
  end
"""
_DAYS = """
select seller_id, day,
  least(extra_milli_ft3, greatest(0, used_milli_ft3 - base_milli_ft3)) as extra_used,
  coalesce(half_even(net_sales_minor::hugeint * 1000000 * extra_used,
    nullif(used_milli_ft3, 0)::hugeint), 0) as usage_layer,
  coalesce(half_even(net_sales_minor::hugeint * 1000000 * extra_milli_ft3,
    nullif(base_milli_ft3::hugeint + extra_milli_ft3, 0)), 0) as capacity_share
from days order by seller_id, day
"""
_QUARTER = f"""
select seller_id, half_even(sum(usage_layer), 1000000::hugeint)::bigint,
  half_even(sum(capacity_share), 1000000::hugeint)::bigint
from ({_DAYS}) group by seller_id order by seller_id
"""
_EVIDENCE = """
with shares as (
  select request_id, round, day, amount, extra,
    amount * granted_milli_ft3 // extra as part,
    row_number() over (
      partition by seller_id, day order by amount * granted_milli_ft3 % extra desc,
        max_fee_minor_per_ft3 desc, priority_at, request_id, round
    ) as place,
    sum(part) over (partition by seller_id, day) as parts
  from (
    select *, sum(granted_milli_ft3) over (partition by seller_id, day)::hugeint as extra,
      usage_layer_micro_minor::hugeint as amount
    from grants inner join days using (seller_id)
    where day >= case round when 3 then date '2026-10-16' else date '2026-10-01' end
  )
)
select request_id, round, part + if(place <= amount - parts, 1, 0)
from shares order by request_id, round, day
"""


def in_sql(sql: str, **tables: pd.DataFrame) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute(_HALF_EVEN)
        for name, frame in tables.items():
            connection.register(name, frame)
        return connection.execute(sql).fetchall()


@examples(60)
@given(st.one_of(seller_days(), seller_days(largest=MAX // 10**6)))
def test_day_amounts_agree_with_sql_to_the_unit(days):
    found = attribute_days(days).sort_values(["seller_id", "day"])
    names = ["extra_used_milli_ft3", "usage_layer_micro_minor", "capacity_share_micro_minor"]
    wanted = in_sql(_DAYS, days=days)
    assert found[names].to_numpy(dtype=object).tolist() == [list(row[2:]) for row in wanted]


@given(seller_days())
def test_quarter_amounts_agree_with_sql_to_the_unit(days):
    sellers = days[["marketplace_id", "storage_type", "seller_id"]].drop_duplicates()
    quarter = attribute_quarter(days, sellers.assign(sales_forecast_minor=0), Policy())
    found = quarter[["seller_id", "usage_layer_minor", "capacity_share_minor"]]
    assert [tuple(row) for row in found.to_numpy(dtype=object)] == in_sql(_QUARTER, days=days)


@given(settled_grants(), st.one_of(st.integers(0, 10**4), st.integers(0, MAX)))
def test_evidence_agrees_with_sql_to_the_millionth(grants, amount):
    grants = grants[grants["granted_milli_ft3"] > 0]
    key = ["marketplace_id", "storage_type", "seller_id"]
    days = (
        grants.loc[grants["round"] <= 2, key]
        .drop_duplicates()
        .merge(
            pd.DataFrame({"day": pd.to_datetime(["2026-10-01", "2026-10-16", "2026-12-31"])}),
            how="cross",
        )
    )
    days = days.assign(usage_layer_micro_minor=amount, capacity_share_micro_minor=0)
    calendar = Policy().calendar_of(QUARTER)
    found = evidence_by_grant(days, grants, calendar)[
        ["request_id", "round", "usage_layer_micro_minor"]
    ]
    assert [tuple(row) for row in found.to_numpy(dtype=object)] == in_sql(
        _EVIDENCE, grants=grants, days=days[["seller_id", "day", "usage_layer_micro_minor"]]
    )


@given(settled_grants(), st.integers(0, 10**9), st.integers(2, 5))
def test_splitting_grants_moves_no_sales_between_sellers_or_days(grants, amount, pieces):
    """Rules §6: what a seller's day is credited with does not depend on how its space is cut."""
    key = ["marketplace_id", "storage_type", "seller_id"]
    grants = grants[grants["round"] <= 2]
    days = grants[key].drop_duplicates().assign(day=pd.Timestamp(QUARTER.first_day))
    days = days.assign(usage_layer_micro_minor=amount, capacity_share_micro_minor=amount)
    cut = pd.concat(
        grants.assign(request_id=grants["request_id"] + f"-{piece}") for piece in range(pieces)
    )
    calendar = Policy().calendar_of(QUARTER)
    whole, parts = (evidence_by_grant(days, each, calendar) for each in (grants, cut))
    sums = [each.groupby([*key, "day"])["usage_layer_micro_minor"].sum() for each in (whole, parts)]
    pd.testing.assert_series_equal(*sums)
