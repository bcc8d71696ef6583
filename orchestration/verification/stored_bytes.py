"""Published bytes against their manifests: hashes, rows, columns, and the chain of inputs.

Here belongs what can be said without the rules. What the rows should hold is ``rounds`` and
``settlements``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import Corrupted
from orchestration.files import file_digest, sql_literal
from orchestration.row_hash import row_hash
from orchestration.verification.findings import Comparison, Difference, facts_compared
from orchestration.verification.manifests import Manifest, quarter_key_of, read_manifest

_IN_MANIFEST = "in its manifest"


def compare_files(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> Comparison:
    """Every file that the manifest names, and every file beside them that it does not name."""
    found = [
        difference
        for table, entry in manifest.tables.items()
        for difference in _file_differences(connection, manifest, table, entry)
    ]
    found += _strays(manifest)
    return facts_compared("files", manifest.label, len(manifest.tables), found)


def unreadable(connection: duckdb.DuckDBPyConnection, manifest: Manifest, table: str) -> str | None:
    """Why one table of a run cannot be read, or None."""
    path = manifest.file(table)
    if not path.is_file():
        return f"{path} is missing"
    try:
        connection.execute(f"select count(columns(*)) from {reader(path)}")
    except duckdb.Error as error:
        return f"{path} cannot be read ({first_line(error)})"
    return None


def compare_inputs(manifest: Manifest) -> Comparison:
    """The hashes by which a run names the runs it was built on, against those runs' manifests."""
    found: list[Difference] = []
    compared = 0
    for record in manifest.inputs:
        key = {"input": f"{record['quarter']} run {record['run']}"}
        try:
            source = read_manifest(
                manifest.zone, quarter_key_of(str(record["quarter"])), int(record["run"])
            )
        except (OSError, Corrupted) as error:
            found.append(Difference(key, "the run", "an input", str(error), "but"))
            continue
        recorded = {"stage": str(record["stage"]), **record["sha256"]}
        held = {"stage": source.stage}
        held |= {table: str(entry["sha256"]) for table, entry in source.tables.items()}
        compared += len(recorded)
        found += _fact_differences(key, recorded, held, "there it is")
    return facts_compared("inputs", manifest.label, compared, found)


def compare_manifest(manifest: Manifest, manifests: Sequence[Manifest]) -> Comparison:
    """What a manifest says of itself, against its place, its policy and the runs before it."""
    document = manifest.document
    policy = document["policy"]
    text = json.dumps(policy, sort_keys=True, separators=(",", ":"))
    announced = [each for each in manifests if each.kind == "announce"]
    governing = announced[0].document["policy"] if announced else policy
    place = {"run": str(manifest.run), "quarter_start": manifest.quarter_key}
    expected = {
        **place,
        "policy_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "policy": _digest(governing),
        "runs before it": str(manifest.run - 1),
        "inputs of this quarter": _named(_runs_to_build_on(manifest, manifests)),
    }
    published = {
        "run": str(document["run"]),
        "quarter_start": str(document.get("quarter_start")),
        "policy_sha256": str(document.get("policy_sha256")),
        "policy": _digest(policy),
        "runs before it": str(sum(each.run < manifest.run for each in manifests)),
        "inputs of this quarter": _named(
            int(record["run"])
            for record in manifest.inputs
            if record["quarter"] == document["quarter"]
        ),
    }
    found = _fact_differences({}, published, expected, "but should be")
    return facts_compared("manifest", manifest.label, len(expected), found)


def _runs_to_build_on(manifest: Manifest, manifests: Sequence[Manifest]) -> list[int]:
    """The runs of its quarter that a run must name (rules §7: deltas count from the run before)."""
    before = [each for each in manifests if each.run < manifest.run]
    wanted = {"announce": (), "round": ("announce",), "settle": ("announce", "round", "settle")}
    runs = []
    for kind in wanted.get(manifest.kind, ()):
        of_kind = [each for each in before if each.kind == kind]
        if kind == "round" and of_kind:
            last = max(_round_number(each.stage) for each in of_kind)
            of_kind = [each for each in of_kind if _round_number(each.stage) == last]
        runs += [each.run for each in of_kind[-1:]]
    return runs


def _round_number(stage: str) -> int:
    return int(stage.rpartition("-")[2])


def _named(runs: Any) -> str:
    return ", ".join(f"run {run}" for run in sorted(runs)) or "none"


def _file_differences(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, table: str, entry: Mapping[str, Any]
) -> Iterator[Difference]:
    path = manifest.file(table)
    key = {"file": path.relative_to(manifest.zone).as_posix()}
    if not path.is_file():
        yield Difference(key, "the file", "missing", str(entry["sha256"]), _IN_MANIFEST)
        return
    digest = file_digest(path)
    if digest != entry["sha256"]:
        yield Difference(key, "sha256", digest, str(entry["sha256"]), _IN_MANIFEST)
    columns = [f"{column['name']} {column['type']}" for column in entry["columns"]]
    names = [str(column["name"]) for column in entry["columns"]]
    try:
        described = connection.execute(f"select * from {reader(path)} limit 0").description or []
        held = [f"{each[0]} {each[1]}" for each in described]
        if held != columns:
            yield Difference(key, "columns", ", ".join(held), ", ".join(columns), _IN_MANIFEST)
            return
        content = row_hash(connection, reader(path), names)
    except duckdb.Error as error:
        yield Difference(key, "the file", "unreadable", f"Parquet ({first_line(error)})", "not")
        return
    rows = content.rpartition(":")[2]
    facts = {"row_hash": content, "rows": rows}
    yield from _fact_differences(
        key, facts, {name: str(entry[name]) for name in facts}, _IN_MANIFEST
    )


def _strays(manifest: Manifest) -> list[Difference]:
    """Files in a finished run's folders that its manifest does not name."""
    named = {manifest.file(table) for table in manifest.tables}
    pattern = f"*/quarter={manifest.quarter_key}/run={manifest.run:04d}/**/*"
    found = [
        path for path in sorted(manifest.zone.glob(pattern)) if path.is_file() and path not in named
    ]
    return [
        Difference(
            {"file": path.relative_to(manifest.zone).as_posix()},
            "the file", "there", "not named", _IN_MANIFEST,
        )
        for path in found
    ]  # fmt: skip


def _fact_differences(
    key: Mapping[str, str], published: Mapping[str, str], expected: Mapping[str, str], basis: str
) -> list[Difference]:
    return [
        Difference(key, name, value, expected.get(name, "absent"), basis)
        for name, value in published.items()
        if value != expected.get(name)
    ]


def _digest(policy: Mapping[str, Any]) -> str:
    text = json.dumps(policy, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def reader(path: Path) -> str:
    """A published file as a relation."""
    return f"read_parquet({sql_literal(path)}, hive_partitioning = false)"


def first_line(error: Exception) -> str:
    """What an engine's error says, without its listings."""
    return str(error).splitlines()[0].rstrip(".")
