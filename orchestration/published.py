"""The published zone: immutable runs and their manifests.

Here belongs everything that writes or reads ``<data>/published``, and nothing else does. A run
exists once its manifest stands at its final name; whatever else lies in the zone is a leftover of
a killed run and is replaced.

    published/<table>/quarter=2026-10-01/run=0001/<table>.parquet
    published/_manifests/quarter=2026-10-01/run=0001.json
"""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.contracts import load_contract
from orchestration.errors import NotPublished, Restated
from orchestration.files import file_digest, flush, sql_literal
from orchestration.row_hash import row_hash
from orchestration.stages import schema_of

MANIFEST_VERSION = 1


@dataclass(frozen=True)
class PublishedRun:
    """One published run of a quarter, as its manifest tells it."""

    zone: Path
    quarter: Quarter
    run: int
    manifest: Mapping[str, Any]

    @property
    def stage(self) -> str:
        """The stage run that made it, such as ``round-2``."""
        return str(self.manifest["stage"])

    @property
    def kind(self) -> str:
        """Its kind: announce, round or settle."""
        return str(self.manifest["stage_kind"])

    @property
    def cutoff_at(self) -> datetime:
        """The instant its facts end (UTC)."""
        return datetime.fromisoformat(str(self.manifest["cutoff_at"]))

    @property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """Row counts, hashes and columns by table."""
        tables: Mapping[str, Mapping[str, Any]] = self.manifest["tables"]
        return tables

    @property
    def manifest_path(self) -> Path:
        """Where the manifest stands."""
        return _manifest_path(self.zone, self.quarter, self.run)

    def file(self, table: str) -> Path:
        """Where one table's rows stand."""
        return _table_folder(self.zone, table, self.quarter, self.run) / f"{table}.parquet"

    def input_record(self) -> dict[str, Any]:
        """How a later run names this one among its inputs."""
        digests = {table: entry["sha256"] for table, entry in self.tables.items()}
        return {
            "quarter": self.quarter.label,
            "run": self.run,
            "stage": self.stage,
            "sha256": digests,
        }


def published_runs(zone: Path, quarter: Quarter) -> tuple[PublishedRun, ...]:
    """A quarter's runs in the order in which they were published."""
    folder = zone / "_manifests" / f"quarter={quarter.key}"
    runs = []
    for path in sorted(folder.glob("run=*.json")):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        runs.append(PublishedRun(zone, quarter, int(manifest["run"]), manifest))
    return tuple(runs)


def published_quarters(zone: Path) -> tuple[Quarter, ...]:
    """Every quarter with at least one published run, in order."""
    folders = sorted((zone / "_manifests").glob("quarter=*"))
    return tuple(
        Quarter.parse(folder.name.removeprefix("quarter="))
        for folder in folders
        if any(folder.glob("run=*.json"))
    )


def latest_run(zone: Path, quarter: Quarter, stage: str) -> PublishedRun | None:
    """The last published run of one stage of a quarter, or None."""
    runs = [run for run in published_runs(zone, quarter) if run.stage == stage]
    return runs[-1] if runs else None


def required_run(zone: Path, quarter: Quarter, stage: str) -> PublishedRun:
    """The last published run of one stage of a quarter.

    Raises:
        NotPublished: there is none; the sentence says which command makes it.
    """
    run = latest_run(zone, quarter, stage)
    if run is None:
        raise NotPublished(
            f"{quarter.label} has no published {stage}; "
            f"run `fbacap run {quarter.label} --stage {stage}` first"
        )
    return run


def current_runs(
    zone: Path, quarter: Quarter, stage_order: Sequence[str]
) -> dict[str, PublishedRun]:
    """For each table of a quarter the run that holds now: the latest stage's last run."""
    current: dict[str, PublishedRun] = {}
    place = {stage: index for index, stage in enumerate(stage_order)}
    for run in sorted(
        published_runs(zone, quarter), key=lambda run: (place.get(run.stage, len(place)), run.run)
    ):
        for table in run.tables:
            current[table] = run
    return current


@dataclass(frozen=True)
class Publication:
    """What publishing did: the run that stands for the content, and whether it is new."""

    run: PublishedRun
    is_new: bool


