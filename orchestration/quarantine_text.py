"""Quarantined rows for people and for scripts.

Here belongs saying what is in quarantine and what became of it; which rows those are is
``landing.quarantine``. Whatever a seller wrote is shown quoted, with what a terminal would obey
written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.table import Column, Table
from rich.text import Text

from orchestration.landing.accounts import Account
from orchestration.landing.quarantine import QuarantinedRow
from orchestration.landing.release import Release
from orchestration.landing.words import printable

if TYPE_CHECKING:
    from rich.console import Console

_MOST_ROWS = 50
_COUNTS = ("received", "accepted", "superseded", "quarantined", "open", "dismissed")


def account_document(account: Account) -> dict[str, Any]:
    """A table's account as plain values."""
    return {"table": account.table} | {
        f"{name}_rows": getattr(account, f"{name}_rows") for name in _COUNTS
    }


def row_document(row: QuarantinedRow) -> dict[str, Any]:
    """A row as plain values."""
    return {
        "id": row.row_id,
        "table": row.file.table,
        "delivery": row.file.delivery,
        "file": row.file.source_name,
        "sha256": row.file.sha256,
        "source_row": row.source_row,
        "source_line": row.source_line,
        "rule": row.rules[0],
        "rules": list(row.rules),
        "sentence": row.sentence,
        "received_at": row.received_at.isoformat() + "Z",
        "cells": dict(row.cells),
        "state": row.state,
        "closed_by_delivery": row.closed_by,
        "reason": row.reason,
    }


def release_document(release: Release) -> dict[str, Any]:
    """What became of a release as plain values."""
    return {
        "delivery": release.delivery,
        "released": list(release.released),
        "kept": [{"id": row_id, "why": why} for row_id, why in release.kept],
    }


def print_accounts(console: Console, accounts: Sequence[Account]) -> None:
    """Print where every received row went, table by table."""
    if not accounts:
        console.print("nothing has landed yet")
        return
    columns = _COUNTS[:-1]
    table = Table(
        "table", *(Column(name, justify="right") for name in columns), box=SIMPLE, pad_edge=False
    )
    for account in accounts:
        counts = (getattr(account, f"{name}_rows") for name in columns)
        table.add_row(account.table, *(f"{count:,}" for count in counts))
    console.print(table)
    console.print("received = accepted + superseded + quarantined, of which open rows wait")


def print_rows(console: Console, rows: Sequence[QuarantinedRow]) -> None:
    """Print rows, the first ones when there are many."""
    for row in rows[:_MOST_ROWS]:
        closed = "" if row.state == "open" else f" [{_state(row)}]"
        console.print(Text(f"{row.row_id}  {row.rules[0]}{closed}"), soft_wrap=True)
        console.print(Text(f"    {printable(row.sentence)}"), soft_wrap=True)
    if len(rows) > _MOST_ROWS:
        console.print(f"… and {len(rows) - _MOST_ROWS:,} more: --json has them all")


def print_row(console: Console, row: QuarantinedRow) -> None:
    """Print everything that is known of a row."""
    table = Table("column", "cell", title=row.row_id)
    for name, cell in row.cells.items():
        table.add_row(name, Text("(empty)" if cell is None else repr(cell)))
    console.print(table)
    facts = {
        "what is wrong": printable(row.sentence),
        "rules broken": ", ".join(row.rules),
        "received": f"{row.received_at.isoformat(sep=' ', timespec='seconds')} UTC, "
        f"delivery {row.file.delivery}",
        "file": f"{printable(row.file.source_name)}, SHA-256 {row.file.sha256}",
        "state": _state(row),
    }
    for name, text in facts.items():
        console.print(Text(f"{name}: {text}"), soft_wrap=True)


def print_release(console: Console, release: Release) -> None:
    """Print which rows were taken in, and why others were not."""
    if release.delivery is not None:
        console.print(
            f"{len(release.released):,} taken in with delivery {release.delivery}: "
            f"{', '.join(release.released[:_MOST_ROWS])}"
            + (" …" if len(release.released) > _MOST_ROWS else "")
        )
    for row_id, why in release.kept[:_MOST_ROWS]:
        console.print(Text(f"{row_id} stays in quarantine: {printable(why)}"), soft_wrap=True)
    if len(release.kept) > _MOST_ROWS:
        console.print(f"… and {len(release.kept) - _MOST_ROWS:,} more: --json has them all")


def _state(row: QuarantinedRow) -> str:
    if row.state == "dismissed":
        return f"dismissed with receipt {row.closed_by}: {printable(row.reason or '')}"
    return row.state if row.closed_by is None else f"released with delivery {row.closed_by}"
