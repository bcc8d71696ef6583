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
from orchestration.errors import NotPublished, Superseded
from orchestration.files import file_digest, flush, sql_literal
from orchestration.row_hash import row_hash
from orchestration.same_content import same_content
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
    def reason(self) -> str | None:
        """Why it was made, if it is a directed rerun."""
        return self.manifest.get("reason")

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
    return _last_of(published_runs(zone, quarter), stage)


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


def latest_settlement(runs: Sequence[PublishedRun]) -> PublishedRun | None:
    """The last settlement run among a quarter's runs, or None; deltas count from it."""
    settled = [run for run in runs if run.kind == "settle"]
    return settled[-1] if settled else None


def current_runs(zone: Path, quarter: Quarter) -> dict[str, PublishedRun]:
    """For each table of a quarter the run that holds now: of those that know most, the last."""
    current: dict[str, PublishedRun] = {}
    for run in sorted(published_runs(zone, quarter), key=lambda run: (run.cutoff_at, run.run)):
        for table in run.tables:
            current[table] = run
    return current


@dataclass(frozen=True)
class Publication:
    """What publishing did: the run that stands for the stage, and whether it is new.

    ``superseded_by``: the settlement run because of which other content was not published.
    """

    run: PublishedRun
    is_new: bool
    superseded_by: PublishedRun | None = None


def publish(
    connection: duckdb.DuckDBPyConnection,
    zone: Path,
    quarter: Quarter,
    stage: StageCutoff,
    tables: Iterable[str],
    facts: Mapping[str, Any],
    *,
    reason: str | None = None,
) -> Publication:
    """Publish a stage run's tables all or nothing; identical content is not published twice.

    Publishing one quarter is serialised across processes, whoever started them. ``facts`` are the
    manifest's other entries (policy, code, inputs, checks); ``reason``: why, for a directed rerun,
    which is published if it differs from the latest settlement run, whatever that one's stage.

    A settlement run is not published after one with a later cut-off: it would take back what the
    run that knew more has posted.

    Raises:
        Superseded: that is so, and its stage was never published.
    """
    zone.mkdir(parents=True, exist_ok=True)
    with _publishing(zone, quarter):
        return _publish(connection, zone, quarter, stage, tables, facts, reason)


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
    reason: str | None,
) -> Publication:
    runs = published_runs(zone, quarter)
    number = runs[-1].run + 1 if runs else 1
    settled = latest_settlement(runs)
    before = settled if reason is not None else _last_of(runs, stage.name)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=zone))
    try:
        entries = {table: _write_table(connection, table, staging) for table in tables}
        if before is not None and same_content(connection, before, staging, entries):
            return Publication(before, is_new=False)
        if stage.kind == "settle" and settled is not None and settled.cutoff_at > stage.cutoff_at:
            if before is None:
                raise Superseded(
                    f"{quarter.label} {settled.stage} (run {settled.run}) was published before "
                    f"{stage.name} and knows more; settle what came since with `fbacap rerun`"
                )
            return Publication(before, is_new=False, superseded_by=settled)
        manifest = {
            "manifest_version": MANIFEST_VERSION,
            "quarter": quarter.label,
            "quarter_start": quarter.key,
            "run": number,
            "stage": stage.name,
            "stage_kind": stage.kind,
            "cutoff_at": stage.cutoff_at.isoformat(),
            **({} if reason is None else {"reason": reason}),
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


def _last_of(runs: Sequence[PublishedRun], stage: str) -> PublishedRun | None:
    return next((run for run in reversed(runs) if run.stage == stage), None)


def _table_folder(zone: Path, table: str, quarter: Quarter, run: int) -> Path:
    return zone / table / f"quarter={quarter.key}" / f"run={run:04d}"


def _manifest_path(zone: Path, quarter: Quarter, run: int) -> Path:
    return zone / "_manifests" / f"quarter={quarter.key}" / f"run={run:04d}.json"
