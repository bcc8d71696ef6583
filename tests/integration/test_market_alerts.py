"""The alerts' sensor, over a real landing zone: a stage run that waits too long is told of once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import dagster as dg
import pytest
from schedule_market import Deliveries

from orchestration.build import build_definitions
from orchestration.paths import DataFolder

NOW = datetime(2026, 8, 23, 1, tzinfo=UTC)


@pytest.fixture
def tick(tmp_path):
    """A tick of ``market_alerts``, for a market whose feeds have never come."""
    data = DataFolder(tmp_path / "data")
    deliveries = Deliveries(data, tmp_path / "deliveries")
    deliveries.catalogue(date(2026, 8, 1))
    deliveries.market(date(2026, 8, 2), date(2026, 10, 1))
    repository = build_definitions(data, clock=lambda: NOW).get_repository_def()
    with dg.DagsterInstance.ephemeral() as history:

        def evaluate():
            context = dg.build_sensor_context(instance=history, repository_def=repository)
            return repository.get_sensor_def("market_alerts").evaluate_tick(context)

        yield data, evaluate


def test_a_late_announcement_is_told_of_once(tick):
    data, evaluate = tick
    assert evaluate().skip_message == "1 alert sent"
    assert evaluate().skip_message == "nothing new to tell"
    (mark,) = (data.root / "alerts").glob("*.json")
    assert "late:2026Q4:announce" in mark.read_text()


def test_a_sink_that_fails_is_named_in_the_tick(tick):
    data, evaluate = tick
    text = "sinks: [{kind: webhook, name: on-call, url_from: A_VARIABLE_THAT_IS_NOT_SET}]"
    (data.root / "alerts.yaml").write_text(text)
    assert evaluate().skip_message == (
        "nothing new to tell; 1 not sent: on-call: the environment variable "
        "A_VARIABLE_THAT_IS_NOT_SET is not set"
    )
