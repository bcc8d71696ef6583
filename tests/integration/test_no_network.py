"""A stage run reaches for nothing outside of this machine, and needs nothing from there.

What the UI, the daemon and runs that it launches ask of the network is seen wherever a test starts
them (``ui_server``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from network_watch import outside, watched
from two_quarters import QUARTERS, copy_of

from orchestration import TELEMETRY_OFF
from orchestration.paths import PROJECT
from orchestration.published import published_runs

_ASK = "import socket; socket.create_connection(({host!r}, {port}), timeout=1)"


def without_network() -> list[str]:
    """What starts a program where there is no network at all, not even for compiled code."""
    program = shutil.which("unshare")
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = [str(program), *as_root, "--net", "--"]
    if program and subprocess.run([*command, "true"], check=False).returncode == 0:
        return command
    pytest.skip("this machine permits no network namespace (unshare --net)")


def test_a_stage_run_asks_for_no_network_and_needs_none(landed_quarters, tmp_path):
    data = copy_of(landed_quarters, tmp_path / "data")
    home = tmp_path / "home"  # of somebody whose dagster.yaml does not speak of telemetry
    home.mkdir()
    (home / "dagster.yaml").write_text("{}\n", encoding="utf-8")
    environment = {key: os.environ[key] for key in os.environ if key not in TELEMETRY_OFF}
    environment |= {"DAGSTER_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    words = ["run", QUARTERS[0].label, "--stage", "announce", "--data", str(data.root)]
    done = subprocess.run(
        [*without_network(), sys.executable, "-m", "orchestration.cli", *words],
        env=watched(environment, tmp_path / "watch"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [run.stage for run in published_runs(data.published, QUARTERS[0])] == ["announce"]
    assert outside(tmp_path / "watch") == []


@pytest.mark.parametrize(
    ("host", "is_noticed"),
    [("192.0.2.1", True), ("telemetry.invalid", True), ("127.0.0.1", False), ("localhost", False)],
)
def test_the_watch_stops_and_notices_what_leaves_the_machine(tmp_path, host, is_noticed):
    program = _ASK.format(host=host, port=9)
    through_another = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}])"
    done = subprocess.run(
        [sys.executable, "-c", through_another],
        env=watched(os.environ, tmp_path / "watch"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ("PermissionError" in done.stderr) is is_noticed
    noticed = outside(tmp_path / "watch")
    assert len(noticed) == is_noticed
    assert all(host in line for line in noticed)


def test_the_watch_notices_who_listens_for_others(tmp_path):
    program = "import socket; socket.socket().bind(('0.0.0.0', 0))"
    environment = watched(os.environ, tmp_path / "watch")
    subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True)
    assert [line.split(" by ")[0] for line in outside(tmp_path / "watch")] == [
        "socket.bind 0.0.0.0"
    ]
