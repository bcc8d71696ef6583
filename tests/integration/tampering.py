"""Editing what stands published, with and without making its manifests agree.

Here belongs the forger's craft. What must be caught is in ``test_verify``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import duckdb

from fbacap_logic.calendar import Quarter
from orchestration.files import file_digest
from orchestration.published import PublishedRun, published_runs
from orchestration.row_hash import row_hash


def copied(zone: Path, target: Path) -> Path:
    """A copy of a published zone that can be written to."""
    shutil.copytree(zone, target)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def run_of(zone: Path, quarter: Quarter, stage: str) -> PublishedRun:
    return [run for run in published_runs(zone, quarter) if run.stage == stage][-1]


def edit(zone: Path, quarter: Quarter, stage: str, table: str, query: str) -> None:
    """Replace one table of one run by what a query over ``rows`` gives, in the order of its key."""
    run = run_of(zone, quarter, stage)
    path = run.file(table)
    order = ", ".join(run.tables[table]["key"])
    columns = ", ".join(column["name"] for column in run.tables[table]["columns"])
    edited = path.with_suffix(".edited")
    with duckdb.connect() as connection:
        connection.execute(f"create table rows as select * from read_parquet('{path}')")
        before = connection.execute("select count(*) from rows").fetchone()
        assert before != (0,), f"{table} has no row to edit"
        connection.execute(
            f"copy (select {columns} from ({query}) order by {order}) to '{edited}' "
            "(format parquet, compression zstd, row_group_size 122880)"
        )
        changed = connection.execute(
            f"select count(*) from (from rows except all from read_parquet('{edited}')) "
            f"union all select count(*) from (from read_parquet('{edited}') except all from rows)"
        ).fetchall()
    assert changed != [(0,), (0,)], "the edit changed nothing"
    edited.replace(path)


def repack(zone: Path, quarter: Quarter, stage: str, table: str) -> None:
    """Give a file other bytes with the same rows in the same order."""
    path = run_of(zone, quarter, stage).file(table)
    packed = path.with_suffix(".packed")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (from read_parquet('{path}')) to '{packed}' "
            "(format parquet, compression uncompressed)"
        )
    packed.replace(path)


def edit_manifest(zone: Path, quarter: Quarter, stage: str, change) -> None:
    """Change a manifest's document in place."""
    run = run_of(zone, quarter, stage)
    document = json.loads(run.manifest_path.read_text(encoding="utf-8"))
    change(document)
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    run.manifest_path.write_text(text, encoding="utf-8")


def refresh(zone: Path, quarter: Quarter) -> None:
    """Make every manifest of a quarter agree with the files again, inputs' hashes included."""
    digests: dict[int, dict[str, str]] = {}
    for run in published_runs(zone, quarter):
        document = json.loads(run.manifest_path.read_text(encoding="utf-8"))
        for table, entry in document["tables"].items():
            path = run.file(table)
            names = [column["name"] for column in entry["columns"]]
            with duckdb.connect() as connection:
                entry["row_hash"] = row_hash(connection, f"read_parquet('{path}')", names)
            entry["rows"] = int(entry["row_hash"].rpartition(":")[2])
            entry["sha256"] = file_digest(path)
        for record in document["inputs"]["published"]:
            if record["quarter"] == quarter.label:
                record["sha256"] = digests[record["run"]]
        policy = json.dumps(document["policy"], sort_keys=True, separators=(",", ":"))
        document["policy_sha256"] = hashlib.sha256(policy.encode()).hexdigest()
        digests[run.run] = {name: entry["sha256"] for name, entry in document["tables"].items()}
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        run.manifest_path.write_text(text, encoding="utf-8")
