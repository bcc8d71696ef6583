"""One run: derived, and compared with what it published.

Here belongs laying a run's tables out as the views that the SQL reads. Published files are laid out
by ``verify_run``; a Dagster check lays out a working file's tables itself and calls
``recompute_round`` or ``recompute_settlement``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from orchestration.verification.comparison import compare
from orchestration.verification.findings import Comparison, Difference, facts_compared
from orchestration.verification.manifests import Manifest
from orchestration.verification.pairings import (
    DELTAS,
    ROUND_PAIRINGS,
    ROUND_TABLES,
    SETTLEMENT_PAIRINGS,
    SETTLEMENT_TABLES,
    unchanged_rows,
)
from orchestration.verification.rounds import derive_rounds
from orchestration.verification.settlements import derive_settlement
from orchestration.verification.statements import RunParameters
from orchestration.verification.stored_bytes import (
    compare_files,
    compare_inputs,
    compare_manifest,
    first_line,
    reader,
    unreadable,
)

_SETTLED_BEFORE = "settled_before"
_FIXED_FEE_COLUMNS = (
    "seller_id", "granted_milli_ft3", "max_fee_minor_per_ft3", "priority_at",
    "round_fee_minor_per_ft3", "days_in_force", "days_in_quarter",
)  # fmt: skip


def recompute_round(
    connection: duckdb.DuckDBPyConnection, run: str, parameters: RunParameters
) -> list[Comparison]:
    """Derive a round run from the views that ``rounds`` names, and compare it."""
    derive_rounds(connection, parameters)
    return [compare(connection, run, pairing) for pairing in ROUND_PAIRINGS]


def recompute_settlement(
    connection: duckdb.DuckDBPyConnection, run: str, parameters: RunParameters
) -> list[Comparison]:
    """Derive a settlement run from the views that ``settlements`` names, and compare it."""
    derive_settlement(connection, parameters)
    return [compare(connection, run, pairing) for pairing in SETTLEMENT_PAIRINGS]


def verify_run(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, manifests: Sequence[Manifest]
) -> list[Comparison]:
    """Everything that can be checked of one published run; ``manifests`` are its quarter's."""
    comparisons = [
        compare_manifest(manifest, manifests),
        compare_inputs(manifest),
        compare_files(connection, manifest),
    ]
    if manifest.kind == "announce":
        return comparisons
    try:
        fault = _lay_out(connection, manifest, manifests)
        if fault is None:
            comparisons += _recomputed(connection, manifest, manifests)
    except (duckdb.Error, ValueError) as error:
        fault = first_line(error)
    if fault is not None:
        comparisons.append(impossible(manifest.label, fault))
    return comparisons


def impossible(run: str, reason: str) -> Comparison:
    """What stands in the place of comparisons when a run cannot be computed again."""
    difference = Difference({}, "the run", "figures", f"impossible ({reason})")
    return facts_compared("recomputation", run, 1, [difference])


def _recomputed(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, manifests: Sequence[Manifest]
) -> list[Comparison]:
    parameters = manifest.parameters
    if manifest.kind == "round":
        found = recompute_round(connection, manifest.label, parameters)
    else:
        found = recompute_settlement(connection, manifest.label, parameters)
        found.append(_compare_deltas(connection, manifest, manifests))
    return [*found, *_compare_unchanged(connection, manifest, manifests)]


def _lay_out(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, manifests: Sequence[Manifest]
) -> str | None:
    """Make the views that the SQL reads; why that cannot be done, or None."""
    sources = dict(_sources(manifest, manifests))
    for view, (source, table) in sources.items():
        reason = f"{manifest.path} names no run with {table} among its inputs"
        if source is not None:
            reason = unreadable(connection, source, table) or ""
        if reason:
            return reason
        if source is not None:
            connection.execute(
                f"create or replace temp view {view} as select * from {reader(source.file(table))}"
            )
    if manifest.kind == "settle" and _SETTLED_BEFORE not in sources:
        connection.execute(
            f"create or replace temp view {_SETTLED_BEFORE} as "
            "select * from published_settlements where false"
        )
    return None


def _sources(
    manifest: Manifest, manifests: Sequence[Manifest]
) -> Iterator[tuple[str, tuple[Manifest | None, str]]]:
    """The views of a run: whose file of which table each one is."""
    own = ROUND_TABLES if manifest.kind == "round" else SETTLEMENT_TABLES
    for table in own:
        yield f"published_{table}", (manifest, table)
    yield (
        "announced_base_allocations",
        (
            _input(manifest, manifests, "announce"),
            "base_allocations",
        ),
    )
    if manifest.kind == "settle":
        yield (
            "published_repriced_fees",
            (
                _input(manifest, manifests, "round"),
                "repriced_fees",
            ),
        )
        before = _settlements_before(manifest, manifests)
        if before:
            yield _SETTLED_BEFORE, (before[-1], "settlements")


def _input(manifest: Manifest, manifests: Sequence[Manifest], kind: str) -> Manifest | None:
    """The run of this quarter and kind that a run names among its inputs."""
    named = {
        int(record["run"])
        for record in manifest.inputs
        if record["quarter"] == manifest.document["quarter"]
    }
    found = [each for each in manifests if each.run in named and each.kind == kind]
    return found[-1] if found else None


def _settlements_before(manifest: Manifest, manifests: Sequence[Manifest]) -> list[Manifest]:
    return [each for each in manifests if each.kind == "settle" and each.run < manifest.run]


def _compare_deltas(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, manifests: Sequence[Manifest]
) -> Comparison:
    runs = [*_settlements_before(manifest, manifests), manifest]
    parts = " union all ".join(f"select * from {reader(run.file('settlements'))}" for run in runs)
    connection.execute(f"create or replace temp view settlements_so_far as {parts}")
    return compare(connection, manifest.label, DELTAS)


def _compare_unchanged(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, manifests: Sequence[Manifest]
) -> Iterator[Comparison]:
    """Rows of the round run before it, against the same rows of this one (rules §8.8)."""
    before = [each for each in manifests if each.kind == "round" and each.run < manifest.run]
    if not before:
        return
    earlier = before[-1]
    closed = f"(select max(round) from {reader(earlier.file('market_rounds'))})"
    cutoff = f"timestamp '{earlier.parameters.naive_cutoff.isoformat(sep=' ')}'"
    kept = {
        "round_requests": f"received_at < {cutoff}",
        "cleared_allocations": f"round <= {closed}",
        "market_rounds": f"round <= {closed}",
        "repriced_fees": f"round <= {closed}",
        "repricing_steps": f"repriced_in_round <= {closed}",
    }
    own = set(ROUND_TABLES if manifest.kind == "round" else ("round_requests",))
    for table, condition in kept.items():
        if table not in own:
            continue
        entry = earlier.tables[table]
        key = tuple(str(name) for name in entry["key"])
        names = tuple(str(column["name"]) for column in entry["columns"])
        columns = _FIXED_FEE_COLUMNS if table == "repriced_fees" else names
        connection.execute(
            f"create or replace temp view unchanged_{table} as "
            f"select * from published_{table} where {condition}"
        )
        connection.execute(
            f"create or replace temp view earlier_{table} as "
            f"select * from {reader(earlier.file(table))}"
        )
        columns = tuple(name for name in columns if name not in key)
        yield compare(connection, manifest.label, unchanged_rows(table, key, columns))
