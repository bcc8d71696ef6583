"""A short form of the fuzz in every test run; ``python -m tests.fuzz`` is the long one."""

from __future__ import annotations

from collections import Counter

import pytest

from .kinds import KINDS, Name, block_of, case_named
from .running import run

_SEED = 20_261_001
_OF_A_BLOCK = {"csv_huge": 3, "parquet_bombs": 2}


@pytest.fixture(scope="module")
def tallies(tmp_path_factory):
    """A block of each kind through the whole ingest, and one through the reading layer."""
    found = {}
    for kind in KINDS.values():
        whole = _OF_A_BLOCK.get(kind.name, 25)
        blocks = [(kind, 0)] if kind.whole_every == 1 else [(kind, 0), (kind, 1)]
        root = tmp_path_factory.mktemp(kind.name)
        found[kind.name] = run(root, _SEED, blocks, limit=whole)
    return found


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_hostile_deliveries_are_taken_in_exactly_or_refused_in_a_sentence(tallies, kind):
    assert tallies[kind].broken == []
    assert tallies[kind].cases > 0


def test_both_layers_and_every_outcome_occur(tallies):
    counts: Counter[tuple[str, str]] = Counter()
    for tally in tallies.values():
        for (_, layer, outcome), count in tally.outcomes.items():
            counts[layer, outcome] += count
    for layer in ("whole", "reading"):
        for outcome in ("taken", "apart", "refused"):
            assert counts[layer, outcome] > 0, (layer, outcome)


@pytest.mark.parametrize("kind", ["csv_mutated", "parquet_values", "several_files"])
def test_a_case_is_drawn_again_from_its_name(kind):
    block = block_of(KINDS[kind], _SEED, 3)
    again = case_named(Name.parse(str(Name(kind, _SEED, 3, 41))))
    assert [(file.path, file.data) for file in again.files] == [
        (file.path, file.data) for file in block[41].files
    ]
    assert len({file.data for case in block for file in case.files}) > len(block) / 2
