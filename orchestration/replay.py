"""Replay: making a published run again from its manifest, and comparing every byte.

Here belong what a run may see when it is made again (the landing files and published runs that its
manifest names, under the policy that stands in it) and the comparison. Where it runs is
``scratch``; recomputing figures in other code is ``verification``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.code_version import code_version
from orchestration.engine import engine
from orchestration.errors import Corrupted, FbacapError, NotPublished
from orchestration.files import file_digest, sql_literal
from orchestration.landing import LandedFile, landed_files
from orchestration.paths import DataFolder
from orchestration.published import PublishedRun, published_runs
from orchestration.scratch import (
    link_landing,
    link_runs,
    run_stages,
    scratch_folder,
    write_policies,
)
from orchestration.stages import RESULTS_TABLE


@dataclass(frozen=True)
class TableReplay:
    """One published table beside the one made again.

    ``published_sha256`` is of the file as it stands, ``manifest_sha256`` what its manifest says.
    Rows are counted only where bytes differ, else None.
    """

    table: str
    rows: int
    manifest_sha256: str
    published_sha256: str
    replayed_sha256: str
    is_same: bool
    rows_only_published: int | None = None
    rows_only_replayed: int | None = None


@dataclass(frozen=True)
class RunReplay:
    """One published run made again: its tables, what its manifest says otherwise, or why not."""

    run: int
    stage: str
    tables: tuple[TableReplay, ...]
    other_entries: tuple[str, ...]
    failure: str | None
    warning: str | None

    @property
    def holds(self) -> bool:
        """Whether every table and every entry of the manifest but the code version is the same."""
        return not self.failure and not self.other_entries and self.first_different is None

    @property
    def first_different(self) -> TableReplay | None:
        """The first table, by name, whose bytes differ."""
        return next((table for table in self.tables if not table.is_same), None)

    @property
    def sentence(self) -> str | None:
        """What differs first, or None."""
        if self.failure:
            return f"run {self.run} {self.stage} cannot be made again: {self.failure}"
        table = self.first_different
        if table is not None:
            return (
                f"run {self.run} {self.stage}: {table.table} differs first: "
                f"{table.rows_only_published} rows stand only in what was published, "
                f"{table.rows_only_replayed} only in what was made again"
            )
        if self.other_entries:
            return f"run {self.run} {self.stage}: its manifest differs in {self.other_entries[0]}"
        return None


def replay_quarter(
    data: DataFolder,
    quarter: Quarter,
    *,
    run: int | None = None,
    keep: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Iterator[RunReplay]:
    """Make every published run of a quarter again, or one of them, and compare.

    Args:
        data: the data folder; nothing in it is changed.
        quarter: the quarter.
        run: the number of the one run to replay.
        keep: a new folder to keep what was made in, a data folder a run; default: none is kept.
        progress: called with the run's name and the share of the runs done, 0 to 1.

    Raises:
        NotPublished: the quarter, or that run of it, is not published.
        Corrupted: an input is not there any more, or not as it was.
    """
    every = published_runs(data.published, quarter)
    chosen = [each for each in every if run in (None, each.run)]
    if not chosen:
        numbers = ", ".join(str(each.run) for each in every) or "none"
        raise NotPublished(
            f"{quarter.label} has no published run to replay{f' as run {run}' if run else ''}; "
            f"its runs are {numbers}"
        )
    checked: set[Path] = set()
    for index, each in enumerate(chosen):
        if progress is not None:
            progress(f"{quarter.label} run {each.run} {each.stage}", index / len(chosen))
        place = None if keep is None else keep / f"run-{each.run:04d}"
        yield _replay(data, each, place, checked)


def _replay(
    data: DataFolder, run: PublishedRun, place: Path | None, checked: set[Path]
) -> RunReplay:
    files = _landing_inputs(data, run, checked)
    earlier = _published_inputs(data, run, checked)
    manifest = run.manifest
    stage = StageCutoff(run.stage, run.manifest["stage_kind"], run.cutoff_at)
    with scratch_folder(place) as scratch:
        link_landing(scratch, files)
        link_runs(scratch, earlier)
        others = [each.manifest["policy"] for each in earlier if each.quarter != run.quarter]
        write_policies(scratch, [manifest["policy"], *others])
        try:
            (outcome,) = run_stages(scratch, run.quarter, [(stage, run.reason)])
        except FbacapError as error:
            return RunReplay(run.run, run.stage, (), (), str(error), _warning(manifest))
        again = outcome.published
        if not outcome.is_new:
            failure = f"it says nothing that run {again.run} ({again.stage}) had not said"
            return RunReplay(run.run, run.stage, (), (), failure, _warning(manifest))
        return RunReplay(
            run.run,
            run.stage,
            tuple(_compare(run, again)),
            tuple(_other_entries(manifest, again.manifest)),
            None,
            _warning(manifest),
        )


def _landing_inputs(data: DataFolder, run: PublishedRun, checked: set[Path]) -> list[LandedFile]:
    """The landed files that a manifest names; a file received later is not among them."""
    landed = {(file.table, file.sha256): file for file in landed_files(data.landing)}
    files = []
    for entry in run.manifest["inputs"]["landing"]:
        file = landed.get((entry["table"], entry["sha256"]))
        if file is None:
            raise Corrupted(
                f"{run.manifest_path} was made from a file of {entry['table']} with SHA-256 "
                f"{entry['sha256']}, which {data.landing} does not hold; restore it from a backup"
            )
        _check(file.typed_path, file.typed_sha256, checked)
        files.append(file)
    return files


def _published_inputs(
    data: DataFolder, run: PublishedRun, checked: set[Path]
) -> list[PublishedRun]:
    """What the run could see: its quarter's runs before it, and the others that it names."""
    before = [each for each in published_runs(data.published, run.quarter) if each.run < run.run]
    found = {(each.quarter.label, each.run): each for each in before}
    for record in run.manifest["inputs"]["published"]:
        key = (record["quarter"], record["run"])
        if key not in found:
            quarter = Quarter.parse(record["quarter"])
            others = {each.run: each for each in published_runs(data.published, quarter)}
            if record["run"] not in others:
                raise Corrupted(
                    f"{run.manifest_path} was made from run {record['run']} of {record['quarter']},"
                    f" which {data.published} does not hold; restore it from a backup"
                )
            found[key] = others[record["run"]]
        for table, sha256 in record["sha256"].items():
            _check(found[key].file(table), sha256, checked)
    return list(found.values())


