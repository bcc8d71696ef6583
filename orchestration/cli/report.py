"""``fbacap report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import Data, Json, QuarterWord, app
from orchestration.cli.words import data_folder, print_json, quarter_of


@app.command()
def report(
    quarter: QuarterWord,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file.", show_default="DATA/reports/QUARTER.html"),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="First verify what stands published, some seconds a quarter."
        ),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write a quarter's report: one web page, from headline figures down to file hashes.

    For operator and auditor: it names sellers. A quarter half way through gives what there is and
    says what comes when. Settlement runs write it by themselves.
    """
    from orchestration.report.making import make_report, verify_for_report

    folder, chosen = data_folder(data), quarter_of(quarter)
    if verify:
        verify_for_report(folder, chosen)
    made = make_report(folder, chosen, out)
    if as_json:
        print_json(made.as_document())
    else:
        typer.echo(str(made.path))
