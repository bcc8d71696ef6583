"""Words in and words out: reading what a user typed, printing what a command found.

Here belongs nothing about one command alone. Heavy imports stand inside the functions.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from orchestration.errors import BadUsage
from orchestration.paths import DATA_VARIABLE, DataFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from fbacap_logic.calendar import Quarter


def data_folder(data: Path | None) -> DataFolder:
    """The data folder that was named, or the environment's.

    Raises:
        BadUsage: there is something by that name that is no folder.
    """
    folder = DataFolder.from_environment() if data is None else DataFolder(data.resolve())
    if folder.root.exists() and not folder.root.is_dir():
        raise BadUsage(f"{folder.root} is a file; name a data folder with --data or FBACAP_DATA")
    os.environ[DATA_VARIABLE] = str(folder.root)  # what goes wrong from here on names it
    return folder


def existing_data_folder(data: Path | None) -> DataFolder:
    """The same, for a command that reads: a folder mistyped must not pass for an empty market.

    Raises:
        BadUsage: there is no such folder.
    """
    folder = data_folder(data)
    if not folder.root.exists():
        raise BadUsage(
            f"{folder.root} does not exist; name the data folder with --data or FBACAP_DATA, or "
            "make one with `fbacap ingest`"
        )
    return folder


def quarter_of(text: str) -> Quarter:
    """The quarter that was named.

    Raises:
        BadUsage: it is not a quarter.
    """
    from fbacap_logic.calendar import Quarter

    try:
        return Quarter.parse(text)
    except ValueError as error:
        raise BadUsage(str(error)) from error


def quarters_between(first: str, last: str) -> tuple[Quarter, ...]:
    """The quarters from the first named to the last named, both included.

    Raises:
        BadUsage: one is not a quarter, or the last comes before the first.
    """
    from fbacap_logic.calendar import quarter_range

    try:
        return quarter_range(quarter_of(first), quarter_of(last))
    except ValueError as error:
        raise BadUsage(str(error)) from error


def moment(as_of: str | None) -> datetime:
    """The instant to act at: the one that was named, or now.

    Raises:
        BadUsage: it is not a day.
    """
    from datetime import UTC, datetime

    from orchestration.runner import utc_now

    if as_of is None:
        return utc_now()
    try:
        day = datetime.fromisoformat(as_of)
    except ValueError as error:
        raise BadUsage(f"'{as_of}' is not a day; write it as 2026-10-01") from error
    return day.replace(tzinfo=UTC) if day.tzinfo is None else day.astimezone(UTC)


@contextmanager
def progress_bar(description: str, *, quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """A bar on the error stream; the callable takes what is being done and the share done."""
    from rich.progress import Progress

    with Progress(console=console(stderr=True), disable=quiet, transient=True) as progress:
        task = progress.add_task(description, total=1.0)
        yield lambda step, done: progress.update(task, description=step, completed=done)


def console(*, stderr: bool = False) -> Console:
    """Where people read. Received text cannot steer the terminal: its control codes are shown."""
    from rich.console import Console
    from rich.segment import Segment

    from orchestration.statements.words import visible

    class Plain(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                if segment.control or segment.text.isprintable() or segment.text == "\n":
                    yield segment
                else:
                    lines = "\n".join(map(visible, segment.text.split("\n")))
                    yield Segment(lines, segment.style)

    return Plain(stderr=stderr)


def print_json(value: object, *, ascii_only: bool = False) -> None:
    """One JSON document on standard output, for scripts.

    ``ascii_only`` writes out every other character, where a stranger may have chosen them.
    """
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=ascii_only))
