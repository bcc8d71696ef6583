"""``fbacap daemon``."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.app import Data, app
from orchestration.cli.words import data_folder


@app.command()
def daemon(
    data: Data = None,
    schedule: Annotated[
        bool | None,
        typer.Option(
            "--schedule/--no-schedule",
            help="Run what the calendar makes due, and alert; default: as FBACAP_SCHEDULE says.",
        ),
    ] = None,
) -> None:
    """Launch queued and scheduled runs until it is stopped; listens on no port."""
    from orchestration.ui import run_daemon

    run_daemon(data_folder(data), schedule=schedule)
