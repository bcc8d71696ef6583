"""A statement's page for a terminal.

Here belongs laying out a ``Page`` with rich; what it says is ``page``. Text is printed as it is,
never read as rich's markup, and what would move the cursor was made visible before.
"""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from orchestration.statements.document import Page, Section, Table

_INDENT = "  "


def print_page(console: Console, page: Page, *, brief: bool = False) -> None:
    """Print a page; ``brief``: its sentences, and not its tables nor where figures come from."""
    console.print(Text(f"{page.title}: seller {page.seller}", style="bold"))
    console.print(Text(page.subtitle))
    facts = RichTable.grid(padding=(0, 3))
    for _ in page.facts:
        facts.add_column()
    facts.add_row(*(Text(fact.name, style="dim") for fact in page.facts))
    facts.add_row(*(Text(fact.value, style="bold") for fact in page.facts))
    console.print()
    console.print(facts)
    console.print()
    for sentence in page.summary:
        console.print(Text(sentence))
    for section in page.sections[:-1] if brief else page.sections:
        _print_section(console, section, 0, brief=brief)


def _print_section(console: Console, section: Section, depth: int, *, brief: bool) -> None:
    style = ("bold underline", "bold", "italic")[min(depth, 2)]
    if depth == 0:
        console.rule(style="dim")
    console.print(Text(section.heading, style=style))
    for sentence in section.sentences:
        for line in Text(sentence).wrap(console, console.width - len(_INDENT)):
            line.rstrip()
            console.print(Text(_INDENT) + line)
    for table in () if brief else section.tables:
        _print_table(console, table)
    for each in section.sections:
        console.print()
        _print_section(console, each, depth + 1, brief=brief)


def _print_table(console: Console, table: Table) -> None:
    console.print()
    console.print(Text(_INDENT + table.caption, style="dim"))
    shown = RichTable(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in table.columns:
        shown.add_column(
            Text(column.heading),
            justify="right" if column.kind == "number" else "left",
            overflow="fold",
        )
    for number, row in enumerate(table.rows, start=1):
        if table.total and number == len(table.rows):
            shown.add_section()
        shown.add_row(*(Text(cell) for cell in row))
    console.print(Padding(shown, (0, 0, 0, 2), expand=False))
