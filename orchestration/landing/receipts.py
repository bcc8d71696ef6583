"""Receipts: the record of what each delivery brought, and the only thing that makes it count.

Here belong the receipts' values, their bytes on disk and the chain that ties each to the one
before. Making the files that they name is ``preparing``; when a receipt is written is ``delivery``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.errors import Corrupted
from orchestration.files import flush

FORMAT = 1
RECEIPTS = "deliveries"
STORED_NAME = re.compile(r"(?P<sha256>[0-9a-f]{64})\.(?:csv|parquet)")
TYPED_NAME = re.compile(r"(?P<sha256>[0-9a-f]{64})-(?P<number>[0-9]{6})\.parquet")
_RECEIPT_NAME = re.compile(r"(?P<number>[0-9]{6})\.json")
_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class LandedFile:
    """A file taken in: its bytes as received, and the typed copy that runs read.

    ``received_at_min`` and ``received_at_max`` are naive UTC, None when the file has no rows;
    ``simulated`` says how the rows were made when they are not a marketplace's own.
    """

    table: str
    source_name: str
    sha256: str
    bytes: int
    rows: int
    received_at_min: datetime | None
    received_at_max: datetime | None
    simulated: str | None
    contract_version: str
    stored_path: Path
    typed_path: Path
    typed_sha256: str
    delivery: int


@dataclass(frozen=True)
class SkippedFile:
    """A file whose bytes this table had received before, in ``delivery``."""

    table: str
    source_name: str
    sha256: str
    delivery: int


@dataclass(frozen=True)
class Delivery:
    """What one delivery did. ``number``: None when everything in it had landed before.

    ``received_at`` is naive UTC; ``ignored`` names what lay in the folder and is no data.
    """

    number: int | None
    received_at: datetime
    historical: bool
    files: tuple[LandedFile, ...]
    skipped: tuple[SkippedFile, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True)
class Receipts:
    """Every receipt of a landing zone, in order, and what the next one will carry."""

    count: int
    last_sha256: str | None
    files: tuple[LandedFile, ...]


def landed_files(landing: Path) -> tuple[LandedFile, ...]:
    """Every file taken in, in the order of deliveries; empty before the first.

    Raises:
        Corrupted: a receipt is missing, damaged or not the one that the next was written after.
    """
    return read_receipts(landing).files


def naive_utc(instant: datetime) -> datetime:
    """An instant as the zone stores it; a naive one is UTC already.

    >>> from datetime import timedelta, timezone
    >>> naive_utc(datetime(2026, 8, 20, 2, tzinfo=timezone(timedelta(hours=2)))).isoformat()
    '2026-08-20T00:00:00'
    """
    if instant.tzinfo is None:
        return instant
    return instant.astimezone(UTC).replace(tzinfo=None)


def stored_path(landing: Path, table: str, sha256: str, kind: str) -> Path:
    """Where a file's bytes as received are."""
    return landing / "files" / table / f"{sha256}.{kind}"


def typed_path(landing: Path, table: str, sha256: str, number: int) -> Path:
    """Where a file's typed copy is; a delivery never writes over the copy of another."""
    return landing / "typed" / table / f"{sha256}-{number:06d}.parquet"


def read_receipts(landing: Path) -> Receipts:
    """Read the chain of receipts from the first; raises what ``landed_files`` does."""
    landing = landing.resolve()
    folder = landing / RECEIPTS
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    names = [name for name in names if _RECEIPT_NAME.fullmatch(name)]
    files: list[LandedFile] = []
    previous: str | None = None
    for number, name in enumerate(names, start=1):
        if name != f"{number:06d}.json":
            raise Corrupted(
                f"{folder}: receipt {number:06d}.json is missing; restore it from a backup"
            )
        content = (folder / name).read_bytes()
        files.extend(_read_receipt(folder / name, content, landing, number, previous))
        previous = hashlib.sha256(content).hexdigest()
    return Receipts(len(names), previous, tuple(files))


