"""How property tests run: no deadline (a busy machine is no failure), the same examples each time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("market", deadline=None, derandomize=True, database=None)
settings.load_profile("market")
