"""A UI in a process of its own, asked over HTTP.

Here belongs starting, asking and ending it; what its answers must be is in the tests.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

LOCATION = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "orchestration.definitions",
}
_PATIENCE_SECONDS = 120


class Server:
    """A running UI."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self.process = port, process

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

    def wait_until(self, holds: Callable[[], bool], patience_seconds: float) -> bool:
        """Whether something comes true before the patience, or the UI, is at its end."""
        end = time.monotonic() + patience_seconds
        while time.monotonic() < end and self.process.poll() is None:
            if holds():
                return True
            try:
                self.process.wait(timeout=0.3)
            except subprocess.TimeoutExpired:
                continue
        return False


@contextmanager
def serving(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """A `fbacap ui … --port PORT …` from its first answer on, ended afterwards."""
    port = int(command[command.index("--port") + 1])
    with subprocess.Popen(
        list(command), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            server = Server(port, process)
            if not server.wait_until(server.is_listening, _PATIENCE_SECONDS):
                pytest.fail("the UI did not answer")
            yield server
        finally:
            process.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
