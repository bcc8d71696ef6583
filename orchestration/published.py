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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.errors import Corrupted, NotPublished, Superseded
from orchestration.published_files import (
    manifest_path,
    put_in_place,
    remove_leftovers,
    staging_folder,
    table_folder,
    write_manifest,
    write_table,
)
from orchestration.same_content import same_content
from orchestration.whole_files import require_whole

MANIFEST_VERSION = 1
_NEEDED = ("run", "stage", "stage_kind", "cutoff_at", "tables")


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
        return manifest_path(self.zone, self.quarter, self.run)

    def file(self, table: str) -> Path:
        """Where one table's rows stand."""
        return table_folder(self.zone, table, self.quarter, self.run) / f"{table}.parquet"

    @property
    def files(self) -> dict[Path, str]:
        """Every file of the run with its SHA-256."""
        return {self.file(table): str(entry["sha256"]) for table, entry in self.tables.items()}

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
    """A quarter's runs in the order in which they were published.

    Raises:
        Corrupted: a manifest cannot be read.
    """
    folder = zone / "_manifests" / f"quarter={quarter.key}"
    return tuple(_read_run(zone, quarter, path) for path in sorted(folder.glob("run=*.json")))


def _read_run(zone: Path, quarter: Quarter, path: Path) -> PublishedRun:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        lacking = [name for name in _NEEDED if name not in manifest]
        is_whole = not lacking and path == manifest_path(zone, quarter, int(manifest["run"]))
    except (ValueError, TypeError) as error:
        raise _no_manifest(path) from error
    if not is_whole:
        raise _no_manifest(path)
    return PublishedRun(zone, quarter, int(manifest["run"]), manifest)


def _no_manifest(path: Path) -> Corrupted:
    return Corrupted(
        f"{path} is no whole manifest any more; restore it from a backup of the published zone"
    )


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
    return last_of(published_runs(zone, quarter), stage)


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
    return current_of(published_runs(zone, quarter))


def current_of(runs: Iterable[PublishedRun]) -> dict[str, PublishedRun]:
    """The same among runs that were read already."""
    current: dict[str, PublishedRun] = {}
    for run in sorted(runs, key=lambda run: (run.cutoff_at, run.run)):
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
        Corrupted: a manifest of the quarter, or what the stage published before, is not whole.
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
    number = len(runs) + 1
    if gap := next((n for n, run in enumerate(runs, start=1) if run.run != n), None):
        raise Corrupted(
            f"{manifest_path(zone, quarter, gap)} is missing, though a later run was published; "
            "restore it from a backup of the published zone"
        )
    remove_leftovers(zone, quarter, number)
    settled = latest_settlement(runs)
    before = settled if reason is not None else last_of(runs, stage.name)
    if before is not None:
        require_whole(before.files)
    staging = staging_folder(zone, quarter)
    staging.mkdir()
    try:
        entries = {table: write_table(connection, table, staging) for table in tables}
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
        put_in_place(zone, staging, quarter, number, entries)
        write_manifest(zone, quarter, number, manifest)
    finally:
        shutil.rmtree(staging)
    return Publication(PublishedRun(zone, quarter, number, manifest), is_new=True)


def last_of(runs: Sequence[PublishedRun], stage: str) -> PublishedRun | None:
    """The last run of one stage among a quarter's runs, or None."""
    return next((run for run in reversed(runs) if run.stage == stage), None)
