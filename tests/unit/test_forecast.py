"""The forecast: what it gives for histories one can check by hand, and what it refuses."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbacap_logic.calendar import Quarter
from fbacap_logic.forecast import (
    LATER_DEMAND_COLUMNS,
    forecast_quarter,
    matching_rows,
    sorted_by_seller_market,
)
from fbacap_logic.frames import SELLER_MARKET_KEY
from fbacap_logic.policy import BaseAllocationPolicy

ANNOUNCED_ON = date(2026, 8, 20)
QUARTER = Quarter(2026, 4)
POLICY = BaseAllocationPolicy()
COLUMNS = [
    *SELLER_MARKET_KEY,
    "demand_mean_milli_ft3",
    "demand_p10_milli_ft3",
    "demand_p50_milli_ft3",
    "demand_p90_milli_ft3",
    "demand_milli_ft3",
    "cover_90d_milli_ft3",
    *LATER_DEMAND_COLUMNS,
    "sales_forecast_minor",
]

Histories = dict[str, list[int]]


def seller_markets(histories: Histories, marketplaces: dict[str, str] | None = None):
    """One seller market a history: volumes by week, the oldest first."""
    return pd.DataFrame(
        {
            "marketplace_id": [(marketplaces or {}).get(seller, "us") for seller in histories],
            "seller_id": list(histories),
            "storage_type": "standard",
            "history_start": [
                ANNOUNCED_ON - timedelta(weeks=len(weeks)) if weeks else None
                for weeks in histories.values()
            ],
        }
    )


def weekly_demand(histories: Histories, marketplaces: dict[str, str] | None = None):
    rows = [
        {
            "marketplace_id": (marketplaces or {}).get(seller, "us"),
            "seller_id": seller,
            "storage_type": "standard",
            "week_index": age,
            "volume_milli_ft3": volume,
            "net_sales_minor": 2 * volume,
        }
        for seller, weeks in histories.items()
        for age, volume in enumerate(reversed(weeks))
        if volume
    ]
    integer = ["week_index", "volume_milli_ft3", "net_sales_minor"]
    columns = ["marketplace_id", "seller_id", "storage_type", *integer]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(integer, "int64"))


def forecast_of(histories: Histories, policy: BaseAllocationPolicy = POLICY, **marketplaces: str):
    return forecast_quarter(
        weekly_demand(histories, marketplaces),
        seller_markets(histories, marketplaces),
        ANNOUNCED_ON,
        QUARTER,
        policy,
    )


def only_row(histories: Histories, policy: BaseAllocationPolicy = POLICY) -> pd.Series:
    return forecast_of(histories, policy).iloc[0]


def test_steady_demand_is_forecast_at_its_rate_over_the_days_of_each_quarter():
    row = only_row({"a": [700] * 104})
    assert row["demand_mean_milli_ft3"] == 100 * 92
    assert row["demand_p50_milli_ft3"] == 100 * 92
    assert row["demand_milli_ft3"] == 100 * 92
    assert row["cover_90d_milli_ft3"] == 100 * 90
    assert [row[column] for column in LATER_DEMAND_COLUMNS] == [100 * 90, 100 * 91]
    assert row["sales_forecast_minor"] == 200 * 92


def test_the_table_has_one_row_a_seller_market_in_key_order_and_whole_numbers():
    table = forecast_of({"b": [70], "a": [], "c": [7] * 30}, b="de")
    assert table.columns.tolist() == COLUMNS
    assert table["seller_id"].tolist() == ["b", "a", "c"]
    assert set(table.dtypes[len(SELLER_MARKET_KEY) :].astype(str)) == {"int64"}


def test_the_rate_weighs_the_last_four_weeks_as_much_as_the_last_thirteen():
    row = only_row({"a": [0] * 91 + [130] * 9 + [260] * 4})
    assert row["demand_mean_milli_ft3"] == round(((9 * 130 + 4 * 260) / 13 + 260) / 2 * 92 / 7)


def test_a_short_history_is_averaged_over_the_weeks_there_are():
    assert only_row({"a": [70, 70]})["demand_mean_milli_ft3"] == 10 * 92


def test_weeks_without_demand_since_the_first_order_count_as_zero():
    assert only_row({"a": [70, 0]})["demand_mean_milli_ft3"] == 5 * 92


def test_a_week_that_history_began_in_counts_as_a_whole_week():
    markets = seller_markets({"a": [70]}).assign(history_start=[ANNOUNCED_ON - timedelta(days=8)])
    table = forecast_quarter(weekly_demand({"a": [70, 70]}), markets, ANNOUNCED_ON, QUARTER, POLICY)
    assert table["demand_mean_milli_ft3"].tolist() == [10 * 92]


def test_history_older_than_the_policy_reads_is_left_out():
    policy = BaseAllocationPolicy(history_weeks=2)
    markets = seller_markets({"a": [70] * 5})
    table = forecast_quarter(weekly_demand({"a": [70, 70]}), markets, ANNOUNCED_ON, QUARTER, policy)
    assert table["demand_mean_milli_ft3"].tolist() == [10 * 92]


def test_a_seller_without_history_is_forecast_at_zero():
    table = forecast_of({"a": []})
    assert (table[COLUMNS[len(SELLER_MARKET_KEY) :]] == 0).all(axis=None)


def test_a_first_order_on_the_announcement_day_is_not_history_yet():
    markets = seller_markets({"a": [1]}).assign(history_start=[ANNOUNCED_ON])
    table = forecast_quarter(weekly_demand({}), markets, ANNOUNCED_ON, QUARTER, POLICY)
    assert table["demand_p90_milli_ft3"].tolist() == [0]


def test_no_sellers_give_an_empty_table_with_its_columns():
    table = forecast_quarter(weekly_demand({}), seller_markets({}), ANNOUNCED_ON, QUARTER, POLICY)
    assert table.columns.tolist() == COLUMNS
    assert len(table) == 0


def test_net_refunds_never_make_a_negative_sales_forecast():
    demand = weekly_demand({"a": [70] * 20}).assign(net_sales_minor=-5)
    table = forecast_quarter(
        demand, seller_markets({"a": [70] * 20}), ANNOUNCED_ON, QUARTER, POLICY
    )
    assert table["sales_forecast_minor"].tolist() == [0]
    assert table["demand_mean_milli_ft3"].tolist() == [10 * 92]


def test_the_policy_names_the_quantile():
    history = {"a": [700] * 10}
    row = only_row(history, BaseAllocationPolicy(demand_quantile_bp=9_000))
    assert row["demand_milli_ft3"] == row["demand_p90_milli_ft3"] > row["demand_p50_milli_ft3"]


def test_a_seller_alone_with_too_little_history_spreads_uniformly():
    row = only_row({"a": [700] * 13})
    assert row["demand_p10_milli_ft3"] == round(0.2 * 100 * 92)
    assert row["demand_p90_milli_ft3"] == round(1.8 * 100 * 92)


def test_the_longer_the_steady_history_the_narrower_the_spread():
    widths = []
    for weeks in (13, 14, 26, 52, 104):
        row = only_row({"a": [700] * weeks})
        widths.append(row["demand_p90_milli_ft3"] - row["demand_p10_milli_ft3"])
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == len(widths)


def test_a_newcomer_among_many_is_forecast_far_below_its_first_week():
    random = np.random.default_rng(3)
    fading = {
        f"old-{number}": [700, *(random.random(103 - number % 90) < 0.3) * 70]
        for number in range(60)
    }
    fading = {name: [int(week) for week in weeks] for name, weeks in fading.items()}
    table = forecast_of(fading | {"new": [700]}).set_index("seller_id")
    assert 0 < table.loc["new", "demand_p50_milli_ft3"] < 700 * 13 / 4


def test_the_median_of_many_steady_sellers_is_their_rate():
    table = forecast_of({f"s{number:02}": [70 * (number + 1)] * 104 for number in range(30)})
    rate = 10 * 92 * np.arange(1, 31)
    assert np.abs(table["demand_p50_milli_ft3"] / rate - 1).max() < 0.02
    assert np.abs(table["demand_mean_milli_ft3"] / rate - 1).max() < 0.02


def test_sales_are_the_mean_demand_at_the_latest_years_sales_per_volume():
    demand = weekly_demand({"a": [70] * 104})
    old = demand["week_index"] >= 52
    demand["net_sales_minor"] = demand["volume_milli_ft3"] * np.where(old, 100, 3)
    table = forecast_quarter(
        demand, seller_markets({"a": [70] * 104}), ANNOUNCED_ON, QUARTER, POLICY
    )
    assert table["sales_forecast_minor"].tolist() == [3 * 10 * 92]


demands = st.lists(st.integers(0, 10**9), max_size=60)


@given(st.dictionaries(st.sampled_from("abcdef"), demands, min_size=1), st.integers(0, 10_000))
def test_quantiles_are_in_order_and_never_negative(histories: Histories, quantile_bp: int):
    table = forecast_of(histories, BaseAllocationPolicy(demand_quantile_bp=quantile_bp), b="de")
    p10, p50, p90, chosen = (
        table[f"demand_{name}milli_ft3"] for name in ("p10_", "p50_", "p90_", "")
    )
    assert (p10 >= 0).all()
    assert (p10 <= p50).all()
    assert (p50 <= p90).all()
    assert ((chosen <= p50) if quantile_bp <= 5_000 else (chosen >= p50)).all()
    assert (table[COLUMNS[3:]] >= 0).all(axis=None)


@given(st.dictionaries(st.sampled_from("abcdef"), demands, min_size=1), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(histories: Histories, seed: int):
    shuffled = forecast_quarter(
        weekly_demand(histories, {"b": "de"}).sample(frac=1, random_state=seed),
        seller_markets(histories, {"b": "de"}).sample(frac=1, random_state=seed),
        ANNOUNCED_ON,
        QUARTER,
        POLICY,
    )
    pd.testing.assert_frame_equal(shuffled, forecast_of(histories, b="de"))


@pytest.mark.parametrize(
    "as_type",
    [
        lambda days: pd.to_datetime(days),
        lambda days: pd.to_datetime(days).astype("datetime64[us]"),
        lambda days: pd.Series([day or pd.NaT for day in days], dtype=object),
        lambda days: days.astype(object).where(days.notna(), None),
    ],
)
def test_history_starts_may_be_timestamps_or_days_and_may_be_missing(as_type):
    histories = {"a": [70] * 14, "b": []}
    markets = seller_markets(histories)
    table = forecast_quarter(
        weekly_demand(histories),
        markets.assign(history_start=as_type(markets["history_start"])),
        ANNOUNCED_ON,
        QUARTER,
        POLICY,
    )
    assert table["demand_mean_milli_ft3"].tolist() == [10 * 92, 0]


def refused(demand: pd.DataFrame, markets: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        forecast_quarter(demand, markets, ANNOUNCED_ON, QUARTER, POLICY)


def test_a_seller_market_that_stands_twice_is_refused():
    markets = seller_markets({"a": [70]})
    refused(weekly_demand({}), pd.concat([markets, markets]), "seller_markets: row 1 repeats")


def test_a_week_that_stands_twice_is_refused():
    demand = weekly_demand({"a": [70]})
    refused(
        pd.concat([demand, demand]),
        seller_markets({"a": [70]}),
        "weekly_demand: row 1 repeats the key .*seller_id 'a', week_index",
    )


def test_demand_of_an_unknown_seller_market_is_refused_by_name():
    refused(
        weekly_demand({"z": [70], "x": [70], "a": [70]}),
        seller_markets({"a": [70]}),
        "weekly_demand: marketplace_id 'us', storage_type 'standard', seller_id 'x' "
        "has no row in seller_markets",
    )


def test_demand_before_the_history_began_is_refused():
    refused(
        weekly_demand({"a": [70, 70]}),
        seller_markets({"a": [70]}),
        "week 1 lies beyond the 1 weeks of history of seller_id 'a'",
    )


def test_demand_of_a_seller_without_history_is_refused():
    refused(weekly_demand({"a": [70]}), seller_markets({"a": []}), "beyond the 0 weeks of history")


def test_a_negative_volume_is_refused():
    demand = weekly_demand({"a": [70]}).assign(volume_milli_ft3=-1)
    refused(demand, seller_markets({"a": [70]}), "volume_milli_ft3.*must be at least 0")


def test_volume_that_a_float_would_not_hold_exactly_is_refused():
    demand = weekly_demand({"a": [1], "b": [2**49 - 1, 1]})
    refused(
        demand,
        seller_markets({"a": [1], "b": [1, 1]}),
        "volume_milli_ft3.* the history of seller_id 'b' sums to 562949953421312 or more",
    )


def test_a_history_start_that_is_no_day_is_refused():
    markets = seller_markets({"a": [70]}).assign(history_start="soon")
    refused(
        weekly_demand({"a": [70]}), markets, "'history_start' holds something that is not a day"
    )


def test_a_missing_column_is_named():
    refused(
        weekly_demand({}),
        seller_markets({"a": [70]}).drop(columns="history_start"),
        "seller_markets: column 'history_start' is missing",
    )


def test_seller_markets_are_ordered_by_market_then_seller_by_bytes():
    frame = pd.DataFrame(
        {
            "marketplace_id": ["us", "us", "de", "us"],
            "storage_type": ["standard", "oversize", "standard", "standard"],
            "seller_id": ["é", "b", "c", "Z"],
        }
    )
    table = sorted_by_seller_market(frame, "facts")
    assert table["seller_id"].tolist() == ["c", "b", "Z", "é"]
    assert table.index.tolist() == [0, 1, 2, 3]


def test_rows_are_found_by_the_whole_key():
    within = pd.DataFrame(
        {
            "marketplace_id": ["us", "us", "de"],
            "storage_type": ["standard", "oversize", "standard"],
            "seller_id": "a",
        }
    )
    wanted = within.iloc[[2, 0, 1, 0]]
    assert matching_rows(wanted, "facts", within, "sellers").tolist() == [2, 0, 1, 0]
    swapped = wanted.assign(marketplace_id="de", storage_type="oversize")
    with pytest.raises(ValueError, match="facts: marketplace_id 'de', storage_type 'oversize'"):
        matching_rows(swapped, "facts", within, "sellers")


def test_rows_are_not_looked_up_in_a_table_that_repeats_a_key():
    rows = seller_markets({"a": [1]})
    with pytest.raises(ValueError, match="sellers: row 1 repeats the key"):
        matching_rows(rows, "facts", pd.concat([rows, rows]), "sellers")
