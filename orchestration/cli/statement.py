"""``fbacap statement``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import Data, app
from orchestration.cli.explain import Marketplace
from orchestration.cli.words import data_folder, progress_bar, quarter_of
from orchestration.errors import BadUsage


@app.command()
def statement(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[SELLER] QUARTER",
            help="The seller's id and the quarter; with --all no seller.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="The .html or .csv file; with --all a new folder.")
    ],
    every: Annotated[bool, typer.Option("--all", help="Every seller of the quarter.")] = False,
    file_format: Annotated[
        str | None, typer.Option("--format", help="html or csv, with --all.", show_default="html")
    ] = None,
    marketplace: Marketplace = None,
    data: Data = None,
) -> None:
    """Write a seller's statement of a quarter as a web page to keep or print, or as CSV."""
    if len(words) != (1 if every else 2):
        raise BadUsage(
            "give a seller and a quarter: fbacap statement SELLER QUARTER --out FILE.html, or "
            "fbacap statement --all QUARTER --out FOLDER"
        )
    if every:
        if marketplace is not None:
            raise BadUsage("give --all or --marketplace, not both")
        _write_every(words[0], out, file_format or "html", data)
        return
    if file_format is not None:
        raise BadUsage("--format goes with --all; a single file's name says its format")
    from orchestration.statements.collect import seller_statement
    from orchestration.statements.writing import format_of, write_statement

    format_of(out)
    found = seller_statement(data_folder(data), quarter_of(words[1]), words[0], marketplace)
    write_statement(found, out)
    typer.echo(str(out))


def _write_every(quarter: str, folder: Path, file_format: str, data: Path | None) -> None:
    from orchestration.statements.writing import INDEX, WRITERS, write_every_statement

    if file_format not in WRITERS:
        raise BadUsage(f"'{file_format}' is not a format of statements; choose html or csv")
    chosen = quarter_of(quarter)
    with progress_bar(f"statements of {chosen.label}", quiet=False) as tell:
        written = write_every_statement(
            data_folder(data),
            chosen,
            folder,
            file_format,
            lambda done, of: tell(f"statement {done:,} of {of:,}", done / of),
        )
    typer.echo(f"{written:,} statements in {folder}; {INDEX} says which file is whose")
