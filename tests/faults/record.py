"""``python -m tests.faults.record``: what the long forms counted, as the tables of the docs.

    python -m tests.faults.record kills.json fuzz-1.json fuzz-2.json faults.xml

A file ending in .xml is pytest's report; a JSON document with ``left`` is the crash test's, any
other the fuzz's. Several reports, and several documents of the fuzz, are added up.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, parse

from tests.faults.crash import KINDS, LEFT

OUTCOMES = ("taken", "apart", "unread", "nothing", "refused", "broken")


def main(names: Sequence[str]) -> int:
    """Print a table for every kind of file that is named."""
    documents = [json.loads(Path(name).read_text()) for name in names if name.endswith(".json")]
    kills = [document for document in documents if "left" in document]
    cases = [document for document in documents if "left" not in document]
    reports = [Path(name) for name in names if name.endswith(".xml")]
    tables = [kills_table(each) for each in kills]
    tables += [cases_table(cases)] if cases else []
    tables += [report_table(reports)] if reports else []
    print("\n\n".join(tables))  # noqa: T201 - its output
    return 0


def kills_table(document: Mapping[str, Any]) -> str:
    """Kills by phase: at what kind of instant, and what they left."""
    kills = {(each["phase"], each["kind"]): each["kills"] for each in document["kills"]}
    left = {(each["phase"], each["left"]): each["kills"] for each in document["left"]}
    columns = [*((kills, kind) for kind in KINDS.values()), *((left, name) for name in LEFT)]
    phases = list(dict.fromkeys(each["phase"] for each in document["kills"]))
    rows = [(phase, *(counts.get((phase, name), 0) for counts, name in columns))
            for phase in phases]  # fmt: skip
    done = [f"{stage} {at} of {known}" for stage, (at, known) in document["boundaries"].items()]
    told = (
        f"{sum(kills.values())} kills in {document['lives']} lives and {document['seconds']:,} s; "
        f"step boundaries killed at: {', '.join(done)}; {document['ended_before']} commands ended "
        f"before their instant; {len(document['faults'])} faults."
    )
    heads = ("killed during", *KINDS.values(), *(f"left {name}" for name in LEFT))
    return markdown(heads, [*rows, _summed("all", rows)]) + f"\n\n{told}"


def cases_table(documents: Iterable[Mapping[str, Any]]) -> str:
    """Hostile deliveries by kind, and what became of them."""
    counts: Counter[tuple[str, str]] = Counter()
    layers: Counter[str] = Counter()
    seconds, seeds = 0, set()
    for document in documents:
        seconds += document["seconds"]
        seeds.add(str(document["seed"]))
        for each in document["outcomes"]:
            counts[each["kind"], each["outcome"]] += each["cases"]
            layers[each["layer"]] += each["cases"]
    kinds = sorted({kind for kind, _ in counts})
    rows = [(kind, *(counts[kind, outcome] for outcome in OUTCOMES)) for kind in kinds]
    told = (
        f"{sum(layers.values()):,} cases of seed {', '.join(sorted(seeds))} in {seconds:,} s: "
        f"{layers['whole']:,} through the whole of ingest, {layers['reading']:,} through the layer "
        "that reads and judges one file."
    )
    return markdown(("kind", *OUTCOMES), [*rows, _summed("all", rows)]) + f"\n\n{told}"


def report_table(paths: Sequence[Path]) -> str:
    """Tests by name: how many cases each had, and how many of them failed; of several reports."""
    cases, failed = Counter[str](), Counter[str]()
    told = []
    for case in _cases(paths):
        name = case.attrib["name"].partition("[")[0].removeprefix("test_").replace("_", " ")
        cases[name] += 1
        failed[name] += case.find("failure") is not None or case.find("error") is not None
        told += [f"{each.attrib['name']}: {int(each.attrib['value']):,}"
                 for each in case.iter("property")]  # fmt: skip
    rows = [(name, cases[name], failed[name]) for name in cases]
    heads = ("what was done, and what must come of it", "times", "failed")
    return "\n\n".join([markdown(heads, [*rows, _summed("all", rows)]), *told])


def _cases(paths: Sequence[Path]) -> Iterator[Element]:
    for path in paths:
        for case in parse(path).getroot().iter("testcase"):  # noqa: S314 - written by pytest, here
            if case.find("skipped") is None:
                yield case


def _summed(name: str, rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    return (name, *(sum(column) for column in list(zip(*rows, strict=True))[1:]))


def markdown(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; counts stand to the right.

    >>> print(markdown(("kind", "times"), [("a", 1200)]))
    | kind | times |
    |---|---:|
    | a | 1,200 |
    """
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for row in rows:
        cells = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
