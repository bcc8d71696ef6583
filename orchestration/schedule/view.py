"""The schedule as people and scripts read it: ``fbacap calendar``.

Here belong plain rows and their text. What is due is ``due``; the iCalendar file is
``ics``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fbacap_logic.calendar import Quarter, QuarterCalendar
from orchestration.errors import BadConfiguration
from orchestration.paths import DataFolder
from orchestration.schedule.due import ScheduledStage, Situation, schedule
from orchestration.schedule.state import read_situation

if TYPE_CHECKING:
    from rich.console import Console

_OPEN = ("due", "running", "waiting", "failed")
_MOST_ELSEWHERE = 8


def market_calendar(
    data: DataFolder, now: datetime, asked: Sequence[Quarter] = ()
) -> dict[str, Any]:
    """The dates and states of quarters, what is open elsewhere, and what comes next.

    Args:
        data: the data folder.
        now: the instant (UTC).
        asked: the quarters; none: the one that ``now`` lies in and the next.

    Raises:
        BadConfiguration: no policy governs one of the quarters.
    """
    current = Quarter.containing(now.date())
    chosen = list(asked) or [current, current.next]
    situation, stages = _schedule(data, now, chosen)
    for quarter in chosen:
        if quarter not in situation.calendars:
            raise BadConfiguration(
                f"{data.policies}: no policy version governs {quarter.label}; add one"
            )
    elsewhere: dict[Quarter, ScheduledStage] = {}
    for entry in stages:
        if entry.node.quarter not in chosen and entry.state in _OPEN:
            elsewhere.setdefault(entry.node.quarter, entry)  # those after it wait for it
    coming = next((entry for entry in stages if entry.state == "to come"), None)
    return {
        "as_of": now.isoformat(timespec="seconds"),
        "quarters": [
            {
                "quarter": quarter.label,
                "stages": [_row(entry) for entry in stages if entry.node.quarter == quarter],
                "rounds": _rounds(situation.calendars[quarter]),
            }
            for quarter in chosen
        ],
        "elsewhere": [_row(entry) for entry in elsewhere.values()],
        "next": None if coming is None else _row(coming),
    }


def calendars_of(data: DataFolder, view: dict[str, Any]) -> list[QuarterCalendar]:
    """The calendars of the quarters that a view shows."""
    from orchestration.policies import policy_for

    quarters = [Quarter.parse(entry["quarter"]) for entry in view["quarters"]]
    return [policy_for(data.policies, quarter).calendar_of(quarter) for quarter in quarters]


def print_calendar(console: Console, view: dict[str, Any]) -> None:
    """Print a view: a table a quarter, then what is open elsewhere and what comes next."""
    from rich.table import Table
    from rich.text import Text

    for quarter in view["quarters"]:
        table = Table(title=f"{quarter['quarter']} (cut-offs at 00:00 UTC)", title_justify="left")
        for heading in ("stage", "cut-off", "state"):
            table.add_column(heading, no_wrap=True)
        table.add_column("more", overflow="fold")
        for row in quarter["stages"]:
            table.add_row(row["stage"], row["cut_off"][:10], _state(row), Text(_more(row)))
        console.print(table)
        for window in quarter["rounds"]:
            console.print(
                f"sellers, round {window['round']}: requests received before "
                f"{window['closes_at'][:10]} 00:00 UTC; space from {window['in_force_from']} "
                f"to {window['in_force_to']}",
                highlight=False,
                soft_wrap=True,
            )
    for row in view["elsewhere"][:_MOST_ELSEWHERE]:
        told = f"{row['quarter']} {row['stage']} ({row['cut_off'][:10]}) is {_state(row)}"
        more = _more(row)
        console.print(Text(f"{told}: {more}" if more else told), soft_wrap=True)
    if len(view["elsewhere"]) > _MOST_ELSEWHERE:
        console.print(f"… and {len(view['elsewhere']) - _MOST_ELSEWHERE} more: fbacap status")
    if view["next"]:
        row = view["next"]
        console.print(
            f"next: {row['quarter']} {row['stage']} on {row['cut_off'][:10]}",
            highlight=False,
            soft_wrap=True,
        )


def _schedule(
    data: DataFolder, now: datetime, asked: Sequence[Quarter]
) -> tuple[Situation, tuple[ScheduledStage, ...]]:
    """The schedule; the history of runs, slow to open, is read only when something is open."""
    situation = read_situation(data, None, now, asked)
    stages = schedule(situation)
    is_open = any(entry.state in _OPEN for entry in stages)
    if not is_open:
        return situation, stages
    from orchestration.instance import CONFIGURATION, dagster_home, instance

    if not (dagster_home(data) / CONFIGURATION).exists():
        return situation, stages

    with instance(data) as history:
        situation = read_situation(data, history, now, asked)
        return situation, schedule(situation)


def _row(entry: ScheduledStage) -> dict[str, Any]:
    return {
        "quarter": entry.node.quarter.label,
        "stage": entry.node.stage,
        "cut_off": entry.cutoff.cutoff_at.isoformat(),
        "state": entry.state,
        "run": entry.run,
        "attempt": entry.attempt,
        "told": list(entry.sentences),
    }


def _rounds(calendar: QuarterCalendar) -> list[dict[str, Any]]:
    return [
        {
            "round": window.round,
            "closes_at": window.closes_at.isoformat(),
            "in_force_from": window.in_force_from.isoformat(),
            "in_force_to": window.in_force_to.isoformat(),
        }
        for window in calendar.rounds
    ]


def _state(row: dict[str, Any]) -> str:
    return f"run {row['run']}" if row["state"] == "published" else str(row["state"])


def _more(row: dict[str, Any]) -> str:
    return "; ".join(row["told"])
