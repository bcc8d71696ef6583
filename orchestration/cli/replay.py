"""``fbacap replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.app import Data, Json, QuarterWord, app
from orchestration.cli.words import console, data_folder, print_json, progress_bar, quarter_of
from orchestration.errors import Differs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.replay import RunReplay


@app.command()
def replay(
    quarter: QuarterWord,
    run: Annotated[
        int | None, typer.Option("--run", help="Replay this published run only; default: all.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Keep what was made again in this new folder.", metavar="DIR"),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a quarter's published runs again from their manifests and compare every byte.

    Works in a scratch folder; nothing published changes. Ends with 1 when anything differs.
    """
    from orchestration.replay import replay_document, replay_quarter

    folder, chosen = data_folder(data), quarter_of(quarter)
    with progress_bar(chosen.label, quiet=as_json) as tell:
        replays = list(replay_quarter(folder, chosen, run=run, keep=out, progress=tell))
    if as_json:
        print_json(replay_document(chosen, replays))
    else:
        _print(replays)
    sentences = [each.sentence for each in replays if each.sentence]
    if sentences:
        raise Differs(
            f"{chosen.label} is not what it was published as: {sentences[0]}; compare the code "
            "versions, or restore the published files from a backup"
        )


def _print(replays: Sequence[RunReplay]) -> None:
    from rich.table import Table

    table = Table("run", "stage", "files", "rows", "verdict")
    for each in replays:
        same = sum(entry.is_same for entry in each.tables)
        rows = sum(entry.rows for entry in each.tables)
        table.add_row(
            str(each.run),
            each.stage,
            f"{same} of {len(each.tables)} the same",
            f"{rows:,}",
            "the same to the byte" if each.holds else "differs",
        )
    console().print(table)
    for warning in dict.fromkeys(each.warning for each in replays if each.warning):
        typer.echo(f"note: {warning}")
