"""How property tests run: without deadline (a busy machine is no failure), repeatably."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("market", deadline=None, derandomize=True, database=None)
settings.load_profile("market")
