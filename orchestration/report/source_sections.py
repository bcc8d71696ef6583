"""Where a report comes from: runs, policy, files by hash, and how to get it again.

Here belongs the trail from a figure to the files as delivered. The queries are shown by the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fbacap_logic.policy import Policy
from orchestration.policies import policy_document
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
from orchestration.statements.provenance import source_run
from orchestration.statements.source_sections import runs_table
from orchestration.statements.words import NOTHING, instant, visible

_NOT_PARAMETERS = {"policy_version", "in_force_from"}


def calendar_section(reading: Reading) -> Section:
    """What was published when, and what is still to come."""
    last = {run.stage: run for run in reading.runs}
    ahead = {stage.name for stage in reading.to_come}
    rows = [
        (
            stage.name,
            instant(stage.cutoff_at.replace(tzinfo=None)),
            f"run {last[stage.name].run}"
            if stage.name in last
            else "to come"
            if stage.name in ahead
            else "not by itself",
        )
        for stage in reading.policy.calendar_of(reading.quarter).stages
    ]
    rows += [
        (run.stage, instant(run.cutoff_at.replace(tzinfo=None)), f"run {run.run}")
        for run in reading.runs
        if run.reason is not None
    ]
    columns = (
        Column("Stage run", "text"), Column("Cut-off, UTC", "text"), Column("Published as", "text")
    )  # fmt: skip
    return Section("Calendar", (Figure(Table("Stage runs of the quarter", columns, tuple(rows))),))


def policy_section(reading: Reading) -> Section:
    """The policy's version and each parameter in which it is not the default."""
    versions = {
        (str(run.manifest["policy_version"]), str(run.manifest["policy_sha256"]))
        for run in reading.runs
    }
    blocks: list[Block] = [
        Prose(f"Policy {visible(version)}, SHA-256 {digest}.")
        for version, digest in sorted(versions)
    ]
    ours = dict(_parameters(policy_document(reading.policy)))
    default = dict(_parameters(policy_document(Policy())))
    names = [name for name in ours if ours[name] != default.get(name)]
    names += [name for name in default if name not in ours]
    if not names:
        blocks.append(Prose("Every parameter has its default value."))
        return Section("Policy", tuple(blocks))
    columns = (
        Column("Parameter", "code"), Column("This policy", "text"), Column("Default", "text")
    )  # fmt: skip
    rows = tuple(
        (visible(name), ours.get(name, NOTHING), default.get(name, NOTHING)) for name in names
    )
    caption = "Parameters that are not the default"
    return Section("Policy", (*blocks, Figure(Table(caption, columns, rows))))


def _parameters(document: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every parameter with its value as text; lists of single values are one parameter.

    >>> dict(_parameters({"a": {"b": 1}, "c": [1, 2], "d": [{"e": None}], "policy_version": "x"}))
    {'a.b': '1', 'c': '1, 2', 'd.1.e': '–'}
    """
    for name, value in document.items():
        here = f"{path}.{name}" if path else str(name)
        if not path and name in _NOT_PARAMETERS:
            continue
        if isinstance(value, Mapping):
            yield from _parameters(value, here)
        elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
            for number, each in enumerate(value, start=1):
                yield from _parameters({str(number): each}, here)
        elif isinstance(value, list):
            yield here, ", ".join(map(_plain, value)) or NOTHING
        else:
            yield here, _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return " → ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value is None else visible(str(value))


def provenance_section(reading: Reading) -> Section:
    """Runs with code and engine, every published file and every input file by hash."""
    runs = [source_run(run) for run in reading.runs]
    code = sorted({str(run.manifest["code_version"]) for run in reading.runs})
    engine = sorted({str(run.manifest["engine"]) for run in reading.runs})
    simulated = reading.simulated
    blocks: list[Block] = [
        Prose(f"Code {visible(', '.join(code))}; engine {visible(', '.join(engine))}.")
    ]
    if simulated:
        blocks.append(
            Prose("Some input was not delivered by a marketplace but simulated:", "warned")
        )
        blocks.append(
            Listing(tuple(f"{visible(table)}: {visible(how)}" for table, how in simulated.items()))
        )
    blocks += [
        Folded("Published runs", (Figure(runs_table(runs)),)),
        Folded("Published files and their hashes", (Figure(_files(reading)),)),
        Folded("Input files and their hashes", (Figure(_inputs(reading)),)),
    ]
    return Section("Where the figures come from", tuple(blocks))


def _files(reading: Reading) -> Table:
    columns = (
        Column("Run", "text"), Column("Table", "text"), Column("Rows"),
        Column("SHA-256 of the file", "code"),
    )  # fmt: skip
    rows = tuple(
        (f"{run.run} ({run.stage})", table, f"{entry['rows']:,}", str(entry["sha256"]))
        for run in reading.runs
        for table, entry in sorted(run.tables.items())
    )
    return Table("Published files", columns, rows)


def _inputs(reading: Reading) -> Table:
    read: dict[tuple[str, str], list[tuple[int, int, str | None]]] = {}
    for run in reading.runs:
        for file in source_run(run).input_files:
            mine = read.setdefault((file.table, file.sha256), [])
            mine.append((run.run, file.rows, file.simulated))
    columns = (
        Column("Input table", "text"), Column("Origin", "text"), Column("Read by runs", "text"),
        Column("Rows before the last one's cut-off"), Column("SHA-256 of the file", "code"),
    )  # fmt: skip
    rows = tuple(
        (
            visible(table),
            "simulated" if mine[-1][2] else "as delivered",
            ", ".join(str(number) for number, _, _ in mine),
            f"{mine[-1][1]:,}",
            sha256,
        )
        for (table, sha256), mine in sorted(read.items())
    )
    return Table("Input files", columns, rows)


def reproduce_section(reading: Reading) -> Section:
    """The commands that give these figures again."""
    label = reading.quarter.label
    code = str(reading.latest.manifest["code_version"])
    return Section(
        "How to get this again",
        (
            Prose(
                f"With code {visible(code)} and this quarter's data folder, "
                "these commands give this page again, compute its figures a "
                "second time, run every stage again from the input files, and show the runs:"
            ),
            Listing(
                (
                    f"fbacap report {label}",
                    f"fbacap verify {label}",
                    f"fbacap replay {label}",
                    f"fbacap sql \"select * from runs where quarter = '{label}' order by run\"",
                ),
                is_code=True,
            ),
        ),
    )
