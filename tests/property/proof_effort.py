"""How long property tests look for a counterexample.

``FBACAP_PROOF_FACTOR`` multiplies every test's number of examples: 1 in ``make test``, more in
``make proofs``, less under mutation testing, where each mutant meets the same examples again.
"""

from __future__ import annotations

import os

from hypothesis import Phase, settings

FACTOR = float(os.environ.get("FBACAP_PROOF_FACTOR", "1"))
ORDINARY_EXAMPLES = 40


def examples(ordinary: int) -> settings:
    """Settings of a test that tries so many examples in ``make test``."""
    return settings(max_examples=max(1, round(ordinary * FACTOR)))


def load_profile() -> None:
    """Without deadline (a busy machine is no failure), and the same examples on every run.

    Below the ordinary effort the only question is whether something fails, so nothing is shrunk.
    """
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile(
        "market",
        deadline=None,
        derandomize=True,
        database=None,
        max_examples=max(1, round(ORDINARY_EXAMPLES * FACTOR)),
        phases=phases if FACTOR < 1 else [*phases, Phase.target, Phase.shrink],
    )
    settings.load_profile("market")