def write_receipt(
    landing: Path,
    delivery: Delivery,
    previous_sha256: str | None,
    note: Mapping[str, Any] | None,
) -> None:
    """Commit a delivery: its receipt appears whole or not at all.

    ``note`` is kept as whoever made the delivery wrote it.

    Raises:
        ValueError: the delivery has no number, so there is nothing to commit.
    """
    if delivery.number is None:
        raise ValueError("a delivery without a number brought nothing to commit")
    folder = landing / RECEIPTS
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "format": FORMAT,
        "number": delivery.number,
        "previous_sha256": previous_sha256,
        "received_at": _write_instant(delivery.received_at),
        "historical": delivery.historical,
        "note": note,
        "files": [_file_document(landing, file) for file in delivery.files],
    }
    content = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    temporary = folder / f".{delivery.number:06d}.json.tmp"
    with temporary.open("wb") as stream:
        stream.write(content.encode())
        stream.flush()
        os.fsync(stream.fileno())
    temporary.chmod(0o444)
    temporary.replace(folder / f"{delivery.number:06d}.json")
    flush(folder)


def _file_document(landing: Path, file: LandedFile) -> dict[str, Any]:
    return {
        "table": file.table,
        "source_name": file.source_name,
        "sha256": file.sha256,
        "bytes": file.bytes,
        "rows": file.rows,
        "received_at_min": _write_instant(file.received_at_min),
        "received_at_max": _write_instant(file.received_at_max),
        "simulated": file.simulated,
        "contract_version": file.contract_version,
        "stored_path": file.stored_path.relative_to(landing).as_posix(),
        "typed_path": file.typed_path.relative_to(landing).as_posix(),
        "typed_sha256": file.typed_sha256,
    }


def _read_receipt(
    path: Path, content: bytes, landing: Path, number: int, previous: str | None
) -> list[LandedFile]:
    try:
        document = json.loads(content)
        found = document["format"], document["number"], document["previous_sha256"]
        files = [_read_file(entry, landing, number) for entry in document["files"]]
    except (ValueError, KeyError, TypeError) as fault:
        raise Corrupted(f"{path} is damaged; restore it from a backup") from fault
    if found[0] != FORMAT:
        raise Corrupted(f"{path} has format {found[0]!r}; this version reads format {FORMAT}")
    if found[1] != number:
        raise Corrupted(f"{path} says it is receipt {found[1]!r}; restore it from a backup")
    if found[2] != previous:
        raise Corrupted(
            f"{path} was not written after the receipts before it as they are now; restore "
            f"{path.parent} from a backup"
        )
    return files


def _read_file(entry: Mapping[str, Any], landing: Path, number: int) -> LandedFile:
    table, sha256 = str(entry["table"]), str(entry["sha256"])
    kind = str(entry["stored_path"]).rpartition(".")[2]
    stored = stored_path(landing, table, sha256, kind)
    typed = typed_path(landing, table, sha256, number)
    # A receipt names files inside the zone and nowhere else, whoever wrote it.
    if not (
        _TABLE_NAME.fullmatch(table)
        and STORED_NAME.fullmatch(stored.name)
        and stored == landing / entry["stored_path"]
        and typed == landing / entry["typed_path"]
    ):
        raise ValueError("the paths are not those of a landed file")
    return LandedFile(
        table=table,
        source_name=entry["source_name"],
        sha256=sha256,
        bytes=int(entry["bytes"]),
        rows=int(entry["rows"]),
        received_at_min=_read_instant(entry["received_at_min"]),
        received_at_max=_read_instant(entry["received_at_max"]),
        simulated=entry["simulated"],
        contract_version=entry["contract_version"],
        stored_path=stored,
        typed_path=typed,
        typed_sha256=entry["typed_sha256"],
        delivery=number,
    )


def _write_instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="microseconds") + "Z"


def _read_instant(text: str | None) -> datetime | None:
    return None if text is None else naive_utc(datetime.fromisoformat(text))
