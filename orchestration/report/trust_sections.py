"""Why the figures can be believed: contracts, invariants, the second computation.

Here belongs what manifests and kept verifications say; nothing is checked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.published import PublishedRun
from orchestration.report.document import (
    Block,
    Column,
    Figure,
    Folded,
    Listing,
    Prose,
    Section,
    Table,
)
from orchestration.report.reading import Reading
from orchestration.statements.words import NOTHING, count, visible

_SECOND = "second_computation"
_SHOWN_SAMPLES = 1


@dataclass(frozen=True)
class _Rule:
    """One rule's outcome in one run."""

    run: PublishedRun
    table: str
    name: str
    passed: bool
    is_warning: bool
    failed_rows: int
    sample: str


def checks_section(reading: Reading) -> Section:
    """Contracts and invariants: what does not hold first, then counts by table."""
    rules = [rule for run in reading.runs for rule in _rules_of(run)]
    broken = [rule for rule in rules if not rule.passed and not rule.is_warning]
    warned = [rule for rule in rules if not rule.passed and rule.is_warning]
    tables = {rule.table for rule in rules}
    runs = count(len(reading.runs), "run", "runs")
    held = (
        f"{count(len(rules), 'rule was', 'rules were')} asked of "
        f"{count(len(tables), 'table', 'tables')} before {runs} "
        f"{'was' if len(reading.runs) == 1 else 'were'} published: "
        f"{len(broken) or 'none'} {'is' if len(broken) < 2 else 'are'} broken, "
        f"{len(warned) or 'none'} warned."
    )
    mark = "broken" if broken else "warned" if warned else "ok"
    blocks: list[Block] = [Prose(held, mark)]
    if broken or warned:
        blocks.append(Figure(_faults([*broken, *warned])))
    blocks.append(Folded("Rules by table and run", (Figure(_counts(rules)),)))
    return Section("Contracts and invariants", tuple(blocks))


def _rules_of(run: PublishedRun) -> Iterator[_Rule]:
    for check in run.manifest["checks"]:
        if check["table"] == _SECOND:
            continue
        for rule in check["rules"]:
            yield _Rule(
                run,
                str(check["table"]),
                str(rule["name"]),
                bool(rule["passed"]),
                rule.get("severity") == "warning",
                int(rule.get("failed_rows", 0)),
                _sample(rule),
            )
        for name in check.get("unjudged", ()):
            yield _Rule(run, str(check["table"]), f"{name} (not judged)", False, False, 0, "")


def _sample(rule: Mapping[str, Any]) -> str:
    rows = rule.get("sample", ())[:_SHOWN_SAMPLES]
    return "; ".join(
        ", ".join(f"{name} {visible(str(value))}" for name, value in row.items()) for row in rows
    )


def _faults(rules: list[_Rule]) -> Table:
    columns = (
        Column("Outcome", "text"), Column("Run", "text"), Column("Table", "text"),
        Column("Rule", "text"), Column("Rows"), Column("First row", "code"),
    )  # fmt: skip
    rows = tuple(
        (
            "warned" if rule.is_warning else "BROKEN",
            f"{rule.run.run} ({rule.run.stage})",
            rule.table,
            visible(rule.name).replace("_", " "),
            f"{rule.failed_rows:,}",
            rule.sample,
        )
        for rule in rules
    )
    return Table("Rules that do not hold", columns, rows)


def _counts(rules: list[_Rule]) -> Table:
    groups: dict[tuple[str, str], list[_Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.table, f"{rule.run.run} ({rule.run.stage})"), []).append(rule)
    rows = [(*place, *_outcomes(mine)) for place, mine in groups.items()]
    # Broken first, then warned, then by name; the sort keeps runs in order.
    rows.sort(key=lambda row: (row[4] == "0", row[5] == "0", row[0]))
    columns = (
        Column("Table", "text"), Column("Run", "text"), Column("Rules"), Column("Hold"),
        Column("Broken"), Column("Warned"),
    )  # fmt: skip
    total = ("All", "", *_outcomes(rules))
    return Table("Rules asked of each table, run by run", columns, (*rows, total), total=True)


def _outcomes(rules: list[_Rule]) -> tuple[str, str, str, str]:
    hold = sum(rule.passed for rule in rules)
    warned = sum(not rule.passed and rule.is_warning for rule in rules)
    broken = len(rules) - hold - warned
    return f"{len(rules):,}", f"{hold:,}", f"{broken:,}", f"{warned:,}"


def verification_section(reading: Reading) -> Section:
    """The second computation: before publishing from manifests, after it where it was kept."""
    blocks: list[Block] = [_verdict(reading), Figure(_verification_table(reading))]
    different = [
        f"run {number} {each['comparison']}: {each['differing_rows']:,} of {each['rows']:,} rows"
        for number, record in sorted(reading.verified.items())
        for each in record["comparisons"]
        if each["differing_rows"]
    ]
    if different:
        blocks.append(Listing(tuple(map(visible, different))))
    return Section("Second computation", tuple(blocks))


def _verdict(reading: Reading) -> Prose:
    label = reading.quarter.label
    differing = [number for number, record in reading.verified.items() if not record["verified"]]
    if differing:
        return Prose(
            f"NOT verified: what stands published of run {differing[0]} is not what a second "
            f"computation gives; `fbacap verify {label}` names the rows.",
            "broken",
        )
    if not reading.verified:
        return Prose(
            "No verification of the published files is kept. Each run was computed a second time "
            "before it was published, where the table says so; "
            f"`fbacap report {label} --verify` verifies what stands published and shows it here.",
            "warned",
        )
    missing = [str(run.run) for run in reading.runs if run.run not in reading.verified]
    rest = (
        f" The files of runs {', '.join(missing)} were compared only as far as those were built on "
        "them."
        if missing
        else ""
    )
    return Prose(
        "Verified after publishing: grants, fees, credits and net dues are the same computed a "
        "second time, in SQL that shares no code with the first, and files are what their "
        f"manifests say.{rest}",
        "ok",
    )


def _verification_table(reading: Reading) -> Table:
    columns = (
        Column("Run", "text"), Column("Rows before publishing"), Column("of them differing"),
        Column("Rows after publishing"), Column("of these differing"),
        Column("SHA-256 of the verified manifest", "code"),
    )  # fmt: skip
    rows = []
    for run in reading.runs:
        before = [check for check in run.manifest["checks"] if check["table"] == _SECOND]
        rules = [rule for check in before for rule in check["rules"]]
        record = reading.verified.get(run.run)
        rows.append(
            (
                f"{run.run} ({run.stage})",
                *_compared(rules, "rows", "failed_rows"),
                *_compared(record["comparisons"] if record else [], "rows", "differing_rows"),
                record["manifest_sha256"] if record else "not kept",
            )
        )
    return Table("Rows computed a second time and compared", columns, tuple(rows))


def _compared(found: list[Mapping[str, Any]], rows: str, differing: str) -> tuple[str, str]:
    if not found:
        return NOTHING, NOTHING
    return (
        f"{sum(int(each[rows]) for each in found):,}",
        f"{sum(int(each[differing]) for each in found):,}",
    )
