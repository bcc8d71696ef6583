"""Dagster's own programs over one data folder: the lineage UI, on loopback, and the daemon.

The UI has no login of its own, so it listens on loopback only; the daemon listens nowhere.
"""

from __future__ import annotations

import os
import sys

from orchestration.alerts.configuration import FILE_NAME, load_alerts
from orchestration.instance import prepare_history
from orchestration.paths import PROJECT, DataFolder
from orchestration.policies import load_policies

_LOCATION = ("--module-name", "orchestration.definitions", "--working-directory", str(PROJECT))


def serve(data: DataFolder, *, port: int, read_only: bool) -> None:
    """Replace this process by Dagster's webserver over one data folder."""
    prepare_history(data)
    command = [sys.executable, "-m", "dagster_webserver", *_LOCATION]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    if read_only:
        command.append("--read-only")
    print(f"lineage UI: http://127.0.0.1:{port}", flush=True)  # noqa: T201 - last word before exec
    os.execv(sys.executable, command)  # noqa: S606 - fixed program, no shell


def run_daemon(data: DataFolder, *, schedule: bool | None) -> None:
    """Replace this process by Dagster's daemon over one data folder.

    Args:
        data: the data folder.
        schedule: whether scheduled quarters run; None: as FBACAP_SCHEDULE says.

    Raises:
        BadConfiguration: a policy or ``alerts.yaml`` cannot be understood; better told here than
            once a minute by the sensors.
    """
    load_policies(data.policies)
    load_alerts(data.root / FILE_NAME)
    prepare_history(data)
    if schedule is not None:
        os.environ["FBACAP_SCHEDULE"] = "on" if schedule else "off"
    state = os.environ.get("FBACAP_SCHEDULE") or "off"
    print(f"daemon over {data.root}; scheduled quarters are {state}", flush=True)  # noqa: T201
    command = [sys.executable, "-m", "dagster._daemon", "run", *_LOCATION]
    os.execv(sys.executable, command)  # noqa: S606 - fixed program, no shell
