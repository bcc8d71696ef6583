"""What a backfill is to make of a range of quarters, and what it leaves out and says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fbacap_logic.calendar import Quarter, quarter_range
from orchestration.backfill.order import order_backfill
from orchestration.errors import BadUsage, NotPublished
from orchestration.landing import receive
from orchestration.paths import DataFolder

FIRST, GAP, LAST = quarter_range(Quarter(2025, 2), Quarter(2025, 4))
LATER = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def data(tmp_path) -> DataFolder:
    """Capacity has landed for the first and the last of three quarters."""
    folder = tmp_path / "delivery"
    folder.mkdir()
    rows = [f"US,standard,{quarter.label},1000.000,100.000" for quarter in (FIRST, LAST)]
    lines = ["marketplace_id,storage_type,quarter,network_ft3,request_ft3", *rows]
    (folder / "network_capacity.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = DataFolder(tmp_path / "data")
    receive(folder, data.landing, received_at=datetime(2025, 1, 1, tzinfo=UTC))
    return data


def test_a_quarter_without_capacity_is_left_out_and_holds_up_nothing(data):
    order = order_backfill(data, (FIRST, GAP, LAST), LATER)
    assert order.graph.quarters == (FIRST, LAST)
    assert set(order.left_out) == {GAP}
    assert "no network capacity has landed" in order.left_out[GAP]
    announce = order.graph.of_quarter(LAST)[0]
    assert {before.quarter for before in order.graph.waits_for[announce]} == {FIRST}


def test_a_quarter_to_come_is_left_out_and_the_others_are_made(data):
    order = order_backfill(data, (FIRST, LAST), datetime(2025, 6, 20, tzinfo=UTC))
    assert order.graph.quarters == (FIRST,)
    assert order.left_out == {LAST: "nothing of it is due: it is announced on 2025-08-20"}


def test_a_range_of_which_nothing_is_due_is_refused(data):
    with pytest.raises(BadUsage, match="nothing of 2025Q4 is due: it is announced on 2025-08-20"):
        order_backfill(data, (LAST,), datetime(2025, 6, 20, tzinfo=UTC))


def test_a_range_without_any_market_is_refused(data):
    with pytest.raises(NotPublished, match="nothing is known of 2025Q3: no network capacity"):
        order_backfill(data, (GAP,), LATER)
