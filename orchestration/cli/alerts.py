"""``fbacap alerts``."""

from __future__ import annotations

import typer

from orchestration.cli.app import Data, app
from orchestration.cli.words import existing_data_folder

alerts = typer.Typer(help="Try out where alerts go (alerts.yaml).", no_args_is_help=True)
app.add_typer(alerts, name="alerts")


@alerts.callback()
def _group() -> None:
    """Keep ``test`` a word of its own, though it is the only command yet."""


@alerts.command("test")
def send_test_alert(data: Data = None) -> None:
    """Send a test alert to every sink of alerts.yaml; exit code 1 if one did not take it."""
    from orchestration.alerts import send_test
    from orchestration.errors import FbacapError
    from orchestration.runner import utc_now

    outcome = send_test(existing_data_folder(data), utc_now())
    for line in outcome.logged:
        typer.echo(line)
    typer.echo(f"test alert taken by {outcome.sent} of {outcome.sent + len(outcome.failures)}")
    if outcome.failures:
        raise FbacapError("; ".join(outcome.failures))
