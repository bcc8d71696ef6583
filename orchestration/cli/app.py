"""The command line's root: its name, its help, and the options that several commands share.

Here belongs nothing that a command does; each command has a file of its own beside this one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="fbacap",
    help="Run a marketplace's quarterly capacity market: from order lines to settlements.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="FBACAP_DATA", help="Data folder.", show_default="./data"),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for scripts.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="Pretend that it is this UTC day (2026-10-01); default: now."),
]
QuarterWord = Annotated[str, typer.Argument(metavar="QUARTER", help="2026Q4 or 2026-10-01.")]
