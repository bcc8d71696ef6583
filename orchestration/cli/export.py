"""``fbacap export ledger``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from orchestration.cli.app import Data, QuarterWord, app
from orchestration.cli.words import data_folder, quarter_of
from orchestration.errors import BadUsage

export_app = typer.Typer(
    name="export", help="Write published records for other programs.", no_args_is_help=True
)
app.add_typer(export_app)


@export_app.callback()
def export() -> None:
    """Write published records for other programs."""


@export_app.command()
def ledger(
    quarter: QuarterWord,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write; default: standard output.", metavar="FILE"),
    ] = None,
    run: Annotated[
        int | None, typer.Option("--run", help="This settlement run only, as its own deltas.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every settlement run (the default).")
    ] = False,
    ledger_format: Annotated[
        Literal["beancount", "csv"], typer.Option("--format", help="beancount, or csv.")
    ] = "beancount",
    data: Data = None,
) -> None:
    """Write the ledger of a quarter's settlement runs, each run's deltas as its postings.

    The beancount file asserts every account's balance; `bean-check FILE` verifies it.
    """
    from orchestration.ledger_export import ledger_text

    if every and run is not None:
        raise BadUsage("give --run or --all, not both")
    if out is not None and not out.resolve().parent.is_dir():
        raise BadUsage(f"{out.parent} is not a folder; make it, or name another file")
    pieces = ledger_text(data_folder(data), quarter_of(quarter), ledger_format, run=run)
    if out is None:
        for piece in pieces:
            typer.echo(piece, nl=False)
        return
    unfinished = out.with_name(f".{out.name}.part")
    with unfinished.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(pieces)
    unfinished.replace(out)
    typer.echo(str(out))
