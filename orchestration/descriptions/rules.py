"""The market rules' own words, for showing where a figure is looked at.

Here belongs finding a section of ``docs/rules.md``; nothing here interprets one.
"""

from __future__ import annotations

import re
from functools import cache

from orchestration.paths import PROJECT

RULES_PAGE = PROJECT / "docs" / "rules.md"
_HEADING = re.compile(r"^## (\d+)\. ", re.MULTILINE)
_SECTION = re.compile(r"§+\s*(\d+)(?:[.\d]*)(?:–(\d+))?")


@cache
def sections() -> dict[int, str]:
    """Every section by number, heading included; empty where the docs are not installed."""
    if not RULES_PAGE.is_file():
        return {}
    text = RULES_PAGE.read_text(encoding="utf-8")
    starts = [(int(found[1]), found.start()) for found in _HEADING.finditer(text)]
    ends = [start for _, start in starts[1:]] + [len(text)]
    return {
        number: text[start:end].strip() for (number, start), end in zip(starts, ends, strict=True)
    }


def section_numbers(rule: str) -> tuple[int, ...]:
    """The sections that a reference names.

    >>> section_numbers("§2.3"), section_numbers("§§4–6 and §8.9")
    ((2,), (4, 5, 6, 8))
    """
    numbers: dict[int, None] = {}
    for found in _SECTION.finditer(rule):
        first = int(found[1])
        numbers |= dict.fromkeys(range(first, int(found[2] or first) + 1))
    return tuple(numbers)


def rule_text(rule: str) -> str:
    """The sections that a reference names, in full, as Markdown."""
    found = sections()
    return "\n\n".join(found[number] for number in section_numbers(rule) if number in found)
