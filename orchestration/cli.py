"""The command line. Heavy imports stand inside the commands, so that ``--help`` answers at once.

Here belong words in and words out; what a command does is in the module it calls.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from orchestration.errors import BadUsage, FbacapError
from orchestration.paths import DataFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console

    from fbacap_logic.calendar import Quarter, StageCutoff

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


@app.command()
def ingest(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="[olist] DIR",
            help="Folder with <table>.csv or <table>.parquet files (or folders of them); "
            "with the word olist before it, a folder with the Olist marketplace's files.",
        ),
    ],
    historical: Annotated[
        bool,
        typer.Option(
            "--historical",
            help="Rows without received_at count as received when they happened, not now, so that "
            "past quarters can be run.",
        ),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take a delivery of input files into the landing zone, all of it or nothing."""
    from orchestration.ingest import delivery_summary, ingest_folder, print_delivery

    folder, kind = _source(source)
    with _progress_bar(f"reading {folder}", quiet=as_json) as tell:
        delivery = ingest_folder(
            _data(data), folder, kind=kind, historical=historical, progress=tell
        )
    if as_json:
        _print_json(delivery_summary(delivery))
    else:
        print_delivery(_console(), delivery)


@app.command()
def generate(
    directory: Annotated[Path, typer.Argument(help="Folder to write the input tables to.")],
    sellers: Annotated[int, typer.Option(min=50, help="Number of sellers.")] = 300,
    quarters: Annotated[int, typer.Option(min=1, help="Quarters in which the market is held.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 1,
    last: Annotated[str, typer.Option(help="The last of those quarters.")] = "2025Q4",
) -> None:
    """Write a simulated marketplace: two years of history, then quarters with a market."""
    from orchestration.simulation import generate as generate_marketplace

    summary = generate_marketplace(
        directory, sellers=sellers, quarters=quarters, seed=seed, last_quarter=_quarter(last)
    )
    for table, rows in summary.rows.items():
        typer.echo(f"{table:<22}{rows:>12,} rows")
    typer.echo(f"take it in: fbacap ingest {directory} --historical")


@app.command()
def run(
    quarter: Annotated[str, typer.Argument(help="2026Q4 or 2026-10-01.")],
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

    folder, chosen = _data(data), _quarter(quarter)
    stages = choose_stages(folder, chosen, stage, _now(as_of))
    (summary,) = _run(folder, [(chosen, stages)], quiet=as_json)
    if as_json:
        _print_json(summary)
    else:
        print_summary(_console(), summary)


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

    folder, now = _data(data), _now(as_of)
    try:
        quarters = quarter_range(_quarter(first), _quarter(last))
    except ValueError as error:
        raise BadUsage(str(error)) from error
    plan = [(quarter, choose_stages(folder, quarter, None, now)) for quarter in quarters]
    summaries = _run(folder, plan, quiet=as_json)
    if as_json:
        _print_json(summaries)
        return
    for summary in summaries:
        print_summary(_console(), summary)


@app.command()
def status(data: Data = None, as_of: AsOf = None, as_json: Json = False) -> None:
    """Show every quarter: what has been published, what is due, what comes next."""
    from orchestration.status import print_status, quarter_status

    rows = quarter_status(_data(data), _now(as_of))
    if as_json:
        _print_json(rows)
    else:
        print_status(_console(), rows)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT over the published tables.")],
    data: Data = None,
    as_json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Query the published tables of all quarters, read-only.

    Each table shows the run that holds now; all_runs.<table> shows every run, runs tells which.
    """
    from orchestration.catalogue import query as run_query

    columns, rows = run_query(_data(data), query)
    if as_json:
        _print_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif csv:
        from orchestration.export import csv_text

        typer.echo(csv_text(columns, rows), nl=False)
    else:
        from rich.table import Column, Table
        from rich.text import Text

        table = Table(*(Column(Text(column), overflow="fold") for column in columns))
        for row in rows:
            table.add_row(*(Text("" if value is None else str(value)) for value in row))
        _console().print(table)


@app.command()
def ui(
    data: Data = None,
    port: Annotated[int, typer.Option(help="Port on loopback.")] = 3000,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Refuse launches and changes, for auditors.")
    ] = False,
) -> None:
    """Open the lineage UI on this machine (loopback only)."""
    from orchestration.ui import serve

    serve(_data(data), port=port, read_only=read_only)


def main() -> None:
    """Run the command line; an explained failure prints one sentence and its own exit code."""
    try:
        app()
    except FbacapError as error:
        _fail(error)


def _run(
    data: DataFolder, plan: Sequence[tuple[Quarter, Sequence[StageCutoff]]], *, quiet: bool
) -> list[dict[str, Any]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from orchestration.runner import run_quarter
    from orchestration.summary import quarter_summary

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = _console(stderr=True)
    summaries = []
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=quiet) as bar:
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


def _progress_bar(description: str, *, quiet: bool) -> Any:
    from contextlib import contextmanager

    from rich.progress import Progress

    @contextmanager
    def bar() -> Any:
        with Progress(console=_console(stderr=True), disable=quiet, transient=True) as progress:
            task = progress.add_task(description, total=1.0)
            yield lambda step, done: progress.update(task, description=step, completed=done)

    return bar()


def _data(data: Path | None) -> DataFolder:
    return DataFolder.from_environment() if data is None else DataFolder(data.resolve())


def _quarter(text: str) -> Quarter:
    from fbacap_logic.calendar import Quarter

    try:
        return Quarter.parse(text)
    except ValueError as error:
        raise BadUsage(str(error)) from error


def _now(as_of: str | None) -> datetime:
    from datetime import UTC, datetime

    from orchestration.runner import utc_now

    if as_of is None:
        return utc_now()
    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError as error:
        raise BadUsage(f"'{as_of}' is not a day; write it as 2026-10-01") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _source(words: list[str]) -> tuple[Path, str]:
    kind = "olist" if len(words) == 2 and words[0] == "olist" else "tables"
    if len(words) != (2 if kind == "olist" else 1):
        raise BadUsage("give one folder: fbacap ingest DIR, or fbacap ingest olist DIR")
    folder = Path(words[-1])
    if not folder.is_dir():
        raise BadUsage(f"{folder} is not a folder; give the folder that holds the input files")
    return folder, kind


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def _fail(error: FbacapError) -> NoReturn:
    typer.echo(f"fbacap: {error}", err=True)
    raise SystemExit(error.exit_code)
