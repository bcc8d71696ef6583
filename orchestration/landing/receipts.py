"""Receipts: the record of what each delivery brought, and the only thing that makes it count.

Here belong the receipts' values, their bytes on disk and the chain that ties each to the one
before. One file's entry is ``landed_file``; when a receipt is written is ``delivery``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestration.errors import Corrupted
from orchestration.files import flush
from orchestration.landing.landed_file import (
    LandedFile,
    file_document,
    read_file_document,
    write_instant,
)

FORMAT = 2
_READABLE = (1, FORMAT)
RECEIPTS = "deliveries"
_RECEIPT_NAME = re.compile(r"(?P<number>[0-9]{6})\.json")


@dataclass(frozen=True)
class SkippedFile:
    """A file whose bytes this table had received before, in ``delivery``."""

    table: str
    source_name: str
    sha256: str
    delivery: int


@dataclass(frozen=True)
class Dismissal:
    """A quarantined row that was closed for good: its id, why, and the receipt that says so."""

    row_id: str
    reason: str
    delivery: int


@dataclass(frozen=True)
class Delivery:
    """What one delivery did. ``number``: None when everything in it had landed before.

    ``received_at`` is naive UTC; ``ignored`` names what lay in the folder and is no data;
    ``dismissed``: the quarantined rows that it closes, of a delivery that brings no file.
    """

    number: int | None
    received_at: datetime
    historical: bool
    files: tuple[LandedFile, ...]
    skipped: tuple[SkippedFile, ...]
    ignored: tuple[str, ...]
    dismissed: tuple[Dismissal, ...] = ()


@dataclass(frozen=True)
class Receipts:
    """Every receipt of a landing zone, in order, and what the next one will carry."""

    count: int
    last_sha256: str | None
    files: tuple[LandedFile, ...]
    dismissed: tuple[Dismissal, ...] = ()


def landed_files(landing: Path) -> tuple[LandedFile, ...]:
    """Every file taken in, in the order of deliveries; empty before the first.

    Raises:
        Corrupted: a receipt is missing, damaged or not the one that the next was written after.
    """
    return read_receipts(landing).files


def read_receipts(landing: Path) -> Receipts:
    """Read the chain of receipts from the first; raises what ``landed_files`` does."""
    landing = landing.resolve()
    folder = landing / RECEIPTS
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    names = [name for name in names if _RECEIPT_NAME.fullmatch(name)]
    files: list[LandedFile] = []
    dismissed: list[Dismissal] = []
    previous: str | None = None
    for number, name in enumerate(names, start=1):
        if name != f"{number:06d}.json":
            raise Corrupted(
                f"{folder}: receipt {number:06d}.json is missing; restore it from a backup"
            )
        content = (folder / name).read_bytes()
        brought, closed = _read_receipt(folder / name, content, landing, number, previous)
        files.extend(brought)
        dismissed.extend(closed)
        previous = hashlib.sha256(content).hexdigest()
    return Receipts(len(names), previous, tuple(files), tuple(dismissed))


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
        "received_at": write_instant(delivery.received_at),
        "historical": delivery.historical,
        "note": note,
        "files": [file_document(landing, file) for file in delivery.files],
        "dismissed": [{"id": each.row_id, "reason": each.reason} for each in delivery.dismissed],
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


def _read_receipt(
    path: Path, content: bytes, landing: Path, number: int, previous: str | None
) -> tuple[list[LandedFile], list[Dismissal]]:
    try:
        document = json.loads(content)
        found = document["format"], document["number"], document["previous_sha256"]
        files = [read_file_document(entry, landing, number) for entry in document["files"]]
        dismissed = [
            Dismissal(str(entry["id"]), str(entry["reason"]), number)
            for entry in document.get("dismissed", ())
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Corrupted(f"{path} is damaged; restore it from a backup") from fault
    if found[0] not in _READABLE:
        raise Corrupted(
            f"{path} has format {found[0]!r}; this version reads formats "
            f"{' and '.join(map(str, _READABLE))}"
        )
    if found[1] != number:
        raise Corrupted(f"{path} says it is receipt {found[1]!r}; restore it from a backup")
    if found[2] != previous:
        raise Corrupted(
            f"{path} was not written after the receipts before it as they are now; restore "
            f"{path.parent} from a backup"
        )
    return files, dismissed
