"""The command line: ``fbacap COMMAND``, a file a command.

Here belong words in and words out; what a command does is in the module it calls. Heavy imports
stand inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import typer

from orchestration.cli import (
    backtest,
    curve,
    explain,
    export,
    generate,
    ingest,
    replay,
    rerun,
    run,
    sql,
    statement,
    status,
    ui,
    verify,
    what_if,
)
from orchestration.cli.app import app
from orchestration.errors import FbacapError

__all__ = [
    "app",
    "backtest",
    "curve",
    "explain",
    "export",
    "generate",
    "ingest",
    "main",
    "replay",
    "rerun",
    "run",
    "sql",
    "statement",
    "status",
    "ui",
    "verify",
    "what_if",
]


def main() -> None:
    """Run the command line; an explained failure prints one sentence and its own exit code."""
    try:
        app()
    except FbacapError as error:
        typer.echo(f"fbacap: {error}", err=True)
        raise SystemExit(error.exit_code) from error
