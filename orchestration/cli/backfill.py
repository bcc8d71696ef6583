"""``fbacap backfill``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.app import AsOf, Data, Json, app
from orchestration.cli.words import console, data_folder, moment, print_json, quarters_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestration.backfill.loop import Backfill
    from orchestration.plan import StageOfQuarter


@app.command()
def backfill(
    first: Annotated[str, typer.Argument(metavar="FROM", help="The first quarter.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="The last quarter.")],
    parallel: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Stage runs to make at a time, each in a process of its own.",
            show_default="one a core, at most 4",
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Make every run again, also where nothing it reads changed."),
    ] = False,
    data: Data = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Run every stage that is due of a range of quarters, each seeing only what it may know.

    Ended or killed, the same command goes on where it stopped. A result that is published already
    is not published again; one that changed becomes a new run, and what changed is shown.
    """
    from orchestration.backfill.order import make_backfill, order_backfill
    from orchestration.backfill.text import backfill_rows, print_backfill

    folder = data_folder(data)
    quarters = quarters_between(first, last)
    order = order_backfill(folder, quarters, moment(as_of), parallel, again=again)
    try:
        with _progress(order.processes, quiet=as_json) as on_change:
            state = make_backfill(folder, order, on_change)
    except KeyboardInterrupt:
        typer.echo("fbacap: stopped; the same command goes on from here", err=True)
        raise SystemExit(130) from None
    documents = backfill_rows(folder, state, order.left_out)
    if as_json:
        print_json(documents)
    else:
        print_backfill(console(), documents)
    if state.failed:
        raise state.first_failure


@contextmanager
def _progress(processes: int, *, quiet: bool) -> Iterator[Callable[[Backfill], None]]:
    """A bar on a terminal, a line a stage run elsewhere, nothing when quiet."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from orchestration.backfill.text import progress_words, result_words

    errors = console(stderr=True)
    told: set[StageOfQuarter] = set()
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, TextColumn("{task.description}", markup=False),
        console=errors, disable=quiet or not errors.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("starting", total=None)

        def on_change(state: Backfill) -> None:
            words = progress_words(state, processes)
            settled, total = state.settled, len(state.graph.stages)
            bar.update(task, completed=len(settled), total=total, description=words)
            if not quiet and not errors.is_terminal:
                for node in sorted(settled - told):
                    line = f"{result_words(state, node)} ({len(settled)} of {total}; {words})"
                    typer.echo(line, err=True)
            told.update(settled)

        yield on_change
