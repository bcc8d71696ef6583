"""Verifying a quarter: every run that stands published, or one of them.

Here belongs the driver behind ``fbacap verify`` and the last check of a settlement run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.engine import engine
from orchestration.errors import NotPublished
from orchestration.files import file_digest
from orchestration.verification.findings import Comparison, broken
from orchestration.verification.manifests import Manifest, quarter_manifests
from orchestration.verification.run_checks import verify_run
from orchestration.verification.stored_bytes import compare_files

_ROWS_WORTH_THREADS = 200_000


@dataclass(frozen=True)
class RunVerification:
    """One run: what it is, the hash of its manifest, and what was compared."""

    manifest: Manifest
    manifest_sha256: str
    comparisons: tuple[Comparison, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not broken(self.comparisons)

    @property
    def rows(self) -> int:
        """Rows that its manifest counts, over its tables."""
        return sum(int(entry["rows"]) for entry in self.manifest.tables.values())


@dataclass(frozen=True)
class QuarterVerification:
    """A quarter, run by run."""

    quarter: str
    runs: tuple[RunVerification, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return all(run.holds for run in self.runs)

    @property
    def comparisons(self) -> list[Comparison]:
        """All comparisons, run by run."""
        return [each for run in self.runs for each in run.comparisons]

    def sentences(self) -> list[str]:
        """One sentence for each difference that is shown."""
        return [text for each in broken(self.comparisons) for text in each.sentences()]

    def as_document(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {
            "quarter": self.quarter,
            "verified": self.holds,
            "runs": [
                {
                    "run": run.manifest.run,
                    "stage": run.manifest.stage,
                    "manifest_sha256": run.manifest_sha256,
                    "verified": run.holds,
                    "files": len(run.manifest.tables),
                    "rows": run.rows,
                    "comparisons": [each.as_document() for each in run.comparisons],
                }
                for run in self.runs
            ],
        }


def verify_quarter(
    zone: Path, quarter_key: str, label: str, *, run: int | None = None
) -> QuarterVerification:
    """Recompute and compare every published run of a quarter, or one.

    Args:
        zone: the published zone.
        quarter_key: the quarter's first day, ``2018-04-01``.
        label: how people write it, ``2018Q2``.
        run: the number of the one run to verify, with the bytes of its inputs in this quarter.

    Raises:
        NotPublished: the quarter, or that run of it, is not published.
        Corrupted: a manifest cannot be read.
    """
    manifests = quarter_manifests(zone, quarter_key, label)
    chosen = [each for each in manifests if run in (None, each.run)]
    if not chosen:
        numbers = ", ".join(str(each.run) for each in manifests)
        raise NotPublished(f"{label} has no published run {run}; its runs are {numbers}")
    with session(manifests) as connection:
        verified = tuple(_verified(connection, each, manifests, run) for each in chosen)
    return QuarterVerification(label, verified)


def _verified(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    manifests: tuple[Manifest, ...],
    run: int | None,
) -> RunVerification:
    """One run; one that is verified alone is worth no more than the files that it was built on."""
    comparisons = verify_run(connection, manifest, manifests)
    if run is not None:
        named = {
            int(record["run"])
            for record in manifest.inputs
            if record["quarter"] == manifest.document["quarter"]
        }
        comparisons += [compare_files(connection, each) for each in manifests if each.run in named]
    return RunVerification(manifest, file_digest(manifest.path), tuple(comparisons))


@contextmanager
def session(manifests: tuple[Manifest, ...]) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine of its own, in memory; small quarters are done sooner by one thread than by two."""
    entries = [entry for each in manifests for entry in each.tables.values()]
    rows = max((int(entry["rows"]) for entry in entries), default=0)
    with engine() as connection:
        connection.execute("set TimeZone = 'UTC'")
        if rows < _ROWS_WORTH_THREADS:
            connection.execute("set threads = 1")
        yield connection
