"""A quarter's dates as an iCalendar file (RFC 5545), for the calendars that people keep.

Here belongs its text: the same calendar gives the same bytes, so no event carries a clock's time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fbacap_logic.calendar import QuarterCalendar, StageCutoff

_MOST_OCTETS = 75


def icalendar(calendars: Iterable[QuarterCalendar]) -> str:
    """One event a stage run, at its cut-off.

    ``DTSTAMP``, which the standard demands, is the quarter's announcement.

    >>> from fbacap_logic.calendar import Quarter
    >>> from fbacap_logic.policy import Policy
    >>> text = icalendar([Policy().calendar_of(Quarter(2026, 4))])
    >>> [line for line in text.splitlines() if line.startswith("DTSTART")][:2]
    ['DTSTART:20260820T000000Z', 'DTSTART:20260903T000000Z']
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//fbacap//capacity market//EN"]
    lines.append("CALSCALE:GREGORIAN")
    for calendar in calendars:
        for stage in calendar.stages:
            lines += _event(calendar, stage)
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _event(calendar: QuarterCalendar, stage: StageCutoff) -> list[str]:
    label = calendar.quarter.label
    return [
        "BEGIN:VEVENT",
        f"UID:{label}-{stage.name}@fbacap",
        f"DTSTAMP:{_instant(calendar.announced_at)}",
        f"DTSTART:{_instant(stage.cutoff_at)}",
        f"SUMMARY:{_escaped(_summary(label, stage))}",
        f"DESCRIPTION:{_escaped(_description(calendar, stage))}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _summary(label: str, stage: StageCutoff) -> str:
    if stage.kind == "announce":
        return f"{label} base allocations announced"
    if stage.kind == "round":
        return f"{label} round {stage.round} closes"
    return f"{label} {stage.name} settlement"


def _description(calendar: QuarterCalendar, stage: StageCutoff) -> str:
    if stage.kind == "round":
        window = next(window for window in calendar.rounds if window.round == stage.round)
        return (
            "Requests received before this instant take part; space won is in force from "
            f"{window.in_force_from.isoformat()} to {window.in_force_to.isoformat()}."
        )
    return "Only what was received before this instant counts."


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    r"""Text as the standard writes it.

    >>> _escaped("a, b; c")
    'a\\, b\\; c'
    """
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """A line in pieces of at most 75 octets, each but the first led by a space."""
    pieces, piece = [], ""
    for character in line:
        if len(f"{piece}{character}".encode()) > _MOST_OCTETS:
            pieces.append(piece)
            piece = " "
        piece += character
    return "\r\n".join([*pieces, piece])
