"""Files of a delivery, copied, checked and typed, ready to be put in place.

Here belongs the way of each file from the delivered folder into the zone's ``incoming`` folder.
Nothing here is seen by anyone until ``delivery`` commits it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.contracts import load_contract
from orchestration.errors import BadInput
from orchestration.files import file_digest
from orchestration.landing import parquet_file
from orchestration.landing.bad_rows import BadRow, Handling
from orchestration.landing.checking import judge_rows
from orchestration.landing.csv_file import TextCheck
from orchestration.landing.keys import DeliveredFile, keep_first_of_each_key
from orchestration.landing.landed_file import (
    LandedFile,
    quarantine_path,
    stored_path,
    typed_path,
)
from orchestration.landing.quarantine_file import write_quarantine
from orchestration.landing.reading import ROWS, open_file, read_rows
from orchestration.landing.receipts import SkippedFile
from orchestration.landing.source_folder import SourceFile, Survey
from orchestration.landing.typed_file import count_typed, received_at_sql, write_typed

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Request:
    """What to prepare. ``received_at`` is naive UTC; ``landed``: what the zone holds already."""

    survey: Survey
    landing: Path
    incoming: Path
    number: int
    received_at: datetime
    historical: bool
    landed: tuple[LandedFile, ...]
    bad_rows: Handling = "quarantine"


@dataclass(frozen=True)
class Prepared:
    """The delivery's files under their final paths, and the moves that bring them there.

    ``bad``: each file's bad rows, by the file's name: those in quarantine, or those left out.
    """

    files: tuple[LandedFile, ...]
    skipped: tuple[SkippedFile, ...]
    moves: tuple[tuple[Path, Path], ...]
    bad: tuple[tuple[str, tuple[BadRow, ...]], ...]


@dataclass
class _Work:
    """One delivery in the making, file by file."""

    request: Request
    connection: duckdb.DuckDBPyConnection
    ready: list[tuple[SourceFile, DeliveredFile]] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)
    moves: list[tuple[Path, Path]] = field(default_factory=list)


def prepare(request: Request, progress: Callable[[str, float], None]) -> Prepared:
    """Copy, check and type every file of a delivery.

    Raises:
        BadInput: a file breaks its contract beyond what can be kept apart, or the delivery is too
            large for this machine.
    """
    try:
        return _prepare(request, progress)
    except (duckdb.OutOfMemoryException, MemoryError) as fault:
        raise BadInput(
            "the delivery takes more memory or disk to read than this machine has free; deliver "
            "its files one at a time, or in smaller parts"
        ) from fault


def _prepare(request: Request, progress: Callable[[str, float], None]) -> Prepared:
    total = sum(source.path.stat().st_size for source in request.survey.files)
    delivered_in = {(file.table, file.sha256): file.delivery for file in request.landed}
    done = 0
    with _engine(request.incoming) as connection:
        work = _Work(request, connection)
        for source in request.survey.files:
            progress(source.name, done / total if total else 0.0)
            copy = request.incoming / f"{len(work.ready)}.{source.kind}"
            sha256 = _copy(source, copy)
            done += copy.stat().st_size
            if earlier := delivered_in.get((source.table, sha256)):
                work.skipped.append(SkippedFile(source.table, source.name, sha256, earlier))
            else:
                delivered_in[source.table, sha256] = request.number
                work.ready.append((source, _judge_file(work, source, copy, sha256)))
            progress(source.name, min(1.0, done / total if total else 1.0))
        _judge_tables(work)
        files = _land(work)
    return Prepared(
        files,
        tuple(work.skipped),
        tuple(work.moves),
        tuple((source.name, tuple(file.bad)) for source, file in work.ready),
    )


def _engine(spill: Path) -> duckdb.DuckDBPyConnection:
    """An engine that fetches nothing, believes no statistics, and takes bare times for UTC."""
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "temp_directory": str(spill / "spill")}
    )
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it is drawn on standard output
    connection.execute(parquet_file.DISBELIEVE)
    return connection


def _copy(source: SourceFile, target: Path) -> str:
    """Copy a file as it is and give its SHA-256; everything after reads the copy.

    So what is checked and hashed is what is kept, even if somebody is still writing the file.
    """
    digest = hashlib.sha256()
    text = TextCheck(source.name) if source.kind == "csv" else None
    with target.open("wb") as out:
        for chunk in _chunks(source):
            digest.update(chunk)
            if text:
                text.feed(chunk)
            out.write(chunk)
    if text:
        text.feed(b"", final=True)
    return digest.hexdigest()


def _chunks(source: SourceFile) -> Iterator[bytes]:
    try:
        with source.path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except OSError as fault:
        raise BadInput(f"{source.name} cannot be read ({fault.strerror}); allow it") from fault


def _judge_file(work: _Work, source: SourceFile, copy: Path, sha256: str) -> DeliveredFile:
    """Read a file and write the typed copy of its good rows."""
    connection, request = work.connection, work.request
    contract = load_contract(source.table)
    file = open_file(connection, copy, source.name, source.kind, contract)
    read_rows(connection, file)
    received_at = received_at_sql(file, request.received_at, historical=request.historical)
    judged = judge_rows(connection, file, received_at, request.received_at, request.bad_rows)
    typed = copy.with_suffix(f".{source.kind}.typed")
    write_typed(connection, contract, typed, received_at=received_at, source_sha256=sha256)
    connection.execute(f"drop table {ROWS}")
    return DeliveredFile(file, sha256, typed, judged.received_rows, list(judged.bad))


def _judge_tables(work: _Work) -> None:
    """What is judged over all of a table's files: that there are rows, and that keys differ."""
    known = {each.table for each in work.skipped}
    for table in sorted({source.table for source, _ in work.ready}):
        mine = [file for source, file in work.ready if source.table == table]
        if table not in known and not any(file.received_rows for file in mine):
            raise BadInput(
                f"{mine[0].file.name} has no rows; deliver {table} with its rows, or leave it out"
            )
        keep_first_of_each_key(work.connection, load_contract(table), mine, work.request.bad_rows)


