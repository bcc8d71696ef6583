"""What stands published of a quarter, read from its manifests alone.

Here belongs a reader of its own: a verification that found runs through ``orchestration.published``
would share that module's mistakes. Nothing here writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from orchestration.errors import Corrupted, NotPublished
from orchestration.verification.statements import RunParameters

_NEEDED = ("quarter", "run", "stage", "stage_kind", "cutoff_at", "policy", "inputs", "tables")


@dataclass(frozen=True)
class Manifest:
    """One published run: its place in the zone, and what its manifest says.

    ``quarter_key`` and ``run`` are those of the manifest's place, whatever it says itself.
    """

    zone: Path
    quarter_key: str
    run: int
    document: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Where the manifest stands."""
        return manifest_path(self.zone, self.quarter_key, self.run)

    @property
    def stage(self) -> str:
        """The stage run that made it, such as ``round-2``."""
        return str(self.document["stage"])

    @property
    def kind(self) -> str:
        """announce, round or settle."""
        return str(self.document["stage_kind"])

    @property
    def label(self) -> str:
        """As findings name it: ``run 5 round-4``."""
        return f"run {self.run} {self.stage}"

    @property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """What it says of each table: rows, hashes, columns, key."""
        tables: Mapping[str, Mapping[str, Any]] = self.document["tables"]
        return tables

    @property
    def inputs(self) -> Sequence[Mapping[str, Any]]:
        """The published runs that it was built on, with their tables' hashes."""
        published: Sequence[Mapping[str, Any]] = self.document["inputs"]["published"]
        return published

    @property
    def parameters(self) -> RunParameters:
        """What the rules need of it."""
        return RunParameters(
            self.document["policy"],
            date.fromisoformat(self.quarter_key),
            datetime.fromisoformat(str(self.document["cutoff_at"])),
        )

    def folder(self, table: str) -> Path:
        """The folder of one table's file."""
        return self.zone / table / f"quarter={self.quarter_key}" / f"run={self.run:04d}"

    def file(self, table: str) -> Path:
        """Where one table's rows stand."""
        return self.folder(table) / f"{table}.parquet"


def manifest_path(zone: Path, quarter_key: str, run: int) -> Path:
    """Where a run's manifest stands."""
    return zone / "_manifests" / f"quarter={quarter_key}" / f"run={run:04d}.json"


def read_manifest(zone: Path, quarter_key: str, run: int) -> Manifest:
    """One run's manifest.

    Raises:
        Corrupted: it is not JSON, or lacks an entry that every manifest has.
    """
    path = manifest_path(zone, quarter_key, run)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        lacking = [name for name in _NEEDED if name not in document]
    except (ValueError, TypeError) as error:
        raise Corrupted(
            f"{path} is not a manifest ({error}); restore it from a backup of the published zone"
        ) from error
    if lacking:
        raise Corrupted(
            f"{path} lacks its entry '{lacking[0]}'; restore it from a backup of the published zone"
        )
    return Manifest(zone, quarter_key, run, document)


def quarter_manifests(zone: Path, quarter_key: str, label: str) -> tuple[Manifest, ...]:
    """Every run of a quarter that has a manifest, in order.

    Raises:
        NotPublished: there is none.
        Corrupted: a manifest cannot be read.
    """
    folder = zone / "_manifests" / f"quarter={quarter_key}"
    numbers = sorted(int(path.stem.removeprefix("run=")) for path in folder.glob("run=*.json"))
    if not numbers:
        raise NotPublished(
            f"nothing of {label} is published in {zone}; `fbacap run {label}` first, or name the "
            "data folder with --data"
        )
    return tuple(read_manifest(zone, quarter_key, number) for number in numbers)


def quarter_key_of(label: str) -> str:
    """The key of a quarter that a manifest names by its label.

    >>> quarter_key_of("2018Q2")
    '2018-04-01'
    """
    year, quarter = label.split("Q")
    return f"{year}-{int(quarter) * 3 - 2:02d}-01"
