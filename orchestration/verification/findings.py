"""What a verification found: comparisons, and where they differ.

Here belong the values only. Comparing tables is ``comparison``, bytes ``stored_bytes``; how it
reads on a page is ``certificate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """One value that is not what it should be: which row, which column, both values as text.

    ``basis`` says where the expected value comes from.
    """

    key: Mapping[str, str]
    column: str
    published: str
    expected: str
    basis: str = "re-derived as"

    def sentence(self, place: str) -> str:
        """As a person reads it.

        >>> Difference({"round": "2"}, "fee_minor", "61", "60").sentence("run 3 repriced_fees")
        'run 3 repriced_fees round=2: fee_minor is published as 61, re-derived as 60'
        """
        row = " ".join(f"{name}={value}" for name, value in self.key.items())
        where = f"{place} {row}".rstrip()
        return (
            f"{where}: {self.column} is published as {self.published}, {self.basis} {self.expected}"
        )


@dataclass(frozen=True)
class Comparison:
    """One comparison of a run: what was compared, over how many rows, how many differ.

    ``first`` holds the differences of the first differing rows in the order of their keys, at most
    ``SHOWN`` rows.
    """

    name: str
    run: str
    rows: int
    differing_rows: int
    first: tuple[Difference, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return self.differing_rows == 0

    def sentences(self) -> list[str]:
        """One sentence for each difference shown, and one for those that are not."""
        found = [each.sentence(f"{self.run} {self.name}") for each in self.first]
        shown = len({tuple(each.key.items()) for each in self.first})
        if self.differing_rows > shown:
            rest = self.differing_rows - shown
            found.append(f"{self.run} {self.name}: {rest} more rows differ")
        return found

    def as_document(self) -> dict[str, Any]:
        """Plain values for ``--json`` and metadata."""
        return {
            "comparison": self.name,
            "run": self.run,
            "rows": self.rows,
            "differing_rows": self.differing_rows,
            "first": [
                {
                    "key": dict(each.key),
                    "column": each.column,
                    "published": each.published,
                    "expected": each.expected,
                    "basis": each.basis,
                }
                for each in self.first
            ],
        }


def facts_compared(name: str, run: str, rows: int, differences: Iterable[Difference]) -> Comparison:
    """A comparison of single facts: every difference is a row of its own."""
    found = tuple(differences)
    return Comparison(name, run, rows, len(found), found[:SHOWN])


def broken(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Those that do not hold, in order."""
    return [each for each in comparisons if not each.holds]
