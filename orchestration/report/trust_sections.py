"""Why the figures can be believed: contracts, invariants, the second computation.

Here belongs what published results of checks and kept verifications say; nothing is checked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.report.document import (
    Block,
    Column,
    Figure,
    Folded,
    Listing,
    Prose,
    Section,
    Table,
    command,
)
from orchestration.report.reading import Reading, Row
from orchestration.stages import RESULTS_TABLE
from orchestration.statements.words import NOTHING, count, visible

_SHOWN_SAMPLES = 1
_COUNTS = ("rules", "hold", "broken", "warned", "not_judged")


def checks_section(reading: Reading) -> Section:
    """Contracts and invariants: what does not hold first, then counts by table."""
    asked, breaches = reading.rows["checks"], reading.rows["breaches"]
    total = {name: sum(int(row[name]) for row in asked) for name in _COUNTS}
    runs = count(len(reading.runs), "run", "runs")
    tables = {row["table_name"] for row in asked}
    broken, warned, unjudged = total["broken"], total["warned"], total["not_judged"]
    held = (
        f"{count(total['rules'], 'rule was', 'rules were')} asked of "
        f"{count(len(tables), 'table', 'tables')} before {runs} "
        f"{'was' if len(reading.runs) == 1 else 'were'} published: "
        f"{broken or 'none'} {'is' if broken < 2 else 'are'} broken, "
        f"{warned or 'none'} warned"
        + (f", {unjudged} had nothing to be judged by." if unjudged else ".")
    )
    mark = "broken" if broken else "warned" if warned else "ok"
    blocks: list[Block] = [Prose(held, mark)]
    if breaches:
        blocks.append(Figure(_faults(breaches), _source(reading, "breaches")))
    counts = Figure(_counts(asked, total), _source(reading, "checks"))
    blocks.append(Folded("Rules by table and run", (counts,)))
    return Section("Contracts and invariants", tuple(blocks))


def _source(reading: Reading, query: str) -> str | None:
    """The query that gave the figures; None where a manifest gave some of them."""
    return query if all(RESULTS_TABLE in run.tables for run in reading.runs) else None


def _faults(breaches: Sequence[Row]) -> Table:
    columns = (
        Column("Outcome", "text"), Column("Run", "text"), Column("Table", "text"),
        Column("Rule", "text"), Column("Rows"), Column("First row", "code"),
    )  # fmt: skip
    rows = tuple(
        (
            "warned" if row["severity"] == "warning" else "BROKEN",
            _run(row),
            visible(str(row["table_name"])),
            visible(str(row["rule_name"])).replace("_", " "),
            f"{row['rows_failed']:,}",
            _sample(row["sample"]),
        )
        for row in breaches
    )
    return Table("Rules that do not hold", columns, rows)


def _run(row: Row) -> str:
    return f"{row['run']} ({visible(str(row['stage']))})"


def _sample(text: str | None) -> str:
    rows = json.loads(text)[:_SHOWN_SAMPLES] if text else ()
    return "; ".join(
        ", ".join(f"{visible(name)} {visible(str(value))}" for name, value in row.items())
        for row in rows
    )


def _counts(asked: Sequence[Row], total: Mapping[str, int]) -> Table:
    # Broken first, then warned, then by name; runs stay in order.
    ordered = sorted(
        asked,
        key=lambda row: (not row["broken"], not row["warned"], row["table_name"], row["run"]),
    )
    rows = tuple((visible(str(row["table_name"])), _run(row), *_numbers(row)) for row in ordered)
    columns = (
        Column("Table", "text"), Column("Run", "text"), Column("Rules"), Column("Hold"),
        Column("Broken"), Column("Warned"), Column("Not judged"),
    )  # fmt: skip
    last = ("All", "", *_numbers(total))
    return Table("Rules asked of each table, run by run", columns, (*rows, last), total=True)


def _numbers(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{int(row[name]):,}" for name in _COUNTS)


def verification_section(reading: Reading) -> Section:
    """The second computation: before publishing from manifests, after it where it was kept."""
    table = Figure(_verification_table(reading), _source(reading, "second"))
    blocks: list[Block] = [_verdict(reading), table]
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
            f"computation gives; {command(f'fbacap verify {label}')} names the rows.",
            "broken",
        )
    if not reading.verified:
        return Prose(
            "No verification of the published files is kept. Each run was computed a second time "
            "before it was published, where the table says so; "
            f"{command(f'fbacap report {label} --verify')} verifies what stands published and "
            "shows it here.",
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
        before = [row for row in reading.rows["second"] if row["run"] == run.run]
        record = reading.verified.get(run.run)
        rows.append(
            (
                f"{run.run} ({run.stage})",
                *_compared(before, "rows_checked", "rows_failed"),
                *_compared(record["comparisons"] if record else [], "rows", "differing_rows"),
                record["manifest_sha256"] if record else "not kept",
            )
        )
    return Table("Rows computed a second time and compared", columns, tuple(rows))


def _compared(found: Sequence[Mapping[str, Any]], rows: str, differing: str) -> tuple[str, str]:
    if not found:
        return NOTHING, NOTHING
    return (
        f"{sum(int(each[rows]) for each in found):,}",
        f"{sum(int(each[differing]) for each in found):,}",
    )
