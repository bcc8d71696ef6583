"""How property tests run: see ``proof_effort``."""

from __future__ import annotations

from proof_effort import load_profile

load_profile()
