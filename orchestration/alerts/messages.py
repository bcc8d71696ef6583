"""Which alerts there are at an instant: late stage runs, failed runs, a schedule that is blocked.

Here belong what an alert says and the key that tells it from every other, pure. Sending it once is
``sending``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestration.schedule.due import ScheduledStage


@dataclass(frozen=True)
class Alert:
    """Something the operator is told once.

    ``key``: what it is about; the same key is never sent twice to a sink. ``title`` and ``text``:
    one line, and sentences. ``quarter`` and ``stage``: as labels; empty for a test.
    """

    key: str
    kind: str
    title: str
    text: str
    quarter: str = ""
    stage: str = ""

    @property
    def document(self) -> dict[str, str]:
        """As webhooks post it."""
        return {
            "source": "fbacap",
            "key": self.key,
            "kind": self.kind,
            "title": self.title,
            "text": self.text,
            "quarter": self.quarter,
            "stage": self.stage,
        }


def late_alerts(
    stages: Iterable[ScheduledStage], now: datetime, late_after_days: int
) -> list[Alert]:
    """One for every stage run whose cut-off is days past and that is not published.

    A stage run that waits for the one before it in its quarter is not told of: that one is.
    """
    found = []
    told: set[str] = set()
    for entry in stages:
        node = entry.node
        overdue = now - entry.cutoff.cutoff_at
        if entry.state not in ("due", "waiting", "failed", "running"):
            continue
        if overdue <= timedelta(days=late_after_days) or node.quarter.label in told:
            continue
        told.add(node.quarter.label)
        why = "; ".join(entry.sentences) or _WHY[entry.state]
        cut_off = entry.cutoff.cutoff_at.date().isoformat()
        found.append(
            Alert(
                key=f"late:{node.quarter.label}:{node.stage}",
                kind="late",
                title=f"{node.label} is late",
                text=(
                    f"{node.label} has been due since {cut_off} and is not published: {why}. "
                    "`fbacap calendar` shows what everything waits for."
                ),
                quarter=node.quarter.label,
                stage=node.stage,
            )
        )
    return found


def failed_alert(run_id: str, quarter: str, stage: str, sentence: str) -> Alert:
    """The alert about one failed run."""
    return Alert(
        key=f"failed:{run_id}",
        kind="failed",
        title=f"{quarter} {stage} failed",
        text=f"{sentence} (run {run_id}). It is not published.",
        quarter=quarter,
        stage=stage,
    )


def blocked_alert(sentence: str) -> Alert:
    """The alert about a fault that keeps the schedule from being read at all."""
    digest = hashlib.sha256(sentence.encode()).hexdigest()[:16]
    return Alert(
        key=f"blocked:{digest}",
        kind="blocked",
        title="the schedule is blocked",
        text=f"{sentence}. Nothing is launched until that is mended.",
    )


def alert_for_testing(now: datetime) -> Alert:
    """An alert that says it is a test."""
    at = now.isoformat(timespec="seconds")
    return Alert(
        key=f"test:{at}",
        kind="test",
        title="fbacap test alert",
        text=f"This is a test, sent at {at}. Nothing has happened.",
    )


_WHY = {
    "due": "it has not been launched; is the daemon running?",
    "running": "its run has not ended",
    "waiting": "it waits",
    "failed": "it failed",
}
