"""The generator: files of the right shape, the same bytes for a seed, a market that can be held."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from simulation_market import GeneratedMarket

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import ClearingRules, Policy, RequestPolicy
from fbacap_logic.requests import REQUEST_REASONS
from orchestration.simulation import FEWEST_SELLERS, Summary, generate
from orchestration.simulation.writing import SCHEMAS
from orchestration.stages import INPUT_TABLES

QUARTER = Quarter(2025, 4)
STRICT = Policy(
    requests=RequestPolicy(fee_ceiling_minor_per_ft3=50_000),
    clearing=ClearingRules(minimum_fee_minor_per_ft3=5),
)


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    directory = tmp_path_factory.mktemp("delivery")
    return directory, generate(directory, sellers=300, quarters=1, seed=1)


@pytest.fixture(scope="module")
def market(delivery: tuple[Path, Summary]) -> GeneratedMarket:
    return GeneratedMarket(delivery[0])


@pytest.fixture(scope="module")
def bases(market: GeneratedMarket) -> pd.DataFrame:
    return market.announce(QUARTER)


def hashes(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_every_input_table_is_written_with_the_columns_of_landing(delivery):
    directory, summary = delivery
    assert tuple(summary.rows) == INPUT_TABLES
    for table in INPUT_TABLES:
        file = pq.ParquetFile(directory / f"{table}.parquet")
        assert file.schema_arrow.equals(SCHEMAS[table])
        assert file.metadata.num_rows == summary.rows[table] > 0


def test_every_table_is_marked_as_simulated(delivery):
    note = json.loads((delivery[0] / "_delivery.json").read_text(encoding="utf-8"))
    assert set(note["simulated"]) == set(INPUT_TABLES)
    assert note["generator"] == {"sellers": 300, "quarters": ["2025Q4"], "seed": 1}


def test_nothing_but_tables_the_note_and_the_truth_is_left_in_the_folder(delivery):
    names = {path.name for path in delivery[0].iterdir()}
    assert names == {*(f"{t}.parquet" for t in INPUT_TABLES), "_delivery.json", "_truth"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        generate(tmp_path / name, sellers=50, quarters=1, seed=seed)
    first, again, other = (hashes(tmp_path / name) for name in "abc")
    assert first == again
    differing = {name for name in first if first[name] != other[name]}
    assert differing == set(first) - {"marketplaces.parquet"}


def test_generating_into_a_used_folder_leaves_nothing_of_the_delivery_before(tmp_path):
    generate(tmp_path / "reused", sellers=60, quarters=1, seed=1)
    for name in ("reused", "fresh"):
        generate(tmp_path / name, sellers=FEWEST_SELLERS, quarters=1, seed=2)
    assert hashes(tmp_path / "reused") == hashes(tmp_path / "fresh")


def test_feeds_that_go_on_until_the_true_up_tell_the_quarter_itself_the_same(tmp_path):
    ended, gone_on = tmp_path / "ended", tmp_path / "gone-on"
    for directory in (ended, gone_on):
        generate(directory, sellers=50, quarters=1, seed=3, until_settled=directory == gone_on)
    with duckdb.connect() as connection:

        def rows(query: str) -> list[tuple[object, ...]]:
            return connection.execute(query).fetchall()

        for table, day in (("order_lines", "ordered_at"), ("inventory_snapshots", "snapshot_date")):
            before, after = (f"from '{folder}/{table}.parquet'" for folder in (ended, gone_on))
            assert rows(f"{after} where {day} < date '2026-01-01'") == rows(before) != []
            last = f"select max({day})::date, max(received_at)::date {after}"
            assert rows(last) == [(date(2026, 4, 30), date(2026, 4, 30))]
    unchanged = set(INPUT_TABLES) - {"order_lines", "inventory_snapshots", "refunds"}
    names = {f"{table}.parquet" for table in unchanged} | {"_truth/seller_market_quarters.parquet"}
    first, second = hashes(ended), hashes(gone_on)
    assert {name for name in first if first[name] == second[name]} == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sellers": FEWEST_SELLERS - 1, "quarters": 1, "seed": 1}, "sellers is 11"),
        ({"sellers": 50, "quarters": 0, "seed": 1}, "quarters is 0"),
        ({"sellers": 50, "quarters": 1, "seed": -1}, "seed is -1"),
    ],
)
def test_impossible_sizes_are_refused_before_anything_is_written(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


def test_progress_is_told_day_by_day(tmp_path):
    told: list[tuple[int, int]] = []
    generate(
        tmp_path,
        sellers=FEWEST_SELLERS,
        quarters=1,
        seed=1,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[0] == (1, 823)
    assert told[-1] == (823, 823)


@pytest.mark.parametrize("table", INPUT_TABLES)
def test_rows_stand_in_the_order_of_their_key(market, table):
    key = {
        "marketplaces": ["marketplace_id"],
        "sellers": ["marketplace_id", "seller_id"],
        "products": ["marketplace_id", "seller_id", "sku"],
        "order_lines": ["order_line_id"],
        "refunds": ["refund_id"],
        "inventory_snapshots": ["snapshot_date", "marketplace_id", "seller_id", "sku"],
        "network_capacity": ["marketplace_id", "storage_type", "quarter"],
        "round_supply": ["marketplace_id", "storage_type", "quarter", "round"],
        "capacity_requests": ["request_id", "revision", "received_at"],
    }[table]
    rows = market.query(f"select {', '.join(key)} from {table}")
    assert not rows.duplicated().any()
    assert rows.equals(rows.sort_values(key, ignore_index=True))


def test_the_history_begins_two_years_before_the_first_market_quarter(market):
    days = market.query("select min(ordered_at)::date a, max(ordered_at)::date b from order_lines")
    assert days["a"][0].date() == date(2023, 10, 1)
    assert days["b"][0].date() == date(2025, 12, 31)


def test_snapshots_are_daily_from_a_hundred_days_before_the_announcement(market):
    days = market.query(
        "select min(snapshot_date) a, max(snapshot_date) b, count(distinct snapshot_date) n "
        "from inventory_snapshots"
    )
    assert days["a"][0].date() == date(2025, 5, 12)
    assert days["n"][0] == (days["b"][0] - days["a"][0]).days + 1


def test_no_snapshot_row_is_empty_and_no_more_is_stranded_than_is_there(market):
    bad = market.query(
        "select * from inventory_snapshots where on_hand_units + inbound_units = 0 "
        "or stranded_units > on_hand_units or on_hand_units < 0 or inbound_units < 0"
    )
    assert bad.empty


def test_yen_amounts_have_no_minor_digits(market):
    fine = market.query(
        "select 1 from order_lines where marketplace_id = 'JP' and revenue <> floor(revenue) "
        "union all select 1 from refunds join order_lines using (order_line_id) "
        "where marketplace_id = 'JP' and amount <> floor(amount)"
    )
    assert fine.empty


def test_refunds_never_pass_their_line_and_come_within_ninety_days(market):
    refunds = market.query(
        "select amount, revenue, refunded_at - ordered_at as later, r.received_at >= refunded_at "
        "as in_order from refunds r join order_lines using (order_line_id)"
    )
    assert len(refunds) == len(market.query("select * from refunds"))
    assert (refunds["amount"] <= refunds["revenue"]).all()
    assert (refunds["amount"] < refunds["revenue"]).any()
    assert refunds["later"].max() <= pd.Timedelta(days=90)
    assert refunds["later"].max() > pd.Timedelta(days=60)
    assert refunds["in_order"].all()


def test_nobody_sells_before_joining_or_what_it_does_not_list(market):
    early = market.query(
        "select 1 from order_lines o left join sellers s using (marketplace_id, seller_id) "
        "left join products p using (marketplace_id, seller_id, sku) "
        "where p.sku is null or s.seller_id is null or ordered_at < joined_on"
    )
    assert early.empty


def test_a_day_sells_no_more_than_stood_there_or_arrived(market):
    # What was on hand yesterday plus what was on its way bounds what can be sold today.
    oversold = market.query(
        "with sold as (select marketplace_id, seller_id, sku, ordered_at::date as day, "
        "sum(units) as units from order_lines group by all) "
        "select 1 from sold join inventory_snapshots s on s.marketplace_id = sold.marketplace_id "
        "and s.seller_id = sold.seller_id and s.sku = sold.sku "
        "and s.snapshot_date = sold.day - 1 "
        "where units > on_hand_units + inbound_units - stranded_units"
    )
    assert oversold.empty


def test_capacity_and_supply_are_known_before_the_quarter_is_announced(market):
    late = market.query(
        "select 1 from network_capacity where received_at >= quarter - 42 "
        "union all select 1 from round_supply where received_at >= quarter - 42"
    )
    assert late.empty


def test_capacity_covers_the_quarter_and_the_two_after(market):
    quarters = market.query("select distinct quarter from network_capacity order by 1")
    assert [day.date() for day in quarters["quarter"]] == [
        date(2025, 10, 1),
        date(2026, 1, 1),
        date(2026, 4, 1),
    ]


def test_the_rounds_release_exactly_the_space_kept_for_requests(market):
    sums = market.query(
        "select marketplace_id, storage_type, any_value(request_ft3) as kept, count(*) as rounds, "
        "sum(released_ft3) as released from round_supply join network_capacity "
        "using (marketplace_id, storage_type, quarter) group by all"
    )
    assert len(sums) == 7
    assert (sums["rounds"] == 4).all()
    assert (sums["kept"] == sums["released"]).all()


def shortage_by_market(bases: pd.DataFrame) -> pd.Series:
    """Claims over pools; planners reckon demand more roughly than the announcement forecasts it."""
    by_market = bases.groupby(["marketplace_id", "storage_type"]).agg(
        claimed=("unscaled_milli_ft3", "sum"), pool=("pool_milli_ft3", "first")
    )
    arranged = by_market.index.get_level_values("storage_type") == "seasonal"
    ordinary = by_market[~arranged].sum()
    shortage = by_market["claimed"] / by_market["pool"]
    shortage["all", "ordinary"] = ordinary["claimed"] / ordinary["pool"]
    return shortage


def test_a_peak_quarter_is_short_of_base_space_by_ten_to_twenty_five_percent(bases):
    shortage = shortage_by_market(bases)
    assert shortage["US", "seasonal"] > 2
    assert 1.10 < shortage["all", "ordinary"] < 1.25
    assert (shortage > 1).all()


def test_winners_hold_more_than_their_base_and_so_make_sales_with_extra_space(market, bases):
    judged = market.judged(QUARTER, bases, Policy())
    grants = market.cleared(QUARTER, judged, Policy()).grants
    key = ["marketplace_id", "seller_id", "storage_type"]
    won = grants.groupby(key, as_index=False)["granted_milli_ft3"].sum()
    won = won[(won["granted_milli_ft3"] > 0) & (won["storage_type"] != "seasonal")]
    assert len(won) > 40
    days = won.merge(market.used(QUARTER), on=key).merge(bases[[*key, "base_milli_ft3"]], on=key)
    over = np.maximum(days["used_milli_ft3"] - days["base_milli_ft3"], 0)
    extra_used = np.minimum(over, days["granted_milli_ft3"])
    assert (over > 0).mean() > 0.6
    assert extra_used.sum() / days["granted_milli_ft3"].sum() > 0.4


def test_every_reason_for_rejection_occurs_in_both_marketplaces(market, bases):
    judged = market.judged(QUARTER, bases, STRICT)
    reasons = judged.groupby("marketplace_id")["reason"].agg(set)
    assert reasons["JP"] == reasons["US"] == set(REQUEST_REASONS)


def test_the_default_policy_rejects_for_every_reason_that_it_can_have(market, bases):
    judged = market.judged(QUARTER, bases, Policy())
    never = {"below_minimum_fee", "above_fee_ceiling"}  # a fee of a cent is enough, none too much
    assert set(judged["reason"]) == set(REQUEST_REASONS) - never


def test_bids_that_only_a_stricter_policy_refuses_never_win_under_the_default(market, bases):
    judged = market.judged(QUARTER, bases, Policy())
    grants = market.cleared(QUARTER, judged, Policy()).grants
    odd = grants[grants["request_id"].str.contains("-912$|-914$")]
    assert odd["granted_milli_ft3"].sum() == 0


def test_requests_show_curves_minimums_revisions_and_withdrawals(market):
    seen = market.query(
        "select sum((request_id like '%-3')::int) steps, sum((minimum_ft3 > 0)::int) minimums, "
        "max(revision) revisions, sum(withdrawn::int) withdrawals, "
        "sum((received_at < submitted_at)::int) clocks_ahead from capacity_requests"
    ).iloc[0]
    assert (seen[["steps", "minimums", "withdrawals", "clocks_ahead"]] > 0).all()
    assert seen["revisions"] == 2


def test_the_truth_compares_three_worlds_for_every_seller_market(delivery):
    truth = pq.read_table(delivery[0] / "_truth" / "seller_market_quarters.parquet").to_pandas()
    winners = truth[truth["expected_grant_milli_ft3"] > 0]
    others = truth[truth["expected_grant_milli_ft3"] == 0]
    assert (others["sales_minor"] == others["sales_without_extra_space_minor"]).all()
    assert winners["sales_minor"].sum() > winners["sales_without_extra_space_minor"].sum()
    assert truth["sales_with_unlimited_space_minor"].sum() > truth["sales_minor"].sum()
    belief = np.corrcoef(np.log(truth["shock"]), np.log(truth["expected_shock"]))[0, 1]
    assert 0.8 < belief < 0.99


def test_a_slack_quarter_has_room_in_all_and_in_most_markets(tmp_path):
    quarter = Quarter(2025, 2)
    generate(tmp_path, sellers=150, quarters=1, seed=5, last_quarter=quarter)
    shortage = shortage_by_market(GeneratedMarket(tmp_path).announce(quarter))
    assert shortage["all", "ordinary"] < 0.95
    assert (shortage <= 1).sum() > len(shortage) / 2
