"""How long a sink that failed, or an alert that it refused, is left alone.

Here belongs the record of failures in a row: after the first the next tick tries again, then after
two minutes, four and so on, an hour at most. Nothing is ever given up, since what alerts tell of
lasts; a change of ``alerts.yaml`` or a success ends the wait. What is sent is ``sending``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(hours=1)


@dataclass(frozen=True)
class Wait:
    """What failed, how often in a row, and when it is tried again."""

    failures: int
    until: datetime
    why: str

    @property
    def sentence(self) -> str:
        """For whoever reads a tick in between."""
        times = "once" if self.failures == 1 else f"{self.failures} times"
        return f"{self.why} ({times}; next try {self.until:%Y-%m-%d %H:%M} UTC)"


class Waits:
    """The waits of one data folder under its present ``alerts.yaml``."""

    def __init__(self, folder: Path, configuration: Path) -> None:
        self._folder = folder
        content = configuration.read_bytes() if configuration.is_file() else b""
        self._configuration = hashlib.sha256(content).hexdigest()

    def of(self, *names: str) -> Wait | None:
        """The wait of a sink (its name), or of an alert at a sink (both); None: there is none."""
        path = self._path(names)
        if not path.exists():
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["configuration"] != self._configuration:
            return None
        until = datetime.fromisoformat(document["until"])
        return Wait(document["failures"], until, document["why"])

    def put_off(self, names: tuple[str, ...], now: datetime, why: str) -> None:
        """Note one more failure at ``now``; ``why`` is a sentence that holds no secret."""
        before = self.of(*names)
        failures = 1 if before is None else before.failures + 1
        doublings = min(failures - 1, 10)
        until = now + min(_FIRST * 2**doublings, _LONGEST)
        document = {
            "configuration": self._configuration,
            "failures": failures,
            "until": until.isoformat(),
            "why": why,
        }
        path = self._path(names)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(f"{json.dumps(document)}\n", encoding="utf-8")
        temporary.replace(path)

    def end(self, *names: str) -> None:
        """Forget the failures: it got through."""
        self._path(names).unlink(missing_ok=True)

    def _path(self, names: tuple[str, ...]) -> Path:
        digest = hashlib.sha256("\0".join(("wait", *names)).encode()).hexdigest()[:32]
        return self._folder / f"{digest}.wait"
