"""What must hold of a data folder whatever befell it, and of one that a run has gone on from.

Here belong the invariants, read from the files themselves wherever that can be done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from orchestration.catalogue import query
from orchestration.files import file_digest
from orchestration.landing import check_landing, landed_files
from orchestration.paths import DataFolder
from orchestration.status import quarter_status
from tests.two_quarters import published_bytes

_LATER = datetime(2030, 1, 1, tzinfo=UTC)


def faults_of_zone(data: DataFolder, expected: Mapping[str, str] | None) -> list[str]:
    """What is wrong with the published zone, in sentences; nothing, however a run was killed.

    Args:
        data: the data folder.
        expected: what the undisturbed run published, by path; None: not compared.
    """
    faults = []
    runs: dict[tuple[str, int], str] = {}
    for path in sorted(data.published.glob("_manifests/quarter=*/run=*.json")):
        name = path.relative_to(data.published).as_posix()
        if expected is not None and expected.get(name) != file_digest(path):
            faults.append(f"{name} is not what the undisturbed run wrote")
        manifest = json.loads(path.read_text(encoding="utf-8"))
        runs[manifest["quarter"], manifest["run"]] = manifest["stage"]
        for table, entry in manifest["tables"].items():
            file = f"{table}/{path.parent.name}/{path.stem}/{table}.parquet"
            whole = data.published / file
            if not whole.is_file():
                faults.append(f"{name} names {file}, which is not there")
            elif file_digest(whole) != entry["sha256"]:
                faults.append(f"{file} has other bytes than {name} says")
    return faults or _faults_of_readers(data, runs)


def _faults_of_readers(data: DataFolder, runs: Mapping[tuple[str, int], str]) -> list[str]:
    """Readers see the published runs, every row of them and nothing else."""
    faults = []
    _, seen = query(data, "select quarter, run, stage from runs")
    if {(str(quarter), run): stage for quarter, run, stage in seen} != dict(runs):
        faults.append(f"the catalogue shows {seen}, published are {dict(runs)}")
    shown = {
        (row["quarter"], row["run"]): row["stage"]
        for row in quarter_status(data, _LATER)
        if row["state"] == "published"
    }
    if shown != dict(runs):
        faults.append(f"the status shows {shown}, published are {dict(runs)}")
    for path in sorted(data.published.glob("_manifests/quarter=*/run=*.json")):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        where = f"where quarter = '{manifest['quarter']}' and run = {manifest['run']}"
        counts = ", ".join(
            f"(select count(*) from all_runs.{table} {where})" for table in manifest["tables"]
        )
        (row,) = query(data, f"select {counts}")[1]
        wanted = tuple(entry["rows"] for entry in manifest["tables"].values())
        if row != wanted:
            faults.append(f"{path} says {wanted} rows, the catalogue shows {row}")
    return faults


def faults_of_landing(data: DataFolder, files: Mapping[str, str]) -> list[str]:
    """What is wrong with a landing zone into which one delivery was being received."""
    landed = landed_files(data.landing)
    faults = list(check_landing(data.landing))
    if landed and {file.table: file.sha256 for file in landed} != dict(files):
        faults.append(f"{len(landed)} of {len(files)} files of the delivery have landed")
    return faults


def faults_of_finished(data: DataFolder, expected: Mapping[str, str]) -> list[str]:
    """What differs from the undisturbed run once a run has come to its end: not one byte."""
    found = published_bytes(data)
    faults = [f"{name} was left behind" for name in sorted(found.keys() - expected.keys())]
    faults += [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    faults += [
        f"{name} differs from the undisturbed run's"
        for name in sorted(found.keys() & expected.keys())
        if found[name] != expected[name]
    ]
    faults += [f"{path} was left behind" for path in _leftovers(data)]
    return faults


def _leftovers(data: DataFolder) -> list[Path]:
    """Working files of runs that have ended, and what a delivery would have cleared away."""
    return [*sorted(data.work.rglob("*.duckdb*")), *sorted(data.landing.glob("incoming"))]
