"""Python processes under watch: none may look up, call or listen for anything but this machine.

Here belongs the watch, which every process inherits from the one that started it. It sees what
Python asks of the network; what compiled code asks is stopped by ``test_no_network``'s namespace.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_LOG = "FBACAP_TEST_NETWORK_LOG"
# Python runs it before anything else in every process that finds it on its path.
_WATCH = f'''
import ipaddress, os, sys

def _is_here(host):
    if host is None or isinstance(host, (str, bytes)) and not host:
        return False
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"

def _watch(event, words):
    if event in ("socket.connect", "socket.bind"):
        address = words[1]
        host = address[0] if isinstance(address, tuple) else "localhost"  # else a unix socket
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = words[0] or "localhost"
    elif event == "socket.sendto":
        host = words[1][0] if isinstance(words[1], tuple) else "localhost"
    else:
        return
    if not _is_here(host):
        with open(os.environ["{_LOG}"], "a") as log:
            log.write(f"{{event}} {{host}} by {{sys.argv}}\\n")
        raise PermissionError(f"{{event}} {{host}}: outside of this machine")

sys.addaudithook(_watch)
'''


def watched(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """An environment whose Python processes are watched; ``folder``: of the watch's own."""
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(_WATCH, encoding="utf-8")
    path = [str(folder), *filter(None, [environment.get("PYTHONPATH")])]
    log = {_LOG: str(folder / "log"), "PYTHONPATH": os.pathsep.join(path)}
    return {**environment, **log}


def outside(folder: Path) -> list[str]:
    """What was asked of the network outside of this machine, a line each."""
    log = folder / "log"
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []
