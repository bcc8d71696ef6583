"""The worked example of rules §9 comes out of a generated market, for every seed and size."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from simulation_market import GeneratedMarket

from fbacap_logic.attribution import attribute_days
from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import Policy
from fbacap_logic.repricing import reprice_quarter
from orchestration.simulation import generate

SHOP = "halloween-shop"
POLICY = Policy()
CASES = [
    (50, 1, Quarter(2025, 4), 1, Quarter(2025, 4)),
    (50, 2, Quarter(2025, 4), 1, Quarter(2025, 4)),
    (50, 99, Quarter(2026, 1), 2, Quarter(2025, 4)),
    (60, 7, Quarter(2024, 2), 1, Quarter(2024, 2)),
]


@pytest.fixture(
    scope="module", params=CASES, ids=lambda c: f"{c[0]}-seed{c[1]}-{c[2].label}-{c[3]}"
)
def example(request, tmp_path_factory) -> tuple[GeneratedMarket, Quarter]:
    sellers, seed, last, quarters, quarter = request.param
    directory: Path = tmp_path_factory.mktemp("halloween")
    generate(directory, sellers=sellers, quarters=quarters, seed=seed, last_quarter=last)
    return GeneratedMarket(directory), quarter


@pytest.fixture(scope="module")
def bases(example) -> pd.DataFrame:
    market, quarter = example
    return market.announce(quarter)


@pytest.fixture(scope="module")
def fees(example, bases) -> pd.DataFrame:
    market, quarter = example
    judged = market.judged(quarter, bases, POLICY)
    cleared = market.cleared(quarter, judged, POLICY)
    return reprice_quarter(cleared.grants, cleared.rounds, POLICY.calendar_of(quarter), POLICY)


def test_the_shop_is_announced_a_base_of_ten_thousand_cubic_feet(bases):
    assert bases.loc[bases["seller_id"] == SHOP, "base_milli_ft3"].tolist() == [10_000_000]


def test_the_shop_wins_five_thousand_at_six_dollars_and_pays_four(fees):
    (grant,) = fees[fees["seller_id"] == SHOP].to_dict("records")
    assert grant["granted_milli_ft3"] == 5_000_000
    assert grant["max_fee_minor_per_ft3"] == grant["round_fee_minor_per_ft3"] == 600
    assert grant["final_fee_minor_per_ft3"] == 400
    assert grant["fee_minor"] == 20_000_00


def test_the_shop_fills_base_and_extra_every_day_of_the_quarter(example):
    market, quarter = example
    used = market.used(quarter)
    shop = used[used["seller_id"] == SHOP]
    assert len(shop) == quarter.days
    assert (shop["used_milli_ft3"] == 15_000_000).all()


def test_a_third_of_the_shops_sales_are_the_extra_spaces(example):
    market, quarter = example
    sales = market.query(
        "select marketplace_id, seller_id, ordered_at::date as day, "
        "(sum(revenue) * 100)::bigint as net_sales_minor from order_lines "
        f"where seller_id = '{SHOP}' and ordered_at >= date '{quarter.key}' "
        f"and ordered_at < date '{quarter.next.key}' group by all order by day"
    )
    assert sales["net_sales_minor"].sum() == 900_000_00
    days = sales.assign(
        storage_type="seasonal",
        used_milli_ft3=15_000_000,
        base_milli_ft3=10_000_000,
        extra_milli_ft3=5_000_000,
        is_carried=False,
        is_missing=False,
    )
    incremental = attribute_days(days)["usage_layer_micro_minor"].sum()
    assert incremental / 1_000_000 == pytest.approx(300_000_00, abs=1)
    refunds = market.query(
        f"select 1 from refunds join order_lines using (order_line_id) where seller_id = '{SHOP}'"
    )
    assert refunds.empty


def test_floors_fit_every_pool_in_every_quarter(example, bases):
    floors = bases.groupby(["marketplace_id", "storage_type"]).agg(
        floors=("floor_milli_ft3", "sum"), pool=("pool_milli_ft3", "first")
    )
    assert (floors["floors"] <= floors["pool"]).all()
