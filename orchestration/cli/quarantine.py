"""``fbacap quarantine``: rows that broke their contract when they were delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.app import Data, Json, app
from orchestration.cli.words import console, data_folder, print_json
from orchestration.errors import BadUsage

if TYPE_CHECKING:
    from pathlib import Path

quarantine_app = typer.Typer(
    name="quarantine",
    help="Rows that broke their contract: list, show, release, dismiss.",
    no_args_is_help=True,
)
app.add_typer(quarantine_app, name="quarantine")

OfTable = Annotated[str | None, typer.Option("--table", help="Of this input table only.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="As 3-order_lines-1.")]


@quarantine_app.callback()
def quarantine() -> None:
    """Rows that broke their contract: list, show, release, dismiss."""


@quarantine_app.command(name="list")
def list_rows(
    table: OfTable = None,
    delivery: Annotated[
        int | None, typer.Option("--delivery", help="That came with this delivery.")
    ] = None,
    closed: Annotated[
        bool, typer.Option("--closed", help="Also those that were released or dismissed.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the rows that wait in quarantine, and where every received row went."""
    from orchestration.landing.accounts import accounts
    from orchestration.landing.quarantine import quarantined_rows
    from orchestration.quarantine_text import (
        account_document,
        print_accounts,
        print_rows,
        row_document,
    )

    landing = data_folder(data).landing
    _known_table(table)
    rows = [
        row
        for row in quarantined_rows(landing, table=table, delivery=delivery)
        if closed or row.state == "open"
    ]
    held = accounts(landing, table=table)
    if as_json:
        print_json(
            {
                "accounts": [account_document(each) for each in held],
                "rows": [row_document(row) for row in rows],
            },
            ascii_only=True,
        )
        return
    print_accounts(console(), held)
    print_rows(console(), rows)


@quarantine_app.command()
def show(
    row_id: Annotated[str, typer.Argument(metavar="ID", help="As 3-order_lines-1.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one row: its cells as they were received, and what is wrong with them."""
    from orchestration.landing.quarantine import rows_named
    from orchestration.landing.receipts import read_receipts
    from orchestration.quarantine_text import print_row, row_document

    (row,) = rows_named(read_receipts(data_folder(data).landing), [row_id])
    if as_json:
        print_json(row_document(row), ascii_only=True)
    else:
        print_row(console(), row)


@quarantine_app.command()
def release(
    row_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="As 3-order_lines-1.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every row of --table that waits, instead of ids.")
    ] = False,
    table: OfTable = None,
    historical: Annotated[
        bool,
        typer.Option(
            "--historical",
            help="Rows without received_at count as received when they happened, not now.",
        ),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Judge rows again by the contracts as they are now, and take in those that pass.

    Nothing is corrected: a row that is wrong is delivered anew by whoever wrote it. A row whose
    key was taken in since stays, because it would undo what came after it.
    """
    from orchestration.landing.release import release as release_rows
    from orchestration.quarantine_text import print_release, release_document
    from orchestration.runner import utc_now

    landing = data_folder(data).landing
    ids = _ids(landing, row_ids, every=every, table=table)
    done = release_rows(landing, ids, received_at=utc_now(), historical=historical)
    if as_json:
        print_json(release_document(done), ascii_only=True)
    else:
        print_release(console(), done)


@quarantine_app.command()
def dismiss(
    row_ids: Ids,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the receipt.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Close rows for good: they are never taken in, and the receipt says why."""
    from orchestration.landing.release import dismiss as dismiss_rows
    from orchestration.runner import utc_now

    dismissed = dismiss_rows(data_folder(data).landing, row_ids, reason, received_at=utc_now())
    ids = [each.row_id for each in dismissed]
    if as_json:
        print_json({"receipt": dismissed[0].delivery, "dismissed": ids})
    else:
        typer.echo(f"{len(ids):,} dismissed with receipt {dismissed[0].delivery}: {', '.join(ids)}")


def _ids(landing: Path, row_ids: list[str] | None, *, every: bool, table: str | None) -> list[str]:
    from orchestration.landing.quarantine import quarantined_rows

    if not every:
        if not row_ids or table is not None:
            raise BadUsage("name the rows by id, or give --all and --table")
        return row_ids
    if row_ids or table is None:
        raise BadUsage("--all is of one table: give --table, and no ids")
    _known_table(table)
    waiting = [row.row_id for row in quarantined_rows(landing, table=table) if row.state == "open"]
    if not waiting:
        raise BadUsage(f"no row of {table} waits in quarantine")
    return waiting


def _known_table(table: str | None) -> None:
    from orchestration.contracts import contract_names

    tables = contract_names("input")
    if table is not None and table not in tables:
        raise BadUsage(f"'{table}' is no input table (tables: {', '.join(tables)})")
