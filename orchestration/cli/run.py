"""``fbacap run`` and ``fbacap backfill``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.app import AsOf, Data, Json, QuarterWord, app
from orchestration.cli.words import console, data_folder, moment, print_json, quarter_of
from orchestration.errors import BadUsage

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
    """Run a quarter's stages that are due, in order, each with its own cut-off."""
    from orchestration.runner import choose_stages
    from orchestration.summary import print_summary

    folder, chosen = data_folder(data), quarter_of(quarter)
    stages = choose_stages(folder, chosen, stage, moment(as_of))
    (summary,) = _run(folder, [(chosen, stages)], quiet=as_json)
    if as_json:
        print_json(summary)
    else:
        print_summary(console(), summary)


@app.command()
def backfill(
    first: Annotated[str, typer.Argument(metavar="FROM", help="The first quarter.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="The last quarter.")],
    data: Data = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Run every stage that is due of a range of quarters, each seeing only what it may know."""
    from fbacap_logic.calendar import quarter_range
    from orchestration.runner import choose_stages
    from orchestration.summary import print_summary

    folder, now = data_folder(data), moment(as_of)
    try:
        quarters = quarter_range(quarter_of(first), quarter_of(last))
    except ValueError as error:
        raise BadUsage(str(error)) from error
    plan = [(quarter, choose_stages(folder, quarter, None, now)) for quarter in quarters]
    summaries = _run(folder, plan, quiet=as_json)
    if as_json:
        print_json(summaries)
        return
    for summary in summaries:
        print_summary(console(), summary)


def _run(
    data: DataFolder, plan: Sequence[tuple[Quarter, Sequence[StageCutoff]]], *, quiet: bool
) -> list[dict[str, Any]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from orchestration.runner import run_quarter
    from orchestration.summary import quarter_summary

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    summaries = []
    with Progress(
        *columns, TimeElapsedColumn(), console=console(stderr=True), disable=quiet
    ) as bar:
        task = bar.add_task("starting", total=sum(len(stages) for _, stages in plan))
        for quarter, stages in plan:
            outcomes = []
            bar.update(task, description=f"{quarter.label} {stages[0].name}")
            following = iter([*stages[1:], None])
            for outcome in run_quarter(data, quarter, stages):
                outcomes.append(outcome)
                after = next(following)
                if after is not None:
                    bar.update(task, description=f"{quarter.label} {after.name}")
                bar.advance(task)
            summaries.append(quarter_summary(data, quarter, outcomes))
    return summaries
