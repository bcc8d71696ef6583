"""A quarter's ledger as text for accounting programs: beancount, or CSV.

Here belong the accounts' names and the text of directives, built in SQL and streamed, never held
whole. Entries come from published ``ledger_entries``; what accounts must hold afterwards comes
from published ``settlements``, so that `bean-check` compares two tables. What is posted is
``fbacap_logic.settlement``'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Literal

import duckdb
import iso4217

from fbacap_logic.calendar import Quarter
from orchestration.engine import engine
from orchestration.errors import NotPublished
from orchestration.export import csv_text
from orchestration.files import file_digest, sql_literal
from orchestration.ledger_sql import BEANCOUNT, CSV, MACROS
from orchestration.paths import DataFolder
from orchestration.published import PublishedRun, published_runs

LedgerFormat = Literal["beancount", "csv"]

_LINES_AT_ONCE = 20_000
_ESCAPED = re.compile(r"-([0-9A-F]{2})")


def ledger_text(
    data: DataFolder, quarter: Quarter, ledger_format: LedgerFormat, *, run: int | None = None
) -> Iterator[str]:
    """The ledger of a quarter's settlement runs, or of one, in pieces.

    Args:
        data: the data folder.
        quarter: the quarter.
        ledger_format: ``beancount``: one transaction a run, market and currency, opened accounts
            before and balance assertions after; ``csv``: one line an entry.
        run: the number of one settlement run; default: all of them.

    Raises:
        NotPublished: the quarter has no settlement run, or not that one.
    """
    every = [each for each in published_runs(data.published, quarter) if each.kind == "settle"]
    chosen = [each for each in every if run in (None, each.run)]
    if not chosen:
        numbers = ", ".join(str(each.run) for each in every)
        raise NotPublished(
            f"{quarter.label} has no settlement run {run}; its settlement runs are {numbers}"
            if every
            else f"{quarter.label} has no settlement run yet; run "
            f"`fbacap run {quarter.label} --stage preliminary` first"
        )
    with engine() as connection:
        _lay_out(connection, quarter, chosen, is_whole=run is None)
        if ledger_format == "csv":
            yield from _csv(connection)
        else:
            yield from _beancount(connection)


def seller_of_account(account: str) -> str:
    """The seller whose receivable an account is: the name's last part, read back.

    A part of a name is a letter, a dash and the id, in which every byte of UTF-8 that is no ASCII
    letter or digit stands as a dash and two hex digits.

    >>> seller_of_account("Assets:Receivable:2017Q4:M-olist:T-standard:S-a-20b-2Dc")
    'a b-c'
    """
    part = account.rpartition(":")[2].removeprefix("S-")
    text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), part)
    return text.encode("latin-1").decode("utf-8")


def _lay_out(
    connection: duckdb.DuckDBPyConnection,
    quarter: Quarter,
    runs: Sequence[PublishedRun],
    *,
    is_whole: bool,
) -> None:
    """Make what the statements read: runs, currencies, entries and what must be held after them."""
    connection.execute("create temp table runs (run integer, quarter varchar, stage varchar, "
                       "posted_on date, reason varchar, manifest_sha256 varchar)")  # fmt: skip
    connection.executemany(
        "insert into runs values (?, ?, ?, ?, ?, ?)",
        [
            (each.run, quarter.label, each.stage, each.cutoff_at.date(), each.reason,
             file_digest(each.manifest_path))
            for each in runs
        ],
    )  # fmt: skip
    entries = " union all ".join(
        f"select {each.run} as run, * from {_reader(each, 'ledger_entries')}" for each in runs
    )
    connection.execute(f"create temp view entries as {entries}")
    last = runs[-1]
    prefix = "" if is_whole else "delta_"
    connection.execute(
        "create temp view held as select marketplace_id, storage_type, seller_id, currency, "
        f"{prefix}fee_minor as fee_minor, {prefix}credit_minor as credit_minor, "
        f"{prefix}net_due_minor as net_due_minor from {_reader(last, 'settlements')}"
    )
    asserted_on = last.cutoff_at.date() + timedelta(days=1)
    connection.execute("set variable asserted_on = cast(? as date)", [asserted_on])
    connection.execute("set variable quarter = cast(? as varchar)", [quarter.label])
    connection.execute("create temp table currencies (currency varchar, digits integer)")
    used = connection.execute(
        "select currency from entries union select currency from held order by 1"
    ).fetchall()
    if used:
        connection.executemany(
            "insert into currencies values (?, ?)",
            [(code, iso4217.Currency(code).exponent or 0) for (code,) in used],
        )
    connection.execute(MACROS)


def _reader(run: PublishedRun, table: str) -> str:
    return f"read_parquet({sql_literal(run.file(table))}, hive_partitioning = false)"


def _beancount(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    cursor = connection.execute(BEANCOUNT)
    while rows := cursor.fetchmany(_LINES_AT_ONCE):
        yield "\n".join(text for (text,) in rows) + "\n"


def _csv(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    cursor = connection.execute(CSV)
    columns = [str(entry[0]) for entry in cursor.description or []]
    yield csv_text(columns, [])
    while rows := cursor.fetchmany(_LINES_AT_ONCE):
        yield csv_text(columns, rows).partition("\n")[2]
