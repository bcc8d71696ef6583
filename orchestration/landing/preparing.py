"""Files of a delivery, copied, checked and typed, ready to be put in place.

Here belongs the way of each file from the delivered folder into the zone's ``incoming`` folder.
Nothing here is seen by anyone until ``delivery`` commits it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.contracts import load_contract
from orchestration.errors import BadInput
from orchestration.files import file_digest
from orchestration.landing.checking import check_rows
from orchestration.landing.csv_file import TextCheck
from orchestration.landing.keys import check_keys
from orchestration.landing.reading import ROWS, ReadableFile, open_file, read_rows
from orchestration.landing.receipts import LandedFile, SkippedFile, stored_path, typed_path
from orchestration.landing.source_folder import SourceFile, Survey
from orchestration.landing.typed_file import received_at_sql, write_typed

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


@dataclass(frozen=True)
class Prepared:
    """The delivery's files under their final paths, and the moves that bring them there."""

    files: tuple[LandedFile, ...]
    skipped: tuple[SkippedFile, ...]
    moves: tuple[tuple[Path, Path], ...]


@dataclass(frozen=True)
class _Ready:
    """One file, prepared."""

    landed: LandedFile
    file: ReadableFile
    copy: Path
    typed: Path


def prepare(request: Request, progress: Callable[[str, float], None]) -> Prepared:
    """Copy, check and type every file of a delivery.

    Raises:
        BadInput: a file breaks its contract.
    """
    total = sum(source.path.stat().st_size for source in request.survey.files)
    delivered_in = {(file.table, file.sha256): file.delivery for file in request.landed}
    ready: list[_Ready] = []
    skipped: list[SkippedFile] = []
    done = 0
    with _engine(request.incoming) as connection:
        for source in request.survey.files:
            progress(source.name, done / total if total else 0.0)
            copy = request.incoming / f"{len(ready)}.{source.kind}"
            sha256 = _copy(source, copy)
            done += copy.stat().st_size
            if earlier := delivered_in.get((source.table, sha256)):
                skipped.append(SkippedFile(source.table, source.name, sha256, earlier))
            else:
                delivered_in[source.table, sha256] = request.number
                ready.append(_prepare_file(connection, request, source, copy, sha256))
            progress(source.name, min(1.0, done / total if total else 1.0))
        _check_tables(connection, ready, skipped)
    moves = tuple(
        move
        for each in ready
        for move in ((each.copy, each.landed.stored_path), (each.typed, each.landed.typed_path))
    )
    return Prepared(tuple(each.landed for each in ready), tuple(skipped), moves)


def _engine(spill: Path) -> duckdb.DuckDBPyConnection:
    """An engine that fetches nothing, and in which a time without an offset is UTC."""
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "temp_directory": str(spill / "spill")}
    )
    connection.execute("set timezone = 'UTC'")
    return connection


def _copy(source: SourceFile, target: Path) -> str:
    """Copy a file as it is and give its SHA-256; everything after reads the copy.

    So what is checked and hashed is what is kept, even if somebody is still writing the file.
    """
    digest = hashlib.sha256()
    text = TextCheck(source.name) if source.kind == "csv" else None
    try:
        stream = source.path.open("rb")
    except OSError as fault:
        raise BadInput(f"{source.name} cannot be opened ({fault.strerror}); allow it") from fault
    with stream, target.open("wb") as out:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            if text:
                text.feed(chunk)
            out.write(chunk)
    if text:
        text.feed(b"", final=True)
    return digest.hexdigest()


def _prepare_file(
    connection: duckdb.DuckDBPyConnection,
    request: Request,
    source: SourceFile,
    copy: Path,
    sha256: str,
) -> _Ready:
    contract = load_contract(source.table)
    file = open_file(connection, copy, source.name, source.kind, contract)
    read_rows(connection, file)
    received_at = received_at_sql(file, request.received_at, historical=request.historical)
    summary = check_rows(connection, file, received_at)
    typed = copy.with_suffix(f".{source.kind}.typed")
    write_typed(connection, contract, typed, received_at=received_at, source_sha256=sha256)
    connection.execute(f"drop table {ROWS}")
    landed = LandedFile(
        table=source.table,
        source_name=source.name,
        sha256=sha256,
        bytes=copy.stat().st_size,
        rows=summary.rows,
        received_at_min=summary.received_at_min,
        received_at_max=summary.received_at_max,
        simulated=request.survey.simulated.get(source.table),
        contract_version=contract.version,
        stored_path=stored_path(request.landing, source.table, sha256, source.kind),
        typed_path=typed_path(request.landing, source.table, sha256, request.number),
        typed_sha256=file_digest(typed),
        delivery=request.number,
    )
    return _Ready(landed, file, copy, typed)


def _check_tables(
    connection: duckdb.DuckDBPyConnection, ready: list[_Ready], skipped: list[SkippedFile]
) -> None:
    """What is judged over all of a table's files: that there are rows, and that keys differ."""
    known = {each.table for each in skipped}
    for table in sorted({each.landed.table for each in ready}):
        mine = [each for each in ready if each.landed.table == table]
        if table not in known and not any(each.landed.rows for each in mine):
            raise BadInput(
                f"{mine[0].landed.source_name} has no rows; deliver {table} with its rows, or "
                "leave it out"
            )
        check_keys(
            connection,
            load_contract(table),
            [each.typed for each in mine],
            {each.landed.sha256: each.file for each in mine},
        )
