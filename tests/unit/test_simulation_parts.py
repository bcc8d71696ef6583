"""Parts of the generator: break-even bids, exact decimals, stocks, expected winners, release."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fbacap_logic.calendar import Quarter
from fbacap_logic.units import place_within
from orchestration.simulation.bidding import break_even_fee, whole_minor
from orchestration.simulation.bids import Bids
from orchestration.simulation.capacity import plan_request_space, release
from orchestration.simulation.costume_shops import make_shops, shop_lines
from orchestration.simulation.demand import Demand, Lines
from orchestration.simulation.grants import expected_grants
from orchestration.simulation.horizon import Horizon, calendar_of
from orchestration.simulation.population import make_population
from orchestration.simulation.stock import Stock
from orchestration.simulation.streams import streams_of
from orchestration.simulation.writing import (
    ROW_GROUP_ROWS,
    TableWriter,
    decimals,
    write_input,
)

HORIZON = Horizon(Quarter(2025, 4), Quarter(2025, 4))
SCHEMA = pa.schema([("number", pa.int64()), ("amount", pa.decimal128(18, 2))])


@pytest.mark.parametrize("log_sd", [0.05, 0.3, 0.8, 1.5])
@pytest.mark.parametrize("margin", [0.02, 0.15, 0.5])
def test_at_the_break_even_fee_space_earns_on_average_what_it_costs(log_sd, margin):
    fee = break_even_fee(1_000.0, log_sd, margin, 0.15)
    normal = np.random.Generator(np.random.PCG64(1)).standard_normal(200_000)
    draws = np.r_[normal, -normal]  # antithetic
    sales = 1_000.0 * np.exp(log_sd * draws - log_sd**2 / 2)
    gain = margin * 1_000.0
    cost = np.maximum(0.0, fee - 0.15 * sales)
    error = cost.std() / np.sqrt(len(cost))
    assert cost.mean() == pytest.approx(gain, abs=max(4 * error, 0.02))


def test_the_break_even_fee_rises_with_sales_and_margin_and_falls_with_doubt():
    steps = np.linspace(0.05, 1.0, 20)
    assert (np.diff(break_even_fee(1_000 * steps, 0.5, 0.2)) > 0).all()
    assert (np.diff(break_even_fee(1_000, 0.5, steps)) > 0).all()
    assert (np.diff(break_even_fee(1_000, 1.5 * steps, 0.2)) < 0).all()
    assert (np.diff(break_even_fee(1_000, 0.5, 0.2, steps)) > 0).all()


def test_a_certain_seller_bids_margin_plus_credit_and_a_worthless_space_nothing():
    assert break_even_fee(1_000, 0, 0.2, 0.15) == pytest.approx(350)
    assert break_even_fee(1_000, 0.7, 0.2, 0.0) == pytest.approx(200)
    assert break_even_fee([1_000, 0], 0.5, [0.0, 0.2]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("bad", [-1.0, float("nan")])
def test_a_break_even_fee_of_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match="margin must be zero or more"):
        break_even_fee(1_000, 0.5, [0.1, bad])


def test_fees_are_cut_to_whole_minor_units_and_never_rounded_up():
    assert whole_minor(np.array([212.999, 213.0])).tolist() == [212, 213]


def test_decimals_are_exact_where_floats_are_not():
    units = [2**53 + 1, -(2**53) - 1, 0]
    assert [int(d.scaleb(2)) for d in decimals(units, pa.decimal128(18, 2)).to_pylist()] == units


def test_a_decimal_with_too_many_digits_is_refused():
    with pytest.raises(ValueError, match="more than 12 digits"):
        decimals([10**12], pa.decimal128(12, 6))


def test_bytes_do_not_depend_on_how_rows_were_cut_into_batches(tmp_path):
    rows = ROW_GROUP_ROWS + 5
    number = np.arange(rows)
    for name, cuts in (("a", [rows]), ("b", [7, ROW_GROUP_ROWS, rows])):
        with TableWriter(tmp_path / f"{name}.parquet", SCHEMA) as writer:
            start = 0
            for end in cuts:
                writer.append({"number": number[start:end], "amount": number[start:end]})
                start = end
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 2


def test_a_table_whose_writing_fails_is_not_there(tmp_path):
    def interrupted() -> None:
        with TableWriter(tmp_path / "t.parquet", SCHEMA) as writer:
            writer.append({"number": [1], "amount": [1]})
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_column_or_one_too_short_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"marketplaces.*currency"):
        write_input(tmp_path, "marketplaces", {"marketplace_id": ["US"], "received_at": [None]})
    since = np.array(["2020-01-01"], "datetime64[s]")
    columns = {"marketplace_id": ["US"], "currency": ["USD", "JPY"], "received_at": since}
    with pytest.raises(ValueError, match="same number of rows"):
        write_input(tmp_path, "marketplaces", columns)


def test_a_change_in_one_purposes_draws_shifts_no_other():
    first, second = streams_of(1), streams_of(1)
    first.population.random(999)
    assert first.demand.random() == second.demand.random()
    assert first.demand.random() != first.refunds.random()


def test_no_market_releases_a_milli_cubic_foot_too_much_or_too_little():
    kept = np.array([0, 1, 7, 101, 8_500_000, 2_194_939])
    parts = release(kept)
    assert parts.sum(axis=1).tolist() == kept.tolist()
    assert parts[-1].tolist() == [877_975, 548_735, 438_988, 329_241]


def test_space_for_requests_is_scarce_at_peak_and_ample_off_peak():
    asked, pool = np.array([100_000.0]), np.array([200_000])
    assert plan_request_space(asked, pool, Quarter(2025, 4))[0] < 100_000
    assert plan_request_space(asked, pool, Quarter(2025, 3))[0] > 100_000
    assert plan_request_space(0 * asked, pool, Quarter(2025, 3))[0] > 0


def test_the_shop_sells_its_quarters_lines_evenly_in_every_quarter():
    for quarter, lines in ((Quarter(2025, 4), 3_000), (Quarter(2024, 1), 2_500)):
        days = np.arange(quarter.first_day, quarter.next.first_day, dtype="datetime64[D]")
        counts = [shop_lines(day, Quarter(2025, 4)) for day in days]
        assert sum(counts) == lines
        assert max(counts) - min(counts) <= 1


def test_the_example_is_in_the_last_fourth_quarter_of_those_held():
    assert Horizon(Quarter(2024, 1), Quarter(2026, 2)).halloween_quarter == Quarter(2025, 4)
    assert Horizon(Quarter(2026, 1), Quarter(2026, 2)).halloween_quarter == Quarter(2026, 2)


def test_a_stock_never_sells_what_is_not_there_and_serves_the_first_line_first():
    stock = Stock(make_shops(HORIZON))
    stock.on_hand[:3] = [5, 2, 4]
    stock.stranded[2] = 3
    wanted = Lines(np.array([0, 0, 0, 1, 2, 2]), np.array([3, 3, 3, 1, 2, 2]))
    assert stock.sell(wanted).tolist() == [3, 2, 0, 1, 1, 0]
    assert stock.on_hand[:3].tolist() == [0, 1, 3]


def test_orders_never_take_a_seller_over_its_space_and_arrive_after_their_lead_time():
    shops = make_shops(HORIZON)
    stock = Stock(shops)
    space = np.full(len(shops.sellers.name), 100.0)
    stock.order(0, np.full(len(space), 1e6), space)
    assert (stock.used_ft3() == 100.0).all()
    stock.order(1, np.full(len(space), 1e6), space)
    assert (stock.used_ft3() == 100.0).all()
    for day in range(1, int(shops.products.lead_days.max()) + 1):
        stock.receive(day)
    assert stock.inbound.sum() == 0
    assert (stock.on_hand == 125).all()


def test_the_unlimited_world_holds_what_it_wants():
    shops = make_shops(HORIZON)
    stock = Stock(shops)
    stock.order(0, np.full(len(shops.products.name), 50.4), np.full(9, np.inf))
    assert (stock.inbound == 50).all()


def test_sellers_join_all_the_time_and_are_of_very_different_sizes():
    people = make_population(2_000, HORIZON, streams_of(1).population, make_shops(HORIZON))
    joined = people.sellers.joined_on
    by_year = [
        (joined.astype("datetime64[Y]") == np.datetime64(str(y))).sum() for y in (2024, 2025)
    ]
    assert min(by_year) > 100
    size = np.sort(people.seller_markets.units_per_day[:-9])
    assert size[-len(size) // 10 :].sum() > 0.4 * size.sum()
    assert len(people.sellers.name) == 2_000
    seller = people.seller_markets.seller[people.products.seller_market]
    assert (np.diff(seller) >= 0).all()
    assert (place_within(seller)[:-9] < 8).all()


def test_demand_peaks_in_the_fourth_quarter_and_is_nothing_before_joining():
    people = make_population(500, HORIZON, streams_of(1).population, make_shops(HORIZON))
    demand = Demand(people, HORIZON, streams_of(1).shocks)
    quiet, busy = (demand.units_per_day(np.datetime64(d)) for d in ("2025-08-10", "2025-12-01"))
    old = people.joined_on < np.datetime64("2025-01-01")
    assert busy[old].sum() > 1.2 * quiet[old].sum()
    absent = people.joined_on > np.datetime64("2025-08-10")
    assert absent.any()
    assert (quiet[absent] == 0).all()


def _bids(*rows: tuple[int, int, int, int, int, str, bool]) -> Bids:
    request, revision, fee, volume, least, day, gone = map(np.array, zip(*rows, strict=True))
    at = np.array(day, "datetime64[s]")
    step = np.ones(len(rows), dtype=np.int64)
    return Bids(request, request, step, revision, fee, volume, least, at, at, gone)


def test_expected_grants_go_to_the_highest_fee_and_the_rest_waits_for_later_rounds():
    calendar = calendar_of(Quarter(2025, 4))
    bids = _bids(
        (0, 1, 500, 60, 0, "2025-08-25", False),
        (1, 1, 400, 60, 0, "2025-08-25", False),
        (2, 1, 900, 50, 0, "2025-09-10", False),  # after round 1
        (3, 1, 300, 90, 80, "2025-08-25", False),  # would get less than its minimum
    )
    released = np.array([[100, 50, 40, 0]])
    grants = expected_grants(bids, np.zeros(4, dtype=np.int64), released, calendar)
    assert grants.tolist() == [[60, 40, 0, 0], [0, 0, 50, 0], [0, 20, 0, 0], [0, 0, 0, 0]]


def test_expected_grants_follow_revisions_and_withdrawals():
    calendar = calendar_of(Quarter(2025, 4))
    bids = _bids(
        (0, 1, 500, 60, 0, "2025-08-25", False),
        (0, 2, 500, 60, 0, "2025-08-26", True),
        (1, 1, 100, 60, 0, "2025-08-25", False),
        (1, 2, 700, 80, 0, "2025-09-04", False),
    )
    released = np.array([[10, 100, 0, 0]])
    grants = expected_grants(bids, np.zeros(2, dtype=np.int64), released, calendar)
    assert grants.sum(axis=0).tolist() == [0, 80]
    assert grants[0].tolist() == [0, 10]


def test_the_calendar_is_the_default_policys():
    assert calendar_of(Quarter(2025, 4)).announced_at.date() == date(2025, 8, 20)
