"""Taking times."""

from __future__ import annotations

import time
from collections.abc import Callable


def best_seconds(*actions: Callable[[], object], repeats: int) -> tuple[float, ...]:
    """The least seconds of each action, taken in turns so that a busy spell hits all alike."""
    best = [float("inf")] * len(actions)
    for _ in range(repeats):
        for place, action in enumerate(actions):
            started = time.perf_counter()
            action()
            best[place] = min(best[place], time.perf_counter() - started)
    return tuple(best)


class Stopwatch:
    """Adds up the seconds spent inside wrapped functions; calls inside one another count once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inside = False

    def around(self, name: str, function: Callable) -> Callable:
        """The function, with the time it takes added to ``name``."""
        self.seconds.setdefault(name, 0.0)

        def timed(*args: object, **kwargs: object) -> object:
            if self._inside:
                return function(*args, **kwargs)
            self._inside = True
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[name] += time.perf_counter() - started
                self._inside = False

        return timed