def _check(path: Path, sha256: str, checked: set[Path]) -> None:
    if path in checked:
        return
    if not path.is_file() or file_digest(path) != sha256:
        raise Corrupted(
            f"{path} is missing or not what it was when it was an input; restore it from a backup"
        )
    checked.add(path)


def _compare(run: PublishedRun, again: PublishedRun) -> Iterator[TableReplay]:
    same_code = run.manifest["code_version"] == again.manifest["code_version"]
    for table in sorted({*run.tables, *again.tables}):
        if table == RESULTS_TABLE and not same_code:
            continue  # other code may ask other rules of the same figures
        entry, made = run.tables.get(table, {}), again.tables.get(table, {})
        path = run.file(table)
        published = file_digest(path) if path.is_file() else "missing"
        digests = (entry.get("sha256", ""), published, made.get("sha256", ""))
        is_same = len(set(digests)) == 1 and entry["row_hash"] == made["row_hash"]
        only = (None, None) if is_same else _rows_apart(path, again.file(table))
        yield TableReplay(table, int(entry.get("rows", 0)), *digests, is_same, *only)


def _rows_apart(published: Path, replayed: Path) -> tuple[int | None, int | None]:
    """Rows that stand on one side only; None where a side cannot be read or has other columns."""
    one, other = (
        f"(from read_parquet({sql_literal(path)}, hive_partitioning = false))"
        for path in (published, replayed)
    )
    with engine() as connection:
        try:
            row = connection.execute(
                f"select (select count(*) from (from {one} except all from {other})), "
                f"(select count(*) from (from {other} except all from {one}))"
            ).fetchone()
        except duckdb.Error:
            return None, None
    return (None, None) if row is None else (int(row[0]), int(row[1]))


def _other_entries(published: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """The manifest's entries that differ; tables are compared apart, code may differ."""
    # Runs published before the table contract_results have their checks in the manifest.
    apart = {"tables", "code_version", "engine", "checks"}
    names = sorted({*published, *again} - apart)
    return [name for name in names if published.get(name) != again.get(name)]


def _warning(manifest: Mapping[str, Any]) -> str | None:
    made_by = (manifest["code_version"], manifest["engine"])
    here = (code_version(), f"duckdb {duckdb.__version__}")
    if made_by == here:
        return None
    return (
        f"published by code {made_by[0]} on {made_by[1]}, replayed by code {here[0]} on {here[1]}"
    )


def replay_document(quarter: Quarter, replays: list[RunReplay]) -> dict[str, Any]:
    """Plain values for ``--json``."""
    return {
        "quarter": quarter.label,
        "replayed": all(each.holds for each in replays),
        "runs": [{**asdict(each), "same": each.holds} for each in replays],
    }
