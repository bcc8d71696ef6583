"""A whole quarter of a small marketplace: where the time of ``fbacap run`` goes."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks.machine import peak_memory_mib
from benchmarks.timing import Stopwatch

if TYPE_CHECKING:
    from fbacap_logic.calendar import Quarter
    from orchestration.outcome import StageOutcome
    from orchestration.paths import DataFolder

QUARTER = "2025Q4"
SEED = 1
# Where the run calls what is timed; the stages' own seconds are in what it returns.
_TIMED = {
    "orchestration.dbt_runner.manifest": "reading the dbt project",
    "orchestration.assets.dbt_models.build_models": "dbt models and tests",
    "orchestration.checks.contract_checks.run_contract": "contracts (Great Expectations)",
    "orchestration.assets.landing.create_working_file": "working files",
    "orchestration.assets.publications.publish": "publishing",
    "orchestration.event_log.EventLog.store_event": "Dagster's event log",
}


@dataclass(frozen=True)
class QuarterRun:
    """What running one quarter took: all of it, the six stages, and the other timed parts."""

    sellers: int
    order_lines: int
    stage_runs: int
    seconds: float
    cpu_seconds: float
    stage_seconds: float
    part_seconds: dict[str, float]
    peak_mib: float

    @property
    def dbt_seconds(self) -> float:
        """Building and testing models."""
        return self.part_seconds["dbt models and tests"]

    @property
    def other_seconds(self) -> float:
        """What no part accounts for: imports, Dagster's planning and steps, the invariants."""
        return self.seconds - self.stage_seconds - sum(self.part_seconds.values())

    @property
    def ratio(self) -> float:
        """The whole run against the stages and dbt, without which there is no result."""
        return self.seconds / (self.stage_seconds + self.dbt_seconds)


def measure(sellers: int) -> Iterator[QuarterRun]:
    """Generate a marketplace, take it in, and run its quarter twice; only the runs are timed.

    The first run of the process also loads the libraries and reads the dbt project. The second is
    in a data folder of its own.
    """
    with tempfile.TemporaryDirectory(prefix="fbacap-benchmark-") as scratch:
        delivery = Path(scratch) / "input"
        lines = _generate(delivery, sellers)
        for number in (1, 2):
            yield _run(Path(scratch) / f"run-{number}", delivery, sellers, lines)


def _generate(delivery: Path, sellers: int) -> int:
    from fbacap_logic.calendar import Quarter
    from orchestration.simulation import generate

    summary = generate(
        delivery, sellers=sellers, quarters=1, seed=SEED, last_quarter=Quarter.parse(QUARTER)
    )
    return summary.rows["order_lines"]


def _run(root: Path, delivery: Path, sellers: int, lines: int) -> QuarterRun:
    from fbacap_logic.calendar import Quarter
    from orchestration.ingest import ingest_folder
    from orchestration.paths import DataFolder

    data = DataFolder(root)
    ingest_folder(data, delivery, kind="tables", historical=True)
    quarter, now = Quarter.parse(QUARTER), datetime.now(UTC)
    watch = Stopwatch()
    with _dagster_home(data.dagster_home):
        started, started_cpu = time.perf_counter(), time.process_time()
        outcomes = _execute(data, quarter, now, watch)
        seconds = time.perf_counter() - started
        cpu_seconds = time.process_time() - started_cpu
    return QuarterRun(
        sellers=sellers,
        order_lines=lines,
        stage_runs=len(outcomes),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        stage_seconds=sum(_stage_seconds(outcome) for outcome in outcomes),
        part_seconds=watch.seconds,
        peak_mib=peak_memory_mib(),
    )


def _execute(
    data: DataFolder, quarter: Quarter, now: datetime, watch: Stopwatch
) -> list[StageOutcome]:
    from orchestration.runner import choose_stages, run_quarter

    with ExitStack() as stack:
        for target, name in _TIMED.items():
            stack.enter_context(patch(target, watch.around(name, resolve_name(target))))
        return list(run_quarter(data, quarter, choose_stages(data, quarter, None, now)))


def _stage_seconds(outcome: StageOutcome) -> float:
    """The six stages' own seconds: a stage's tables count from the same start, so the last one."""
    from orchestration.stages import stages_of

    return sum(
        max(entry.seconds or 0.0 for entry in outcome.tables if entry.table in stage.tables)
        for stage in stages_of(outcome.stage.kind)
    )


@contextmanager
def _dagster_home(home: Path) -> Iterator[None]:
    with patch.dict(os.environ, {"DAGSTER_HOME": str(home)}):
        yield