def _land(work: _Work) -> tuple[LandedFile, ...]:
    """Number the bad rows of each table, write them, and say where everything will be."""
    numbers: dict[str, int] = {}
    files = []
    for source, file in work.ready:
        first = numbers.get(source.table, 1)
        numbers[source.table] = first + len(file.bad)
        files.append(_landed(work, source, file, first))
    return tuple(files)


def _landed(work: _Work, source: SourceFile, file: DeliveredFile, first: int) -> LandedFile:
    request, table, sha256 = work.request, source.table, file.sha256
    contract = load_contract(table)
    counts = count_typed(work.connection, contract, file.typed)
    stored = stored_path(request.landing, table, sha256, source.kind)
    typed = typed_path(request.landing, table, sha256, request.number)
    work.moves += [(file.file.path, stored), (file.typed, typed)]
    apart, digest, quarantined = None, None, 0
    if file.bad:
        apart = quarantine_path(request.landing, table, sha256, request.number)
        written = file.typed.with_suffix(".quarantine")
        quarantined = write_quarantine(
            work.connection, written, file.bad, source_sha256=sha256, first_number=first
        )
        digest = file_digest(written)
        work.moves.append((written, apart))
    return LandedFile(
        table=table,
        source_name=source.name,
        sha256=sha256,
        bytes=file.file.path.stat().st_size,
        rows=counts.rows,
        received_rows=file.received_rows,
        received_at_min=counts.received_at_min,
        received_at_max=counts.received_at_max,
        simulated=source.simulated or request.survey.simulated.get(table),
        contract_version=contract.version,
        stored_path=stored,
        typed_path=typed,
        typed_sha256=file_digest(file.typed),
        delivery=request.number,
        warned_rows=counts.warned_rows,
        quarantined_rows=quarantined,
        quarantine_path=apart,
        quarantine_sha256=digest,
        released=source.released,
    )
