"""A market that exists in dates only: what is delivered when, and runs that end as they are told.

Here belongs what the simulated years are made of. Real are the landing zone and its deliveries, the
policy, the sensor and its ticks, Dagster's instance and its runs; a run's work is represented by
the manifest that it would have published.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.definitions.run_request import RunRequest
from dagster._core.test_utils import create_run_for_test
from failed_steps import fail_in_a_step

from fbacap_logic.calendar import Quarter
from orchestration.landing import receive
from orchestration.paths import DataFolder
from orchestration.stage_run import STAGE_TAG

SELLER = {"marketplace_id": "us", "seller_id": "s1"}
MARKET = {"marketplace_id": "us", "storage_type": "standard"}
STAGES = (
    "announce", "round-1", "round-2", "round-3", "round-4", "preliminary", "final", "true-up",
)  # fmt: skip


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


class Deliveries:
    """Puts files into a landing zone, as received at noon of a day."""

    def __init__(self, data: DataFolder, folder: Path) -> None:
        self._data, self._folder, self._count = data, folder, 0

    def deliver(self, day: date, **tables: Sequence[Mapping[str, object]]) -> None:
        self._count += 1
        folder = self._folder / f"{self._count:04d}"
        folder.mkdir(parents=True)
        for table, rows in tables.items():
            with (folder / f"{table}.csv").open("w", newline="") as stream:
                writer = csv.DictWriter(stream, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        receive(folder, self._data.landing, received_at=noon(day))

    def catalogue(self, day: date) -> None:
        self.deliver(
            day,
            marketplaces=[{"marketplace_id": "us", "currency": "USD"}],
            sellers=[{**SELLER, "account_type": "professional", "joined_on": "2020-01-01"}],
            products=[{**SELLER, "sku": "a", "storage_type": "standard", "unit_volume_ft3": "0.5"}],
        )

    def market(self, day: date, first_day: date, rounds: Sequence[int] = (1, 2, 3, 4)) -> None:
        quarter = {**MARKET, "quarter": first_day.isoformat()}
        self.deliver(
            day,
            network_capacity=[{**quarter, "network_ft3": "1000", "request_ft3": "400"}],
            round_supply=[{**quarter, "round": number, "released_ft3": "100"} for number in rounds],
        )

    def feeds(self, day: date, received: date | None = None) -> None:
        """One order line and one snapshot of the day before, received that day or on another."""
        at = noon(received or day).replace(tzinfo=None).isoformat()
        eve = (day - timedelta(days=1)).isoformat()
        line = {"order_line_id": f"o-{day}", **SELLER, "sku": "a", "ordered_at": f"{eve}T10:00:00"}
        stock = {"snapshot_date": eve, **SELLER, "sku": "a"}
        units = {"on_hand_units": 5, "inbound_units": 0, "stranded_units": 0}
        self.deliver(
            day,
            order_lines=[{**line, "units": 1, "revenue": "10.00", "received_at": at}],
            inventory_snapshots=[{**stock, **units, "received_at": at}],
        )

    def request(self, day: date, first_day: date, received: date) -> None:
        at = noon(received).replace(tzinfo=None).isoformat()
        ask = {"max_fee_per_ft3": "1.00", "requested_ft3": "10.000"}
        when = {"submitted_at": at, "withdrawn": "false", "received_at": at}
        quarter = {**SELLER, "storage_type": "standard", "quarter": first_day.isoformat()}
        key = {"request_id": f"r-{day}", "revision": 1}
        self.deliver(day, capacity_requests=[{**key, **quarter, **ask, **when}])


class Runs:
    """Dagster runs of a real instance, made from a sensor's requests, that end as they are told."""

    def __init__(self, data: DataFolder, instance: dg.DagsterInstance) -> None:
        self._data, self._instance = data, instance

    def launch(self, request: RunRequest) -> dg.DagsterRun:
        run = create_run_for_test(
            self._instance,
            job_name=request.job_name,
            tags={**request.tags, "dagster/run_key": request.run_key},
            status=dg.DagsterRunStatus.NOT_STARTED,
        )
        event = dg.DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, run.job_name)
        self._instance.report_dagster_event(event, run.run_id)
        return run

    def succeed(self, run: dg.DagsterRun) -> None:
        self._publish(Quarter.parse(run.tags["dagster/partition"]), run.tags[STAGE_TAG])
        event = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name)
        self._instance.report_dagster_event(event, run.run_id)

    def fail(self, run: dg.DagsterRun) -> None:
        """As a run ends whose step raises an error."""
        fail_in_a_step(self._instance, run, "ContractBroken", "a request names no seller")

    def start(self, run: dg.DagsterRun) -> None:
        event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name)
        self._instance.report_dagster_event(event, run.run_id)

    def _publish(self, quarter: Quarter, stage: str) -> None:
        folder = self._data.published / "_manifests" / f"quarter={quarter.key}"
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("run=*.json"))) + 1
        manifest = {
            "run": number,
            "stage": stage,
            "stage_kind": "",
            "cutoff_at": "2026-08-20T00:00:00+00:00",
            "tables": {},
        }
        (folder / f"run={number:04d}.json").write_text(json.dumps(manifest))
