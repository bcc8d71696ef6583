"""The lineage UI, on loopback: it has no login of its own."""

from __future__ import annotations

import os
import sys

from orchestration.instance import prepare_home
from orchestration.paths import PROJECT, DataFolder


def serve(data: DataFolder, *, port: int, read_only: bool) -> None:
    """Replace this process by Dagster's webserver over one data folder."""
    prepare_home(data)
    command = [
        sys.executable, "-m", "dagster_webserver",
        "--module-name", "orchestration.definitions",
        "--working-directory", str(PROJECT),
        "--host", "127.0.0.1",
        "--port", str(port),
    ]  # fmt: skip
    if read_only:
        command.append("--read-only")
    print(f"lineage UI: http://127.0.0.1:{port}", flush=True)  # noqa: T201 - last word before exec
    os.execv(sys.executable, command)  # noqa: S606 - fixed program, no shell
