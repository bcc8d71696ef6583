"""A file taken in: what a receipt says of it, and where in the zone its bytes are.

Here belong one file's entry in a receipt and the names of files in the zone. The receipts that hold
the entries, and the chain between them, are ``receipts``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

STORED_NAME = re.compile(r"(?P<sha256>[0-9a-f]{64})\.(?:csv|parquet)")
MADE_NAME = re.compile(r"(?P<sha256>[0-9a-f]{64})-(?P<number>[0-9]{6})\.parquet")
_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class LandedFile:
    """A file taken in: its bytes as received, and the typed copy that runs read.

    Attributes:
        table: the input table.
        source_name: the file's name, as people find it in the delivered folder.
        sha256: of its bytes as received.
        bytes: how many those are.
        rows: rows accepted, all of them in the typed copy.
        received_rows: rows that the file holds: accepted and quarantined ones.
        received_at_min: when the first accepted row was received, naive UTC; None without rows.
        received_at_max: when the last was.
        simulated: how the rows were made when they are not a marketplace's own.
        contract_version: of the contract that judged the rows.
        stored_path: the bytes as received.
        typed_path: the typed copy.
        typed_sha256: of the typed copy.
        delivery: the number of the delivery.
        warned_rows: for each rule of severity warning that some accepted rows break, how many.
        quarantine_path: the rows kept apart; None when there are none.
        quarantine_sha256: of that file.
        released: of rows that came out of quarantine, their ids in the order of the file's rows.
    """

    table: str
    source_name: str
    sha256: str
    bytes: int
    rows: int
    received_rows: int
    received_at_min: datetime | None
    received_at_max: datetime | None
    simulated: str | None
    contract_version: str
    stored_path: Path
    typed_path: Path
    typed_sha256: str
    delivery: int
    warned_rows: tuple[tuple[str, int], ...] = ()
    quarantined_rows: int = 0
    quarantine_path: Path | None = None
    quarantine_sha256: str | None = None
    released: tuple[str, ...] = ()


def stored_path(landing: Path, table: str, sha256: str, kind: str) -> Path:
    """Where a file's bytes as received are."""
    return landing / "files" / table / f"{sha256}.{kind}"


def typed_path(landing: Path, table: str, sha256: str, number: int) -> Path:
    """Where a file's typed copy is; a delivery never writes over the copy of another."""
    return landing / "typed" / table / f"{sha256}-{number:06d}.parquet"


def quarantine_path(landing: Path, table: str, sha256: str, number: int) -> Path:
    """Where the rows of a file that were kept apart are."""
    return landing / "quarantine" / table / f"{sha256}-{number:06d}.parquet"


def naive_utc(instant: datetime) -> datetime:
    """An instant as the zone stores it; a naive one is UTC already.

    >>> from datetime import timedelta, timezone
    >>> naive_utc(datetime(2026, 8, 20, 2, tzinfo=timezone(timedelta(hours=2)))).isoformat()
    '2026-08-20T00:00:00'
    """
    if instant.tzinfo is None:
        return instant
    return instant.astimezone(UTC).replace(tzinfo=None)


def write_instant(instant: datetime | None) -> str | None:
    """A naive UTC instant as receipts write it."""
    return None if instant is None else instant.isoformat(timespec="microseconds") + "Z"


def read_instant(text: str | None) -> datetime | None:
    """What ``write_instant`` wrote."""
    return None if text is None else naive_utc(datetime.fromisoformat(text))


def file_document(landing: Path, file: LandedFile) -> dict[str, Any]:
    """A file's entry in a receipt."""
    apart = file.quarantine_path
    return {
        "table": file.table,
        "source_name": file.source_name,
        "sha256": file.sha256,
        "bytes": file.bytes,
        "received_rows": file.received_rows,
        "rows": file.rows,
        "quarantined_rows": file.quarantined_rows,
        "warned_rows": dict(file.warned_rows),
        "received_at_min": write_instant(file.received_at_min),
        "received_at_max": write_instant(file.received_at_max),
        "simulated": file.simulated,
        "contract_version": file.contract_version,
        "stored_path": file.stored_path.relative_to(landing).as_posix(),
        "typed_path": file.typed_path.relative_to(landing).as_posix(),
        "typed_sha256": file.typed_sha256,
        "quarantine_path": None if apart is None else apart.relative_to(landing).as_posix(),
        "quarantine_sha256": file.quarantine_sha256,
        "released": list(file.released),
    }


def read_file_document(entry: Mapping[str, Any], landing: Path, number: int) -> LandedFile:
    """Read a file's entry; one of format 1 has no quarantine, so it accepted all it received.

    Raises:
        KeyError, TypeError, ValueError: it is no such entry, or one that names files elsewhere.
    """
    table, sha256 = str(entry["table"]), str(entry["sha256"])
    kind = str(entry["stored_path"]).rpartition(".")[2]
    stored = stored_path(landing, table, sha256, kind)
    typed = typed_path(landing, table, sha256, number)
    rows = int(entry["rows"])
    received_rows = int(entry.get("received_rows", rows))
    quarantined_rows = int(entry.get("quarantined_rows", 0))
    apart = quarantine_path(landing, table, sha256, number) if quarantined_rows else None
    named = entry.get("quarantine_path")
    # A receipt names files inside the zone and nowhere else, whoever wrote it.
    if not (
        _TABLE_NAME.fullmatch(table)
        and STORED_NAME.fullmatch(stored.name)
        and stored == landing / entry["stored_path"]
        and typed == landing / entry["typed_path"]
        and apart == (None if named is None else landing / named)
    ):
        raise ValueError("the paths are not those of a landed file")
    if received_rows != rows + quarantined_rows:
        raise ValueError("a row received is neither accepted nor quarantined")
    return LandedFile(
        table=table,
        source_name=entry["source_name"],
        sha256=sha256,
        bytes=int(entry["bytes"]),
        rows=rows,
        received_rows=received_rows,
        received_at_min=read_instant(entry["received_at_min"]),
        received_at_max=read_instant(entry["received_at_max"]),
        simulated=entry["simulated"],
        contract_version=entry["contract_version"],
        stored_path=stored,
        typed_path=typed,
        typed_sha256=entry["typed_sha256"],
        delivery=number,
        warned_rows=tuple((str(r), int(n)) for r, n in entry.get("warned_rows", {}).items()),
        quarantined_rows=quarantined_rows,
        quarantine_path=apart,
        quarantine_sha256=entry["quarantine_sha256"] if quarantined_rows else None,
        released=tuple(map(str, entry.get("released", ()))),
    )
