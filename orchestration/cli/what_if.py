"""``fbacap what-if``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import Data, Json, QuarterWord, app
from orchestration.cli.words import console, data_folder, print_json, progress_bar, quarter_of


@app.command("what-if")
def what_if(
    quarter: QuarterWord,
    policy: Annotated[
        Path,
        typer.Option("--policy", help="A policy file; what it leaves out is the default."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Keep the comparison as CSV, and the data folder it was run in, in this new "
            "folder.",
            metavar="DIR",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(min=1, help="Sellers to show of each verdict and currency.")
    ] = 5,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Run a published quarter under another policy and show who gains and who loses.

    Works in a scratch folder; nothing published changes.
    """
    from orchestration.what_if import what_if as run_what_if
    from orchestration.what_if_comparison import compare, what_if_document

    folder, chosen = data_folder(data), quarter_of(quarter)
    with (
        progress_bar(chosen.label, quiet=as_json) as tell,
        run_what_if(folder, chosen, policy, keep=out, progress=tell) as tried,
        compare(tried) as comparison,
    ):
        if out is not None:
            comparison.write(out)
        if as_json:
            print_json(what_if_document(tried, comparison))
        else:
            from orchestration.what_if_text import print_what_if

            print_what_if(console(), tried, comparison, top=top)
