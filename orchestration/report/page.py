"""The report's page: which sections it has, in which order, and the queries behind its figures.

Here belongs the order. Sections are written in modules of their own; ``html_page`` writes the page.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.report.document import Charts, Figure, Page
from orchestration.report.headline import STRIP_QUERIES, facts_of, summary_of
from orchestration.report.market_sections import markets_section
from orchestration.report.money_sections import (
    credits_section,
    payments_section,
    settlements_section,
)
from orchestration.report.reading import Reading
from orchestration.report.source_sections import (
    calendar_section,
    policy_section,
    provenance_section,
    reproduce_section,
)
from orchestration.report.spread_section import spread_section
from orchestration.report.trust_sections import checks_section, verification_section
from orchestration.statements.words import instant, visible

AUDIENCE = (
    "For the operator and the auditor: it names sellers and holds figures that are not public."
)


@dataclass(frozen=True)
class Source:
    """A query as the page shows it: its name, what it gives, the published tables, the command."""

    name: str
    gives: str
    origin: str
    command: str


def page_of(reading: Reading) -> Page:
    """Everything that a report shows, in order."""
    latest = reading.latest
    cut_off = instant(latest.cutoff_at.replace(tzinfo=None))
    places = sorted({marketplace for marketplace, _ in reading.markets})
    return Page(
        quarter=reading.quarter.label,
        subtitle=(
            f"Marketplace {', '.join(map(visible, places))}, as of the {latest.stage} run "
            f"(cut-off {cut_off} UTC)"
        ),
        audience=AUDIENCE,
        facts=facts_of(reading),
        facts_sources=tuple(name for name in STRIP_QUERIES if reading.rows[name]),
        summary=summary_of(reading),
        sections=(
            markets_section(reading),
            spread_section(reading),
            payments_section(reading),
            credits_section(reading),
            checks_section(reading),
            verification_section(reading),
            settlements_section(reading),
            calendar_section(reading),
            policy_section(reading),
            provenance_section(reading),
            reproduce_section(reading),
        ),
    )


def sources_of(reading: Reading, page: Page) -> dict[str, Source]:
    """The queries that a page's figures came from, by name, in the order of the page."""
    used = list(page.facts_sources)
    used += [
        block.source
        for block in page.blocks()
        if isinstance(block, Figure | Charts) and block.source is not None
    ]
    return {name: _source(reading, name) for name in dict.fromkeys(used)}


def _source(reading: Reading, name: str) -> Source:
    query = reading.queries[name]
    return Source(
        name=name,
        gives=query.gives,
        origin=", ".join(_origin(reading, table) for table in query.tables),
        command=query.command,
    )


def _origin(reading: Reading, table: str) -> str:
    if table in reading.held:
        run = reading.held[table]
        return f"{table} (run {run.run}, {run.stage})"
    return f"{table} (every run)"
