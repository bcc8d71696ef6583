"""The command line: ``fbacap COMMAND``, a file a command.

Here belong words in and words out; what a command does is in the module it calls. Heavy imports
stand inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import typer
from typer.models import CommandInfo

from orchestration.cli import (
    alerts,
    backfill,
    backtest,
    calendar,
    curve,
    daemon,
    evaluate_attribution,
    evidence,
    explain,
    export,
    generate,
    ingest,
    lineage,
    quarantine,
    replay,
    report,
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
    "alerts",
    "app",
    "backfill",
    "backtest",
    "calendar",
    "curve",
    "daemon",
    "evaluate_attribution",
    "evidence",
    "explain",
    "export",
    "generate",
    "ingest",
    "lineage",
    "main",
    "quarantine",
    "replay",
    "report",
    "rerun",
    "run",
    "sql",
    "statement",
    "status",
    "ui",
    "verify",
    "what_if",
]

_PANELS = {
    "Run the market": ("generate", "ingest", "quarantine", "run", "backfill", "rerun", "status"),
    "Run it on schedule": ("calendar", "daemon", "alerts"),
    "Look at results": (
        *("sql", "curve", "report", "explain", "statement", "evidence", "lineage", "export", "ui"),
    ),
    "Check what is published": ("verify", "replay"),
    "Ask what would be": ("what-if", "backtest", "evaluate-attribution"),
}


def _arrange() -> None:
    """Show commands in the order in which a newcomer needs them, under headings."""
    place = {
        command: (number, panel)
        for number, (panel, command) in enumerate(
            (panel, command) for panel, commands in _PANELS.items() for command in commands
        )
    }
    for command in app.registered_commands:
        command.rich_help_panel = place[_name(command)][1]
    for group in app.registered_groups:
        name = str(group.name) if group.name in ("alerts", "quarantine") else "export"
        group.rich_help_panel = place[name][1]
    app.registered_commands.sort(key=lambda command: place[_name(command)][0])


def _name(command: CommandInfo) -> str:
    return str(command.name or getattr(command.callback, "__name__", ""))


_arrange()


def main() -> None:
    """Run the command line; an explained failure prints one sentence and its own exit code."""
    try:
        app()
    except Exception as error:
        fault = _explained(error)
        if fault is None:
            raise
        typer.echo(f"fbacap: {fault}", err=True)
        raise SystemExit(fault.exit_code) from error


def _explained(error: Exception) -> FbacapError | None:
    if isinstance(error, FbacapError):
        return error
    from orchestration.storage_faults import explained

    return explained(error)
