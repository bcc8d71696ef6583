"""fbacap's UI and daemon as processes of their own, asked over HTTP and ended afterwards.

Here belongs starting, asking and ending them. What their answers must be is in the tests; that
they leave no process behind and reach for nothing outside of this machine is seen here, each time.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from network_watch import outside, watched
from processes import born, free_port, outliving, with_children

from orchestration import TELEMETRY_OFF
from orchestration.paths import PROJECT

LOCATION = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "orchestration.definitions",
}
_COMMAND = (sys.executable, "-m", "orchestration.cli")
_START_SECONDS = 120
_END_SECONDS = 60


class Running:
    """A process of fbacap's; ``said``: the file that holds all it prints."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self.process, self.said = process, said

    def wait_until(
        self, holds: Callable[[], bool], patience_seconds: float, *beside: Running
    ) -> bool:
        """Whether something comes true before the patience, or one of the processes, ends."""
        end = time.monotonic() + patience_seconds
        while time.monotonic() < end and all(
            each.process.poll() is None for each in (self, *beside)
        ):
            if holds():
                return True
            try:
                self.process.wait(timeout=0.3)
            except subprocess.TimeoutExpired:
                continue
        return False


class Server(Running):
    """A running UI."""

    def __init__(self, running: Running, port: int) -> None:
        super().__init__(running.process, running.said)
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=60) as answer:
            return answer.read().decode()

    def ask(self, query: str, **variables: object) -> dict:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            data=body,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            return json.load(refusal)

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def running(*words: object, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """`fbacap WORDS` in the background, ended afterwards.

    Args:
        words: of the command line.
        environment: of the process; None: this one's, with a home of Dagster's of its own.

    Raises:
        AssertionError: a process that it started outlives it or asked for something outside.
    """
    if environment is None:
        environment = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
    environment = {key: environment[key] for key in environment if key not in TELEMETRY_OFF}
    path = [str(PROJECT), *filter(None, [environment.get("PYTHONPATH")])]
    environment = {**environment, "PYTHONPATH": os.pathsep.join(path)}
    with tempfile.TemporaryDirectory(prefix="fbacap-running-") as name:
        watch, said = Path(name) / "watch", Path(name) / "said"
        with said.open("wb") as stream:
            process = subprocess.Popen(
                [*_COMMAND, *map(str, words)],
                env=watched(environment, watch), stdout=stream, stderr=stream,
            )  # fmt: skip
        started: set[tuple[int, str | None]] = set()
        try:
            yield Running(process, said)
        finally:
            if process.poll() is None:
                started = {(pid, born(pid)) for pid in with_children(process.pid)}
            process.terminate()
            process.wait(timeout=_END_SECONDS)
        left = outliving(started, _END_SECONDS)
        assert not left, f"`fbacap {words[0]}` left processes behind: {sorted(left)}"
        assert outside(watch) == []


@contextmanager
def serving(*words: object, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """`fbacap ui WORDS` on a port of its own, from its first answer on."""
    port = free_port()
    with running("ui", "--port", port, *words, environment=environment) as ui:
        server = Server(ui, port)
        if not server.wait_until(server.is_listening, _START_SECONDS):
            pytest.fail(f"the UI did not answer: {ui.said.read_text()[-2000:]}")
        yield server
