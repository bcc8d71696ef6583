"""A backfill of many quarters by one process and by two: how much sooner two are done.

Here belongs the measuring; both backfills are the command line's own, over copies of one data
folder, and must publish the same bytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import print_table
from fbacap_logic.calendar import Quarter
from orchestration.files import file_digest
from orchestration.ingest import ingest_folder
from orchestration.paths import PROJECT, DataFolder
from orchestration.simulation import generate

LAST = Quarter(2025, 4)
SEED = 1
_PROGRAM = "from orchestration.cli import main\nif __name__ == '__main__': main()\n"


@dataclass(frozen=True)
class BackfillTime:
    """One backfill: its processes, wall seconds, and the digest of everything it published."""

    processes: int
    seconds: float
    published: dict[str, str]


def print_backfill(sellers: int, quarters: int) -> None:
    """Measure and print; raises when the published files differ."""
    with tempfile.TemporaryDirectory(prefix="fbacap-bench-") as folder:
        root = Path(folder)
        generate(root / "input", sellers=sellers, quarters=quarters, seed=SEED, last_quarter=LAST)
        landed = DataFolder(root / "landed")
        ingest_folder(landed, root / "input", kind="tables", historical=True)
        times = [_backfill(landed, root, quarters, processes) for processes in (1, 2)]
    one, two = times
    if one.published != two.published:
        raise AssertionError("one process and two did not publish the same bytes")
    print(f"\n## A backfill of {quarters} quarters of {sellers} sellers\n")
    print(f"{8 * quarters} stage runs, {len(one.published)} files, the same to the byte.\n")
    print_table(
        ("processes", "wall seconds", "seconds a stage run"),
        [(str(row.processes), row.seconds, row.seconds / (8 * quarters)) for row in times],
    )
    print(f"\n**one ÷ two = {one.seconds / two.seconds:.2f}**")


def _backfill(landed: DataFolder, root: Path, quarters: int, processes: int) -> BackfillTime:
    data = DataFolder(root / f"by-{processes}")
    shutil.copytree(landed.root, data.root)
    script = root / "fbacap_command.py"
    script.write_text(_PROGRAM, encoding="utf-8")
    first = LAST.plus(1 - quarters)
    started = time.perf_counter()
    subprocess.run(  # noqa: S603 - this interpreter, this project
        [sys.executable, str(script), "backfill", first.label, LAST.label,
         "--data", str(data.root), "--parallel", str(processes)],
        check=True, stdout=subprocess.DEVNULL, cwd=root,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    seconds = time.perf_counter() - started
    zone = data.published
    files = sorted(path for path in zone.rglob("*") if path.is_file() and path.suffix != ".lock")
    digests = {path.relative_to(zone).as_posix(): file_digest(path) for path in files}
    return BackfillTime(processes, seconds, digests)
