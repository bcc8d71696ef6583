"""``fbacap run`` and ``fbacap backfill``."""

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
    quarters_between,
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
    (summary,) = _run(folder, [(chosen, stages)], quiet=as_json)
    if as_json:
        print_json(summary)
    else:
        print_summary(console(), summary)
    superseded = summary["runs"][-1]["superseded"]
    if stage is not None and superseded:
        raise Superseded(superseded)


@app.command()
def backfill(
    first: Annotated[str, typer.Argument(metavar="FROM", help="The first quarter.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="The last quarter.")],
    data: Data = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Run every stage that is due of a range of quarters, each seeing only what it may know."""
    from orchestration.runner import choose_stages
    from orchestration.summary import print_summary

    folder, now = data_folder(data), moment(as_of)
    quarters = quarters_between(first, last)
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
