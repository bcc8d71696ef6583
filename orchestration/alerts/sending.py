"""Sending what is pending: every alert once to every sink.

Here belong the record of what was sent, and reading what there is to tell of. What is sent is
recorded after it got through: should the process die in between, it is sent again. How long one
that did not get through is left alone is ``waiting``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fbacap_logic.calendar import Quarter
from orchestration.alerts.configuration import FILE_NAME, Sink, load_alerts
from orchestration.alerts.messages import (
    Alert,
    alert_for_testing,
    blocked_alert,
    failed_alert,
    late_alerts,
)
from orchestration.alerts.sinks import AlertRefused, PartlyTaken, SinkFailed, send
from orchestration.alerts.waiting import Waits
from orchestration.errors import BadConfiguration, FbacapError
from orchestration.paths import DataFolder
from orchestration.schedule.due import schedule
from orchestration.schedule.state import read_situation

if TYPE_CHECKING:
    import dagster as dg

_MOST_A_TICK = 20


@dataclass(frozen=True)
class Sent:
    """What one look at the market sent.

    Attributes:
        sent: how many alerts got through, counted by sink.
        logged: the lines of sinks that log.
        failures: why others did not get through, a sentence each.
    """

    sent: int
    logged: tuple[str, ...]
    failures: tuple[str, ...]

    @property
    def summary(self) -> str:
        """In a sentence."""
        noun = "alert" if self.sent == 1 else "alerts"
        told = f"{self.sent} {noun} sent" if self.sent else "nothing new to tell"
        if self.failures:
            told += f"; {len(self.failures)} not sent: {'; '.join(self.failures)}"
        return told


def send_pending(data: DataFolder, instance: dg.DagsterInstance, now: datetime) -> Sent:
    """Send every alert that a sink has not had.

    Raises:
        BadConfiguration: ``alerts.yaml`` cannot be understood.
    """
    configuration = load_alerts(data.root / FILE_NAME)
    alerts = _failed_runs(instance, now - timedelta(days=configuration.failures_of_days))
    try:
        stages = schedule(read_situation(data, instance, now))
    except FbacapError as error:
        alerts.append(blocked_alert(str(error)))
    else:
        alerts += late_alerts(stages, now, configuration.late_after_days)
    return _send(data, configuration.sinks, alerts, now)


def send_test(data: DataFolder, now: datetime) -> Sent:
    """Send a test alert to every sink.

    Raises:
        BadConfiguration: ``alerts.yaml`` cannot be understood.
    """
    configuration = load_alerts(data.root / FILE_NAME)
    tests = [alert_for_testing(now)]
    return _send(data, configuration.sinks, tests, now, heeds_waits=False)


def _send(
    data: DataFolder,
    sinks: Iterable[Sink],
    alerts: Iterable[Alert],
    now: datetime,
    *,
    heeds_waits: bool = True,
) -> Sent:
    waits = Waits(_folder(data), data.root / FILE_NAME)
    logged: list[str] = []
    failures: list[str] = []
    sent = 0
    failing: set[str] = set()
    for sink, alert in [(sink, alert) for alert in alerts for sink in sinks]:
        if sent == _MOST_A_TICK:
            break
        if sink.name in failing or _was_sent(data, sink, alert):
            continue
        of_sink, of_alert = (sink.name,), (sink.name, alert.key)
        if heeds_waits and (wait := waits.of(*of_sink)) and wait.until > now:
            failing.add(sink.name)
            failures.append(wait.sentence)
            continue
        if heeds_waits and (wait := waits.of(*of_alert)) and wait.until > now:
            failures.append(wait.sentence)
            continue
        try:
            line = send(sink, alert)
        except AlertRefused as error:
            told = f"{error} to '{alert.title}'"
            waits.end(*of_sink)
            waits.put_off(of_alert, now, told)
            failures.append(told)
            continue
        except PartlyTaken as error:  # offered again, it would reach those who have it twice
            line = None
            failures.append(str(error))
        except (SinkFailed, BadConfiguration) as error:
            if isinstance(error, SinkFailed):  # a wrong setting is seen without asking the network
                waits.put_off(of_sink, now, str(error))
            failing.add(sink.name)
            failures.append(str(error))
            continue
        if line is not None:
            logged.append(line)
        _record(data, sink, alert)
        waits.end(*of_sink)
        waits.end(*of_alert)
        sent += 1
    return Sent(sent, tuple(logged), tuple(failures))


def _failed_runs(instance: dg.DagsterInstance, since: datetime) -> list[Alert]:
    import dagster as dg

    from orchestration.outcome import failure_sentence
    from orchestration.schedule.tries import PARTITION_TAG
    from orchestration.stage_run import STAGE_TAG

    records = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
    )
    found = []
    for record in reversed(records):  # oldest first
        run = record.dagster_run
        if STAGE_TAG in run.tags and PARTITION_TAG in run.tags:
            quarter, stage = Quarter.parse(run.tags[PARTITION_TAG]).label, run.tags[STAGE_TAG]
            sentence = failure_sentence(instance, run.run_id, f"{quarter} {stage}")
            found.append(failed_alert(run.run_id, quarter, stage, sentence))
    return found


def _was_sent(data: DataFolder, sink: Sink, alert: Alert) -> bool:
    return _mark(data, sink, alert).exists()


def _record(data: DataFolder, sink: Sink, alert: Alert) -> None:
    path = _mark(data, sink, alert)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = json.dumps({"sink": sink.name, "key": alert.key, "title": alert.title})
    temporary = path.with_suffix(".tmp")
    temporary.write_text(f"{document}\n", encoding="utf-8")
    temporary.replace(path)


def _mark(data: DataFolder, sink: Sink, alert: Alert) -> Path:
    digest = hashlib.sha256(f"{sink.name}\0{alert.key}".encode()).hexdigest()[:32]
    return _folder(data) / f"{digest}.json"


def _folder(data: DataFolder) -> Path:
    return data.root / "alerts"
