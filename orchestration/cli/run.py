"""``fbacap run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.app import AsOf, Data, Json, QuarterWord, app
from orchestration.cli.words import (
    console,
    data_folder,
    moment,
    print_json,
    quarter_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbacap_logic.calendar import Quarter, StageCutoff
    from orchestration.paths import DataFolder


@app.command()
def run(
    quarter: QuarterWord,
    stage: Annotated[
        str | None,
        typer.Option(help="announce, round-1 …, preliminary, final or true-up; default: all due."),
    ] = None,
    data: Data = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Run a quarter's stages that are due, in order, each with its own cut-off.

    Ends with 9 when the one stage named would differ from what stands but a settlement that knows
    more was published since.
    """
    from orchestration.errors import Superseded
    from orchestration.runner import choose_stages
    from orchestration.summary import print_summary

    folder, chosen = data_folder(data), quarter_of(quarter)
    stages = choose_stages(folder, chosen, stage, moment(as_of))
    summary = _run(folder, chosen, stages, quiet=as_json)
    if as_json:
        print_json(summary)
    else:
        print_summary(console(), summary)
    superseded = summary["runs"][-1]["superseded"]
    if stage is not None and superseded:
        raise Superseded(superseded)


def _run(
    data: DataFolder, quarter: Quarter, stages: Sequence[StageCutoff], *, quiet: bool
) -> dict[str, Any]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from orchestration.runner import run_quarter
    from orchestration.summary import quarter_summary

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console(stderr=True), disable=quiet
    ) as bar:
        task = bar.add_task("starting", total=len(stages))

        def begin(stage: StageCutoff) -> None:
            bar.update(task, description=f"{quarter.label} {stage.name}")

        outcomes = []
        for outcome in run_quarter(data, quarter, stages, on_stage=begin):
            outcomes.append(outcome)
            bar.advance(task)
    return quarter_summary(data, quarter, outcomes)
