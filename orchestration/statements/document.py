"""A statement as headings, sentences and tables: what every renderer shows, none of how.

Here belong the shapes of a page. What is said in it is ``page``; HTML and terminal each write it
down in a module of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "code"]


@dataclass(frozen=True)
class Column:
    """A column: its heading, unit included, and how its cells are set."""

    heading: str
    kind: Kind = "number"


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; the first cell of a row is its heading.

    ``total``: the last row sums the others.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: bool = False


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it: sentences, then tables, then sections."""

    heading: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Fact:
    """One of the figures that a reader looks for first."""

    name: str
    value: str


@dataclass(frozen=True)
class Page:
    """A whole statement."""

    title: str
    seller: str
    subtitle: str
    facts: tuple[Fact, ...]
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
