"""Two equal sellers win the same extra space; one sells through it, the other leaves it empty.

What the next announcement makes of it is the programme's promise (rules §2.3): space used well
raises the next base, space left empty lowers it.
"""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.score import piecewise_linear
from orchestration.catalogue import query
from orchestration.cli import app
from orchestration.ingest import ingest_folder
from orchestration.paths import DataFolder
from orchestration.runner import choose_stages, run_quarter, utc_now

WON_IN, NEXT = Quarter(2025, 3), Quarter(2025, 4)
USER, IDLER = "sells_through", "leaves_it_empty"
EXTRA_FT3 = 400
_ANNOUNCED_ON = date(2025, 8, 20)


def write_marketplace(folder: Path) -> None:
    """Both sell 10 units a day and hold 300; from July the user holds and sells more."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create table sellers as
            select 'US' as marketplace_id, seller_id, 'professional' as account_type,
                date '2020-01-01' as joined_on
            from (values ('{USER}'), ('{IDLER}')) as sellers (seller_id);
            create table marketplaces as select 'US' as marketplace_id, 'USD' as currency;
            create table products as
            select marketplace_id, seller_id, 'mug' as sku, 'standard' as storage_type,
                cast(1 as decimal(12, 6)) as unit_volume_ft3
            from sellers;
            create table days as
            select cast(day as date) as day, day >= date '2025-07-01' as has_extra
            from range(timestamp '2024-06-01', timestamp '{_ANNOUNCED_ON}', interval 1 day)
                as days (day);
            create table order_lines as
            select seller_id || '-' || day as order_line_id, marketplace_id, seller_id,
                'mug' as sku, day + interval 12 hours as ordered_at,
                case when has_extra and seller_id = '{USER}' then 25 else 10 end as units,
                cast(10 * units as decimal(18, 2)) as revenue
            from sellers cross join days;
            create table inventory_snapshots as
            select day as snapshot_date, marketplace_id, seller_id, 'mug' as sku,
                case when has_extra and seller_id = '{USER}' then 800 else 300 end as on_hand_units
            from sellers cross join days where day >= date '2025-04-01';
            create table quarters as
            select cast(quarter as date) as quarter
            from range(timestamp '2025-07-01', timestamp '2026-07-01', interval 3 months)
                as quarters (quarter);
            create table network_capacity as
            select 'US' as marketplace_id, 'standard' as storage_type, quarter,
                9000 as network_ft3, 2000 as request_ft3
            from quarters;
            create table round_supply as
            select 'US' as marketplace_id, 'standard' as storage_type, quarter,
                round, 500 as released_ft3
            from quarters cross join range(1, 5) as rounds (round);
            create table capacity_requests as
            select 'wish-' || seller_id as request_id, marketplace_id, seller_id,
                'standard' as storage_type, date '{WON_IN.key}' as quarter,
                cast(5 as decimal(18, 2)) as max_fee_per_ft3,
                cast({EXTRA_FT3} as decimal(18, 3)) as requested_ft3,
                timestamp '2025-05-25' as submitted_at
            from sellers;
            """
        )
        for (table,) in connection.execute("show tables").fetchall():
            if table not in ("days", "quarters"):
                connection.execute(f"copy {table} to '{folder}/{table}.parquet'")


@pytest.fixture(scope="module")
def announced(tmp_path_factory) -> DataFolder:
    source = tmp_path_factory.mktemp("two_sellers")
    write_marketplace(source)
    data = DataFolder(tmp_path_factory.mktemp("market"))
    ingest_folder(data, source, kind="tables", historical=True)
    for quarter, kinds in ((WON_IN, ("announce", "round")), (NEXT, ("announce",))):
        stages = choose_stages(data, quarter, None, utc_now())
        chosen = [stage for stage in stages if stage.kind in kinds]
        list(run_quarter(data, quarter, chosen))
    return data


def bases(data: DataFolder, quarter: Quarter) -> dict[str, dict[str, int]]:
    columns, rows = query(data, f"select * from base_allocations where quarter = '{quarter.label}'")
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return {row["seller_id"]: row for row in found}


def test_both_sellers_start_equal_and_win_the_same_space(announced):
    before = bases(announced, WON_IN)
    amounts = [
        {name: value for name, value in row.items() if name != "seller_id"}
        for row in before.values()
    ]
    assert amounts[0] == amounts[1]
    _, won = query(
        announced,
        "select seller_id, sum(granted_milli_ft3) from repriced_fees group by all order by all",
    )
    assert won == [(IDLER, EXTRA_FT3 * 1_000), (USER, EXTRA_FT3 * 1_000)]


def test_space_left_empty_counts_as_units_that_do_not_sell(announced):
    """Sell-through by hand: units of 90 days over the mean of stock and empty extra space."""
    after = bases(announced, NEXT)
    days = [_ANNOUNCED_ON - timedelta(days=90) + timedelta(days=step) for step in range(90)]
    in_force = sum(day >= WON_IN.first_day for day in days)
    base_ft3 = bases(announced, WON_IN)[IDLER]["base_milli_ft3"] // 1_000
    idle = in_force * EXTRA_FT3  # 300 ft3 of stock never reach above the base
    assert base_ft3 >= 300
    expected = round(10_000 * 900 * 90 / (300 * 90 + idle))
    assert after[IDLER]["sell_through_bp"] == expected
    breakpoints = {each.name: each.breakpoints for each in BaseAllocationPolicy().components}
    points = piecewise_linear(np.array([expected]), breakpoints["sell_through"])
    assert after[IDLER]["sell_through_points"] == points[0]


def test_the_next_base_rewards_the_seller_who_sold_through_the_space(announced):
    before, after = bases(announced, WON_IN), bases(announced, NEXT)
    user, idler = after[USER], after[IDLER]
    assert user["sell_through_points"] > idler["sell_through_points"]
    assert user["score"] > idler["score"]
    assert user["base_milli_ft3"] > idler["base_milli_ft3"]
    assert idler["change_score_milli_ft3"] < 0
    for seller, row in after.items():
        parts = ("demand", "score", "floor", "pool")
        change = sum(row[f"change_{part}_milli_ft3"] for part in parts)
        assert change == row["base_milli_ft3"] - before[seller]["base_milli_ft3"]


def test_explain_tells_each_seller_why(announced):
    told = {
        seller: CliRunner().invoke(
            app, ["explain", seller, NEXT.label, "--data", str(announced.root)]
        )
        for seller in (USER, IDLER)
    }
    for seller, result in told.items():
        assert result.exit_code == 0, result.output
        assert "sell-through" in result.output.lower()
        assert str(bases(announced, NEXT)[seller]["score"]) in result.output