def publish(
    connection: duckdb.DuckDBPyConnection,
    zone: Path,
    quarter: Quarter,
    stage: StageCutoff,
    tables: Iterable[str],
    facts: Mapping[str, Any],
    *,
    is_rebased: bool = False,
) -> Publication:
    """Publish a stage run's tables all or nothing; identical content is not published twice.

    Publishing one quarter is serialised across processes, whoever started them. ``facts`` are the
    manifest's other entries (policy, code, inputs, checks); ``is_rebased``: a settlement's deltas
    count from the latest settlement run.

    Raises:
        Restated: the content differs from the stage's last run and ``is_rebased`` is not set.
    """
    zone.mkdir(parents=True, exist_ok=True)
    with _publishing(zone, quarter):
        return _publish(connection, zone, quarter, stage, tables, facts, is_rebased=is_rebased)


@contextmanager
def _publishing(zone: Path, quarter: Quarter) -> Iterator[None]:
    folder = zone / "_locks"
    folder.mkdir(exist_ok=True)
    with (folder / f"{quarter.key}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _publish(
    connection: duckdb.DuckDBPyConnection,
    zone: Path,
    quarter: Quarter,
    stage: StageCutoff,
    tables: Iterable[str],
    facts: Mapping[str, Any],
    *,
    is_rebased: bool = False,
) -> Publication:
    runs = published_runs(zone, quarter)
    number = runs[-1].run + 1 if runs else 1
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=zone))
    try:
        entries = {table: _write_table(connection, table, staging) for table in tables}
        before = latest_run(zone, quarter, stage.name)
        if before is not None and _same_content(before.tables, entries):
            return Publication(before, is_new=False)
        if before is not None and stage.kind == "settle" and not is_rebased:
            raise Restated(
                f"{quarter.label} {stage.name} differs from run {before.run} published before, so "
                "its deltas must count from the latest settlement run; "
                f"`fbacap run {quarter.label} --stage {stage.name}` publishes it that way"
            )
        manifest = {
            "manifest_version": MANIFEST_VERSION,
            "quarter": quarter.label,
            "quarter_start": quarter.key,
            "run": number,
            "stage": stage.name,
            "stage_kind": stage.kind,
            "cutoff_at": stage.cutoff_at.isoformat(),
            **facts,
            "tables": entries,
        }
        _put_in_place(zone, staging, quarter, number, entries)
        _write_manifest(zone, quarter, number, manifest)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Publication(PublishedRun(zone, quarter, number, manifest), is_new=True)


def _write_table(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> dict[str, Any]:
    contract = load_contract(table)
    relation = f"{schema_of(table)}.{table}"
    columns = ", ".join(f'"{name}"' for name in contract.column_names)
    order = ", ".join(f'"{name}"' for name in contract.key)
    path = folder / f"{table}.parquet"
    connection.execute(
        f"copy (select {columns} from {relation} order by {order}) to {sql_literal(path)} "
        "(format parquet, compression zstd, row_group_size 122880)"
    )
    flush(path)
    (rows,) = connection.execute(f"select count(*) from {relation}").fetchone() or (0,)
    return {
        "rows": int(rows),
        "sha256": file_digest(path),
        "row_hash": row_hash(connection, relation, contract.column_names),
        "contract_version": contract.version,
        "key": list(contract.key),
        "columns": [
            {"name": column.name, "type": column.physical_type} for column in contract.columns
        ],
    }


def _same_content(
    before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]
) -> bool:
    if set(before) != set(now):
        return False
    return all(before[table]["sha256"] == now[table]["sha256"] for table in now)


def _put_in_place(
    zone: Path, staging: Path, quarter: Quarter, number: int, tables: Iterable[str]
) -> None:
    for table in tables:
        folder = _table_folder(zone, table, quarter, number)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        path = folder / f"{table}.parquet"
        (staging / f"{table}.parquet").replace(path)
        path.chmod(0o444)
        flush(folder)


def _write_manifest(zone: Path, quarter: Quarter, number: int, manifest: Mapping[str, Any]) -> None:
    path = _manifest_path(zone, quarter, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o444)
    flush(temporary)
    temporary.replace(path)
    flush(path.parent)


def _table_folder(zone: Path, table: str, quarter: Quarter, run: int) -> Path:
    return zone / table / f"quarter={quarter.key}" / f"run={run:04d}"


def _manifest_path(zone: Path, quarter: Quarter, run: int) -> Path:
    return zone / "_manifests" / f"quarter={quarter.key}" / f"run={run:04d}.json"
