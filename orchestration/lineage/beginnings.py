"""Where lineage begins: the policy, the run's own parameters, files as received, earlier runs.

Here belong the tables that nothing else of the graph makes. ``working`` makes the relations of a
run; ``policy`` says what its parameters mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from fbacap_logic.policy import Policy
from orchestration.contracts import load_contract
from orchestration.lineage.graph import LineageColumn, LineageTable, rule_in, unit_in
from orchestration.stages import INPUT_TABLES, STAGES

_SECTIONS = ("calendar", "base_allocation", "requests", "clearing", "settlement")
_RECEIPT = (
    ("received_at", "TIMESTAMP", "When the row was received, UTC (rules §1)."),
    ("source_file", "VARCHAR", "SHA-256 of the file as received."),
    ("source_row", "BIGINT", "Data row in that file, from 1."),
)  # fmt: skip
_EARLIER = {
    "previous_settlements": "of the settlement run before",
    "confirmed_base_allocations": "as announced before for this quarter",
}
# Of the run's relations, what follows from the policy or from each other; the rest is given.
_RUN_FORMULAS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "parameters.quarter_end": (("run.parameters.quarter_start",), "last day of the quarter"),
    "parameters.days_in_quarter": (
        ("run.parameters.quarter_start", "run.parameters.quarter_end"),
        "days from quarter_start to quarter_end, both included",
    ),
    "parameters.previous_quarter_start": (
        ("run.parameters.quarter_start",),
        "three months before quarter_start",
    ),
    "parameters.stage_kind": (("run.parameters.stage",), "announce, round or settle"),
    "parameters.announced_at": (
        ("run.parameters.quarter_start", "policy.calendar.announce_days_before"),
        "quarter_start − announce_days_before, 00:00 UTC",
    ),
    "parameters.cutoff_at": (
        (
            "run.parameters.stage", "run.parameters.announced_at", "run.rounds.closes_at",
            "run.parameters.quarter_end", "policy.calendar.preliminary_days_after",
            "policy.calendar.final_days_after", "policy.calendar.true_up_days_after",
        ),
        "announced_at; the round's closes_at; quarter_end + days after; of a rerun, as stated",
    ),
    "parameters.facts_from": (
        ("run.parameters.cutoff_at", "policy.base_allocation.history_weeks"),
        "cut-off day − 7 × history_weeks",
    ),
    "parameters.snapshot_carry_days": (("policy.settlement.snapshot_carry_days",), ""),
}  # fmt: skip


def policy_tables() -> Iterator[LineageTable]:
    """One table for each section of the policy, a column for each parameter."""
    for section in _SECTIONS:
        kind = type(getattr(Policy(), section))
        description = (kind.__doc__ or section).strip().splitlines()[0]
        yield LineageTable(
            relation=f"policy.{section}",
            description=description,
            columns=tuple(
                LineageColumn(
                    field.name, (), None, None,
                    f"Parameter of the policy that governs the quarter. {description}",
                    "parameter", unit_in(field.name), rule_in(description),
                )
                for field in fields(kind)
            ),
            row_sources=(),
            made_by="the operator's policy files",
        )  # fmt: skip


def landing_tables() -> Iterator[LineageTable]:
    """The input tables, as received."""
    for table in INPUT_TABLES:
        contract = load_contract(table)
        received = [
            (column.name, column.physical_type, column.description, column.unit)
            for column in contract.columns
        ]
        receipt = [
            (name, kind, text, None)
            for name, kind, text in _RECEIPT
            if name not in contract.column_names
        ]
        yield LineageTable(
            relation=f"landing.{table}",
            description=contract.description,
            columns=tuple(
                LineageColumn(name, (), None, None, text, kind, unit, rule_in(text))
                for name, kind, text, unit in [*received, *receipt]
            ),
            row_sources=(),
            made_by="fbacap ingest",
            contract_version=contract.version,
        )


def run_tables(sources: Sequence[Mapping[str, Any]]) -> Iterator[LineageTable]:
    """The run's own relations, as dbt's sources declare them."""
    for source in sources:
        if source["schema"] != "run":
            continue
        table = str(source["identifier"])
        yield LineageTable(
            relation=f"run.{table}",
            description=" ".join(source["description"].split()),
            columns=tuple(
                _run_column(table, str(column["name"]), column)
                for column in source["columns"].values()
            ),
            row_sources=(),
            made_by="the run's first step",
        )


def _run_column(table: str, name: str, declared: Mapping[str, Any]) -> LineageColumn:
    sources, formula = _RUN_FORMULAS.get(f"{table}.{name}", ((), ""))
    if table.endswith("rounds"):
        sources, formula = _round_origin(table, name)
    text = str(declared["description"])
    return LineageColumn(
        name, sources, formula or None, None, text, str(declared["data_type"]).upper(),
        unit_in(name), rule_in(text, "§1"),
    )  # fmt: skip


def _round_origin(table: str, name: str) -> tuple[tuple[str, ...], str]:
    """How a round's dates follow from the policy's calendar; alike in all three quarters."""
    start = "previous_quarter_start" if table != "rounds" else "quarter_start"
    of_quarter = f"run.parameters.{start}"
    closes = f"run.{table}.closes_at"
    return {
        "round": (("policy.calendar.round_close_days",), "place in round_close_days, from 1"),
        "closes_at": (
            (of_quarter, "policy.calendar.round_close_days"),
            "the quarter's first day + round_close_days of the round, 00:00 UTC",
        ),
        "in_force_from": (
            (closes, of_quarter),
            "the day after closes_at, or the quarter's first day if later",
        ),
        "in_force_to": ((of_quarter,), "the quarter's last day"),
        "days_in_force": (
            (f"run.{table}.in_force_from", f"run.{table}.in_force_to"),
            "days from in_force_from to in_force_to, both included",
        ),
        "is_closed": ((closes, "run.parameters.cutoff_at"), "closes_at ≤ cutoff_at"),
    }[name]


def history_tables(relations: Sequence[str]) -> Iterator[LineageTable]:
    """What is read from earlier runs: the columns of the published table, as they are."""
    made = [table for stage in STAGES for table in stage.tables]
    for relation in sorted(set(relations)):
        name = relation.removeprefix("history.")
        published = next(table for table in made if name.endswith(f"_{table}"))
        contract = load_contract(published)
        earlier = _EARLIER.get(name) or (
            "of the quarter before the previous one"
            if name.startswith("second_previous_")
            else "of the quarter before"
        )
        yield LineageTable(
            relation=relation,
            description=f"{published} {earlier}, from the published zone.",
            columns=tuple(
                LineageColumn(
                    column.name, (f"market.{published}.{column.name}",), None, f"{earlier}",
                    column.description, column.physical_type, column.unit,
                    rule_in(column.origin.description, column.description, contract.description),
                )
                for column in contract.columns
            ),
            row_sources=tuple(f"market.{published}.{key}" for key in contract.key),
            made_by="the run's first step",
            contract_version=contract.version,
            earlier=earlier,
        )  # fmt: skip
