"""``fbacap rerun``."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.app import AsOf, Data, Json, QuarterWord, app
from orchestration.cli.words import console, data_folder, moment, print_json, quarter_of


@app.command()
def rerun(
    quarter: QuarterWord,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; kept in the manifest, for ever.", metavar="TEXT")
    ],
    cut_off: Annotated[
        str | None,
        typer.Option(
            "--cut-off",
            help="Only what was received before this UTC day counts; default: now, or --as-of.",
        ),
    ] = None,
    data: Data = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Settle a quarter again with what was received since, for a stated reason.

    A new run with its own cut-off; its ledger posts the difference to the latest settlement run.
    """
    from orchestration.runner import rerun_quarter
    from orchestration.summary import print_summary, quarter_summary

    folder, chosen, now = data_folder(data), quarter_of(quarter), moment(as_of)
    outcome = rerun_quarter(
        folder, chosen, reason, now if cut_off is None else moment(cut_off), now
    )
    summary = quarter_summary(folder, chosen, [outcome])
    if as_json:
        print_json(summary)
        return
    print_summary(console(), summary)
    if not outcome.is_new:
        published = outcome.published
        typer.echo(
            f"nothing has changed since run {published.run} ({published.stage}), so no run was "
            "published"
        )
