"""Where a statement's figures come from, as sections: from a figure to the rows delivered.

Here belongs showing the trail. Finding it is ``provenance``.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestration.statements.document import Column, Section, Table
from orchestration.statements.figures import SourceRun, Statement
from orchestration.statements.words import instant, visible


def source_section(statement: Statement) -> Section:
    """Published tables, the runs that made them, the files those read, the requests' rows."""
    trail = statement.provenance
    told = [
        (
            "Each figure stands in a published table; each table was made by a run, from files "
            "kept exactly as they were delivered. Published runs are never changed."
        ),
        (
            f"`fbacap verify {statement.quarter}` computes the figures a second time; "
            "`fbacap sql` shows any of the tables."
        ),
    ]
    simulated = sorted(
        {file.table for run in trail.runs for file in run.input_files if file.simulated is not None}
    )
    if simulated:
        told.append(f"Made by a simulation, not by a marketplace: {', '.join(simulated)}.")
    return Section(
        "Where these figures come from",
        tuple(told),
        (
            *_request_rows(statement),
            _tables(statement),
            runs_table(trail.runs),
            _inputs(trail.runs),
        ),
    )


def _tables(statement: Statement) -> Table:
    return Table(
        "Published tables",
        (
            Column("Figures", "text"),
            Column("Table", "text"),
            Column("Run", "text"),
            Column("Rows"),
            Column("SHA-256 of the file", "code"),
        ),
        tuple(
            (each.figures, each.table, f"{each.run} ({each.stage})", f"{each.rows:,}", each.sha256)
            for each in statement.provenance.tables
        ),
    )


def runs_table(runs: Sequence[SourceRun]) -> Table:
    """Runs with their cut-offs, policy, code and what they were built on."""
    return Table(
        "Published runs",
        (
            Column("Run", "text"),
            Column("Cut-off, UTC", "text"),
            Column("Policy", "code"),
            Column("Code", "code"),
            Column("Built on", "code"),
            Column("Manifest", "code"),
        ),
        tuple(
            (
                f"{each.run} ({each.stage})",
                instant(each.cutoff_at),
                visible(each.policy_version),
                visible(each.code_version),
                "; ".join(each.built_on) or "input files alone",
                each.manifest,
            )
            for each in runs
        ),
    )


def _inputs(runs: Sequence[SourceRun]) -> Table:
    files = dict.fromkeys((file.table, file.sha256) for run in runs for file in run.input_files)
    read = [{(file.table, file.sha256): file.rows for file in run.input_files} for run in runs]
    return Table(
        "Input files, with the rows received before each run's cut-off",
        (
            Column("Input table", "text"),
            *(Column(f"Run {run.run}") for run in runs),
            Column("SHA-256 of the file", "code"),
        ),
        tuple(
            (
                table,
                *(f"{rows[table, sha256]:,}" if (table, sha256) in rows else "" for rows in read),
                sha256,
            )
            for table, sha256 in files
        ),
    )


def _request_rows(statement: Statement) -> tuple[Table, ...]:
    rows = tuple(
        (
            visible(request.request_id),
            str(revision.revision),
            f"{revision.source_row:,}",
            revision.source_file,
        )
        for market in statement.markets
        for request in market.requests
        for revision in request.revisions
    )
    table = Table(
        "Your requests as received",
        (
            Column("Request", "code"),
            Column("Revision"),
            Column("Row of the file"),
            Column("SHA-256 of the file", "code"),
        ),
        rows,
    )
    return (table,) if rows else ()
