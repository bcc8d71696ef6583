"""Where every row went that was ever received: none is lost, and none counts twice.

Here belong the sums over the whole landing zone, and what it means that a row is superseded. That
staging keeps as many rows as that leaves is checked in every stage run, by
``checks.row_accounts``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.contracts import Contract, contract_names, load_contract
from orchestration.engine import engine
from orchestration.errors import Corrupted
from orchestration.files import sql_literal
from orchestration.landing.keys import REPEATING
from orchestration.landing.landed_file import LandedFile
from orchestration.landing.receipts import read_receipts


@dataclass(frozen=True)
class Account:
    """The rows of one input table: received = accepted + superseded + quarantined.

    Attributes:
        table: the table.
        received_rows: rows of all delivered files, each once.
        accepted_rows: the last version of each key: what a run without a cut-off would read.
        superseded_rows: versions of keys that were restated later, or delivered again unchanged.
        quarantined_rows: rows kept apart and not released, of which
        open_rows: wait to be released or dismissed, and
        dismissed_rows: were closed for good.
    """

    table: str
    received_rows: int
    accepted_rows: int
    superseded_rows: int
    quarantined_rows: int
    open_rows: int
    dismissed_rows: int


def accounts(landing: Path, *, table: str | None = None) -> tuple[Account, ...]:
    """The account of each table (or of one) that was ever delivered, in alphabetical order.

    Raises:
        Corrupted: the receipts are not whole, or the typed copies do not hold the rows that the
            receipts say.
    """
    receipts = read_receipts(landing)
    dismissed = [each.row_id.split("-")[1] for each in receipts.dismissed]
    return tuple(
        _account(name, files, dismissed.count(name))
        for name in contract_names("input")
        if table in (None, name)
        and (files := [file for file in receipts.files if file.table == name])
    )


def version_columns(contract: Contract) -> tuple[str, ...]:
    """The columns of which each combination is kept once.

    They are the key; where keys may repeat, every version of a row counts and only the same
    content delivered again is superseded (rules §3).
    """
    return contract.column_names if REPEATING in contract.tags else contract.key


def superseded_sql(relation: str, columns: Sequence[str]) -> str:
    """A SELECT of how many rows of a relation repeat the columns of another one.

    >>> superseded_sql("landing.refunds", ("refund_id",))
    'select coalesce(sum(versions - 1), 0)::bigint from (select count(*) as versions \
from landing.refunds group by "refund_id")'
    """
    names = ", ".join(f'"{name}"' for name in columns)
    return (
        "select coalesce(sum(versions - 1), 0)::bigint from "
        f"(select count(*) as versions from {relation} group by {names})"
    )


def _account(table: str, files: Sequence[LandedFile], dismissed_rows: int) -> Account:
    contract = load_contract(table)
    relation = f"read_parquet([{', '.join(sql_literal(file.typed_path) for file in files)}])"
    with engine() as connection:
        (landed,) = connection.execute(f"select count(*) from {relation}").fetchall()[0]
        (superseded,) = connection.execute(
            superseded_sql(relation, version_columns(contract))
        ).fetchall()[0]
    received = sum(file.received_rows for file in files if not file.released)
    released = sum(len(file.released) for file in files)
    quarantined = sum(file.quarantined_rows for file in files) - released
    if received != landed + quarantined:
        raise Corrupted(
            f"of the {received:,} rows of {table} that were received, {landed:,} are landed and "
            f"{quarantined:,} quarantined; restore the landing zone from a backup"
        )
    return Account(
        table=table,
        received_rows=received,
        accepted_rows=landed - superseded,
        superseded_rows=superseded,
        quarantined_rows=quarantined,
        open_rows=quarantined - dismissed_rows,
        dismissed_rows=dismissed_rows,
    )
