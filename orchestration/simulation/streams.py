"""Streams of randomness, one a purpose, all from one seed.

Here belongs how a seed becomes generators, so that a change in what one part draws never shifts
another's draws. Simulations are the only place of the project that draws random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Streams:
    """One generator a purpose. New purposes go last: a place in the list is a stream's name."""

    population: np.random.Generator
    shocks: np.random.Generator
    demand: np.random.Generator
    stranding: np.random.Generator
    refunds: np.random.Generator
    capacity: np.random.Generator
    requests: np.random.Generator


def streams_of(seed: int) -> Streams:
    """The streams of a seed.

    Raises:
        ValueError: the seed is negative.

    >>> a, b = streams_of(1), streams_of(1)
    >>> _ = a.demand.random(1000)
    >>> bool(a.refunds.random() == b.refunds.random())
    True
    """
    if seed < 0:
        raise ValueError(f"seed is {seed}; give a whole number of at least 0")
    children = np.random.SeedSequence(seed).spawn(len(fields(Streams)))
    return Streams(*(np.random.Generator(np.random.PCG64(child)) for child in children))
