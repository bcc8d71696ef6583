"""``fbacap calendar``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import AsOf, Data, Json, app
from orchestration.cli.words import console, existing_data_folder, moment, print_json, quarter_of
from orchestration.errors import BadUsage


@app.command()
def calendar(
    quarter: Annotated[
        str | None,
        typer.Argument(metavar="[QUARTER]", help="2026Q4; default: this quarter and the next."),
    ] = None,
    ics: Annotated[
        Path | None,
        typer.Option("--ics", metavar="FILE", help="Write the dates as an iCalendar file as well."),
    ] = None,
    data: Data = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show every date of a quarter: what is published, due or waiting, and what comes next."""
    from orchestration.schedule.ics import icalendar
    from orchestration.schedule.view import calendars_of, market_calendar, print_calendar

    folder = existing_data_folder(data)
    chosen = [] if quarter is None else [quarter_of(quarter)]
    view = market_calendar(folder, moment(as_of), chosen)
    if ics is not None:
        _write(ics, icalendar(calendars_of(folder, view)))
    if as_json:
        print_json(view)
    else:
        print_calendar(console(), view)


def _write(path: Path, text: str) -> None:
    try:
        path.write_bytes(text.encode())
    except OSError as error:
        raise BadUsage(
            f"{path} cannot be written: {error.strerror}; name a file in a folder that exists"
        ) from error
    typer.echo(f"wrote {path}", err=True)
