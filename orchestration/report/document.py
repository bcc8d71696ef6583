"""A report as headings, sentences, tables and pictures: what is shown, not how.

Here belong the shapes of a page. What is said in it is in the section modules; ``html_page`` writes
it down. Tables have the shape that statements have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestration.statements.document import Column, Table

__all__ = [
    "Block", "Charts", "Column", "Fact", "Figure", "Folded", "Listing", "Page", "Picture", "Prose",
    "Section", "Table", "command",
]  # fmt: skip

# Nothing received holds them where it is shown: ``visible`` writes such characters out.
COMMAND_BEGINS, COMMAND_ENDS = "\x0e", "\x0f"


def command(text: str) -> str:
    """A command within a sentence, to be set as code."""
    return f"{COMMAND_BEGINS}{text}{COMMAND_ENDS}"


@dataclass(frozen=True)
class Prose:
    """A paragraph, perhaps with a ``command`` in it.

    ``mark``: ok, warned or broken, where it is a verdict.
    """

    text: str
    mark: str = ""
    kind: ClassVar[str] = "prose"


@dataclass(frozen=True)
class Listing:
    """Lines under each other; ``is_code``: commands, set as such."""

    lines: tuple[str, ...]
    is_code: bool = False
    kind: ClassVar[str] = "listing"


@dataclass(frozen=True)
class Figure:
    """A table, and the name of the query that gave its figures; none where a manifest did."""

    table: Table
    source: str | None = None
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Picture:
    """A drawing: its heading, a title and a description for who does not see it, and its SVG.

    ``drawing`` is markup that ``svg`` has escaped, and nothing else.
    """

    heading: str
    title: str
    description: str
    drawing: str
    width: int
    height: int


@dataclass(frozen=True)
class Charts:
    """Pictures on one scale beside each other. ``keys``: class and name of each thing drawn."""

    caption: str
    pictures: tuple[Picture, ...]
    keys: tuple[tuple[str, str], ...] = ()
    source: str | None = None
    kind: ClassVar[str] = "charts"


@dataclass(frozen=True)
class Folded:
    """Blocks that are shown when asked for."""

    summary: str
    blocks: tuple[Block, ...]
    kind: ClassVar[str] = "folded"


Block = Prose | Listing | Figure | Charts | Folded


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it: blocks, then sections one level lower."""

    heading: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A headline figure: a value for each currency, and how it moved since the quarter before."""

    name: str
    values: tuple[str, ...]
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A whole report. ``facts_sources``: the queries that gave the strip's figures."""

    quarter: str
    subtitle: str
    audience: str
    facts: tuple[Fact, ...]
    facts_sources: tuple[str, ...]
    summary: str
    sections: tuple[Section, ...]

    def blocks(self) -> Iterator[Block]:
        """Every block, folded ones and their content included, in order."""
        for section in self.sections:
            yield from _blocks_of(section)


def _blocks_of(section: Section) -> Iterator[Block]:
    for block in section.blocks:
        yield block
        if isinstance(block, Folded):
            yield from block.blocks
    for each in section.sections:
        yield from _blocks_of(each)
