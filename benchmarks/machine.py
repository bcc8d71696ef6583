"""What the figures were taken on: processor, load, versions and the process's peak memory."""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("numpy", "pandas", "duckdb", "polars", "dagster", "dbt-core", "great-expectations")


def describe() -> str:
    """One line on the machine and its load now, one on the versions."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores; "
        f"load over 1, 5, 15 minutes: {load}\n"
        f"Python {platform.python_version()}, {packages}"
    )


def peak_memory_mib() -> float:
    """The most memory this process has held so far; it never falls."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 1024**2


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    if known.is_file():
        for line in known.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
