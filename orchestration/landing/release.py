"""Rows that leave quarantine: taken in after all, or closed for good.

Here belongs judging quarantined rows again and landing those that pass, as a delivery of their own.
They are judged as they were received, from the file's own bytes: nothing is corrected here, because
what a row should have said is for whoever wrote it to say, in a new delivery.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.contracts import load_contract
from orchestration.engine import engine
from orchestration.errors import BadInput, BadUsage, Corrupted
from orchestration.files import file_digest, sql_literal
from orchestration.landing.bad_rows import Handling
from orchestration.landing.column_types import quoted
from orchestration.landing.keys import REPEATING
from orchestration.landing.landed_file import LandedFile, naive_utc
from orchestration.landing.parquet_file import DISBELIEVE
from orchestration.landing.preparing import Prepared, Request, prepare
from orchestration.landing.quarantine import QuarantinedRow, rows_named
from orchestration.landing.reading import ReadableFile, open_file
from orchestration.landing.receipts import Delivery, Dismissal
from orchestration.landing.source_folder import FileKind, SourceFile, Survey
from orchestration.landing.words import shown
from orchestration.landing.zone import OpenZone, commit, open_zone


@dataclass(frozen=True)
class Release:
    """What became of rows that were to be released.

    ``delivery``: the number of the delivery that they landed with, None when no row did;
    ``released``: their ids; ``kept``: the ids that stay in quarantine, and why, in words.
    """

    delivery: int | None
    released: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Candidates:
    """Open rows of one landed file."""

    file: LandedFile
    rows: tuple[QuarantinedRow, ...]

    @property
    def name(self) -> str:
        """What the receipt of the release calls them."""
        return f"{self.file.source_name}, rows released from delivery {self.file.delivery}"

    def without(self, row_ids: Container[str]) -> _Candidates:
        """The others."""
        rows = tuple(row for row in self.rows if row.row_id not in row_ids)
        return _Candidates(self.file, rows)


def release(
    landing: Path,
    row_ids: Sequence[str],
    *,
    received_at: datetime,
    historical: bool = False,
    wait: bool = True,
) -> Release:
    """Judge quarantined rows by the present contracts, and take in those that pass.

    A row also stays where another one with its key was taken in with its own delivery or later:
    landing it now would put back what has been corrected since.

    Args:
        landing: the landing zone.
        row_ids: the rows.
        received_at: when rows without a ``received_at`` of their own count as received.
        historical: such rows count as received when they happened instead.
        wait: wait for a delivery in progress instead of refusing.

    Raises:
        BadUsage: an id is of no quarantined row, or of one that is closed already.
        Busy: a delivery is in progress and ``wait`` is false.
        Corrupted: the zone does not hold what its receipts say.
    """
    with open_zone(landing, wait=wait) as zone:
        times = (naive_utc(received_at), historical)
        kept: dict[str, str] = {}
        readable = []
        rows = _open_rows(zone, row_ids)
        for each in _by_file(rows):
            if fault := _unreadable(each):
                kept |= {row.row_id: fault for row in each.rows}
            else:
                readable.append(each)
        kept |= _failing(zone, readable, times)
        passing = [each.without(kept) for each in readable]
        passing = [each for each in passing if each.rows]
        staying = tuple((row.row_id, kept[row.row_id]) for row in rows if row.row_id in kept)
        if not passing:
            return Release(None, (), staying)
        prepared = _prepare(zone, "release", passing, times, "refuse")
        delivery = Delivery(zone.number, *times, prepared.files, (), ())
        commit(zone, delivery, prepared.moves, None)
    released = tuple(row_id for file in delivery.files for row_id in file.released)
    return Release(delivery.number, released, staying)


def dismiss(
    landing: Path,
    row_ids: Sequence[str],
    reason: str,
    *,
    received_at: datetime,
    wait: bool = True,
) -> tuple[Dismissal, ...]:
    """Close quarantined rows for good: they are never taken in, and the receipt says why.

    Raises:
        BadUsage: an id is of no quarantined row, or of one that is closed already, or no reason is
            given.
        Busy: a delivery is in progress and ``wait`` is false.
        Corrupted: the zone's receipts are not whole.
    """
    if not reason.strip():
        raise BadUsage("a row is dismissed for a reason; say it with --reason")
    with open_zone(landing, wait=wait) as zone:
        dismissed = tuple(
            Dismissal(row.row_id, reason.strip(), zone.number) for row in _open_rows(zone, row_ids)
        )
        at = naive_utc(received_at)
        commit(zone, Delivery(zone.number, at, False, (), (), (), dismissed), (), None)
    return dismissed


def _open_rows(zone: OpenZone, row_ids: Sequence[str]) -> tuple[QuarantinedRow, ...]:
    rows = rows_named(zone.receipts, row_ids)
    if not rows:
        raise BadUsage("no row was named; `fbacap quarantine list` shows the ids")
    for row in rows:
        if row.state != "open":
            raise BadUsage(
                f"row {row.row_id} was {row.state} with delivery {row.closed_by}; leave it out"
            )
    return rows


def _by_file(rows: Sequence[QuarantinedRow]) -> list[_Candidates]:
    """Rows by file, the latest delivery first: of rows that share a key the last delivered counts.

    Within a delivery the first appearance counts, as when it came.
    """
    by_file: dict[tuple[int, str, str], list[QuarantinedRow]] = {}
    for row in rows:  # in the order of their numbers, and so of the files
        key = (row.file.delivery, row.file.table, row.file.sha256)
        by_file.setdefault(key, []).append(row)
    candidates = [_Candidates(mine[0].file, tuple(mine)) for mine in by_file.values()]
    return sorted(candidates, key=lambda each: -each.file.delivery)


def _unreadable(each: _Candidates) -> str | None:
    """Why the present contract can take nothing from a file; None when it can.

    Raises:
        Corrupted: the file is not what was landed.
    """
    stored = each.file.stored_path
    if not stored.is_file() or file_digest(stored) != each.file.sha256:
        raise Corrupted(f"{stored} is not what was landed; restore it from a backup")
    with engine() as connection:
        try:
            _open(connection, each)
        except BadInput as fault:
            return str(fault)
    return None


def _open(connection: duckdb.DuckDBPyConnection, each: _Candidates) -> ReadableFile:
    path, contract = each.file.stored_path, load_contract(each.file.table)
    kind: FileKind = "csv" if path.suffix == ".csv" else "parquet"
    return open_file(connection, path, each.file.source_name, kind, contract)


def _failing(
    zone: OpenZone, candidates: Sequence[_Candidates], times: tuple[datetime, bool]
) -> dict[str, str]:
    """The rows that do not pass the present contracts, or come too late, and why."""
    trial = _prepare(zone, "trial", candidates, times, "leave out")
    typed = {final: made for made, final in trial.moves}
    failing: dict[str, str] = {}
    for each, file, (_, bad) in zip(candidates, trial.files, trial.bad, strict=True):
        failing |= {each.rows[row.source_row - 1].row_id: row.fault.words for row in bad}
        failing |= _taken_in_since(zone, each, typed[file.typed_path])
    return failing


def _prepare(
    zone: OpenZone,
    folder: str,
    candidates: Sequence[_Candidates],
    times: tuple[datetime, bool],
    handling: Handling,
) -> Prepared:
    """Prepare rows as a delivery: a Parquet file for each file that they came with."""
    incoming = zone.incoming / folder
    incoming.mkdir()
    sources = []
    for number, each in enumerate(candidates):
        path = incoming / f"source-{number}.parquet"
        _extract(each, path)
        ids = tuple(row.row_id for row in each.rows)
        sources.append(
            SourceFile(each.file.table, path, each.name, "parquet", ids, each.file.simulated)
        )
    request = Request(
        survey=Survey(tuple(sources), ()),
        landing=zone.landing,
        incoming=incoming,
        number=zone.number,
        received_at=times[0],
        historical=times[1],
        landed=zone.receipts.files,
        bad_rows=handling,
    )
    return prepare(request, lambda _name, _share: None)


def _extract(each: _Candidates, target: Path) -> None:
    """Write rows as they stand in their file, in its order and types."""
    rows = ", ".join(str(row.source_row) for row in each.rows)
    ids = ",".join(row.row_id for row in each.rows)
    with engine() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(DISBELIEVE)
        file = _open(connection, each)
        # The ids are part of the bytes, so that no other release gives the same file.
        connection.execute(
            f"copy (select * exclude (source_row) from ({file.relation}) "
            f"semi join (select unnest([{rows}]) as source_row) using (source_row) "
            f"order by source_row) to {sql_literal(target)} "
            f"(format parquet, compression zstd, kv_metadata {{released: '{ids}'}})"
        )


def _taken_in_since(zone: OpenZone, each: _Candidates, typed: Path) -> dict[str, str]:
    """The rows whose key was taken in with their own delivery or later, and when."""
    contract = load_contract(each.file.table)
    # Where keys may repeat, the rules judge the rows of one delivery among themselves.
    first = each.file.delivery + (REPEATING in contract.tags)
    paths = ", ".join(
        sql_literal(file.typed_path)
        for file in zone.receipts.files
        if file.table == contract.table and file.delivery >= first
    )
    if not paths:
        return {}
    key = ", ".join(quoted(name) for name in contract.key)
    told = ", ".join(f"cast({quoted(name)} as varchar)" for name in contract.key)
    delivery = r"cast(regexp_extract(filename, '([0-9]{6})\.parquet$', 1) as integer)"
    with engine() as connection:
        found = connection.execute(
            f"select released.source_row, since.delivery, {told} "
            f"from read_parquet({sql_literal(typed)}) as released "
            f"join (select {key}, max({delivery}) as delivery "
            f"from read_parquet([{paths}], filename = true) group by {key}) as since "
            f"using ({key}) order by released.source_row"
        ).fetchall()
    return {
        each.rows[row - 1].row_id: ", ".join(
            f"{name} {shown(value)}" for name, value in zip(contract.key, values, strict=True)
        )
        + f" was taken in with delivery {since}, which this row would undo"
        for row, since, *values in found
    }
