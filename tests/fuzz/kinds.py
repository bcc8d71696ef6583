"""The kinds of cases, their shares of a run, and how a case is drawn again from its name.

Hypothesis draws cases in blocks. A block's seed follows from kind, run's seed and block's number,
so that a case's name (``csv_times:1:12:37``) is enough to make the same bytes again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from . import csv_cases, folder_cases, parquet_cases
from .case import Case


@dataclass(frozen=True)
class Kind:
    """A kind of cases.

    Attributes:
        name: its name.
        cases: what draws one.
        share: its part of a run, of 1,000 (of whole cases for kinds that need the whole ingest).
        block: how many cases are drawn at once.
        whole_every: each so many blocks go through the whole ingest, the others through the
            reading layer; 1 where only the whole ingest makes sense.
    """

    name: str
    cases: st.SearchStrategy[Case]
    share: int
    block: int = 100
    whole_every: int = 6


KINDS = {
    kind.name: kind
    for kind in (
        *(Kind(name, csv_cases.cells(name), share) for name, share in (
            ("csv_texts", 110), ("csv_numbers", 120), ("csv_times", 120), ("csv_anything", 80))),
        Kind("csv_columns", csv_cases.columns(), 70),
        Kind("csv_structure", csv_cases.structure(), 90),
        Kind("csv_encoding", csv_cases.encoding(), 60),
        Kind("csv_huge", csv_cases.huge(), 3, block=5, whole_every=1),
        Kind("csv_mutated", csv_cases.mutated(), 90),
        Kind("parquet_types", parquet_cases.types(), 50),
        Kind("parquet_values", parquet_cases.values(), 40),
        Kind("parquet_shape", parquet_cases.shape(), 40),
        Kind("parquet_statistics", parquet_cases.statistics(), 20),
        Kind("parquet_mutated", parquet_cases.mutated(), 46),
        Kind("parquet_bombs", parquet_cases.bombs(), 1, block=5, whole_every=1),
        Kind("folder_names", folder_cases.names(), 20, whole_every=1),
        Kind("folder_links", folder_cases.links(), 10, whole_every=1),
        Kind("delivery_notes", folder_cases.notes(), 15, whole_every=1),
        Kind("several_files", folder_cases.several(), 15, whole_every=1),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A case's name. ``str`` of it reads back with ``parse``."""

    kind: str
    seed: int
    block: int
    place: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.seed}:{self.block}:{self.place}"

    @classmethod
    def parse(cls, text: str) -> Name:
        """Read a name.

        Raises:
            ValueError: it is none.
        """
        kind, *numbers = text.split(":")
        if kind not in KINDS or len(numbers) != 3 or not all(each.isdigit() for each in numbers):
            raise ValueError(f"{text!r} is no case; write it as csv_times:1:0:3")
        return cls(kind, *map(int, numbers))

    @property
    def is_whole(self) -> bool:
        """Whether the case goes through the whole ingest."""
        return self.block % KINDS[self.kind].whole_every == 0


def block_of(kind: Kind, run_seed: int, block: int) -> list[Case]:
    """Draw a block's cases: always the same ones."""
    drawn: list[Case] = []
    digest = hashlib.sha256(f"{kind.name}:{run_seed}:{block}".encode()).digest()

    @seed(int.from_bytes(digest[:8], "big"))
    @settings(
        max_examples=kind.block,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(kind.cases)
    def collect(case: Any) -> None:
        drawn.append(case)

    collect()
    return drawn


def case_named(name: Name) -> Case:
    """Draw one case again.

    Raises:
        ValueError: its block holds no such case.
    """
    block = block_of(KINDS[name.kind], name.seed, name.block)
    if name.place >= len(block):
        raise ValueError(f"{name} is no case: its block holds {len(block)}")
    return block[name.place]
