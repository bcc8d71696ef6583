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
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

LOCATION = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "orchestration.definitions",
}
_PATIENCE_SECONDS = 120
_LISTENS = "0A"


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


def listening_addresses(process_id: int) -> set[str]:
    """Addresses, as the kernel writes them, on which a process or one that it started listens."""
    tables = [Path("/proc/net") / name for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    addresses = {f"socket:[{row[9]}]": row[1] for row in rows if row[3] == _LISTENS}
    opened = set()
    for pid in _with_children(process_id):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                opened.add(str(descriptor.readlink()))
    return {address for inode, address in addresses.items() if inode in opened}


def _with_children(process_id: int) -> list[int]:
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    children = " ".join((task / "children").read_text() for task in tasks).split()
    return [process_id, *(pid for child in children for pid in _with_children(int(child)))]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
