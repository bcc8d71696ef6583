"""The order of stages, as data.

Dagster groups, jobs, the command line, checks and docs read it here. What a stage computes is in
``fbacap_logic``; how it runs is in ``assets``.
"""

from __future__ import annotations

from dataclasses import dataclass

from fbacap_logic.calendar import StageKind

INPUT_TABLES = (
    "marketplaces",
    "sellers",
    "products",
    "order_lines",
    "refunds",
    "inventory_snapshots",
    "network_capacity",
    "round_supply",
    "capacity_requests",
)

RUN_TABLES = ("parameters", "rounds", "previous_rounds", "second_previous_rounds", "currencies")


@dataclass(frozen=True)
class Stage:
    """One step of the lifecycle.

    ``tables``: what it makes in schema ``market``. ``reads``: the relations it reads, by their
    names in a working file.
    """

    name: str
    kinds: tuple[StageKind, ...]
    tables: tuple[str, ...]
    reads: tuple[str, ...]
    rule: str
    summary: str


STAGES = (
    Stage(
        name="base_allocations",
        kinds=("announce",),
        tables=("base_allocations", "score_components", "base_allocation_estimates"),
        reads=(
            "facts.weekly_demand",
            "facts.seller_markets",
            "facts.inventory_health",
            "facts.market_capacity",
            "facts.foretold_quarter",
            "history.previous_base_allocations",
            "history.confirmed_base_allocations",
        ),
        rule="§2",
        summary="what every seller gets without asking: forecast × score, fitted to the pool",
    ),
    Stage(
        name="round_requests",
        kinds=("round", "settle"),
        tables=("round_requests",),
        reads=("facts.judged_requests",),
        rule="§3",
        summary="every request received, accepted or rejected with a reason",
    ),
    Stage(
        name="cleared_allocations",
        kinds=("round",),
        tables=("cleared_allocations", "market_rounds", "demand_curves"),
        reads=("market.round_requests", "facts.round_supply_released"),
        rule="§4",
        summary="every closed round of every market, cleared highest fee first",
    ),
    Stage(
        name="repriced_fees",
        kinds=("round",),
        tables=("repriced_fees", "repricing_steps"),
        reads=("market.cleared_allocations", "market.market_rounds"),
        rule="§5",
        summary="every grant's fee, lowered to what later rounds cleared at",
    ),
    Stage(
        name="incremental_sales",
        kinds=("settle",),
        tables=("incremental_sales", "incremental_sales_days", "grant_evidence_days"),
        reads=("facts.seller_market_days", "market.base_allocations", "market.repriced_fees"),
        rule="§6",
        summary="sales that the extra space made, by three methods, day by day",
    ),
    Stage(
        name="settlements",
        kinds=("settle",),
        tables=("settlements", "ledger_entries"),
        reads=(
            "market.repriced_fees",
            "market.incremental_sales",
            "staging.stg_marketplaces",
            "history.previous_settlements",
        ),
        rule="§7",
        summary="fee, credit and net due of every grant, and the ledger's entries",
    ),
)

MARTS = (
    "dim_sellers",
    "fct_market_rounds",
    "fct_settlements",
    "fct_seller_statements",
    "fct_quarter_summary",
)

# What checks found of a run, published with every kind of it.
RESULTS_TABLE = "contract_results"

PUBLICATIONS: dict[StageKind, str] = {
    "announce": "announcement",
    "round": "round_results",
    "settle": "settlement_run",
}


def stage(name: str) -> Stage:
    """One stage by name."""
    return next(stage for stage in STAGES if stage.name == name)


def stages_of(kind: StageKind) -> tuple[Stage, ...]:
    """The stages that run in one kind of stage run, in order."""
    return tuple(stage for stage in STAGES if kind in stage.kinds)


def published_tables(kind: StageKind) -> tuple[str, ...]:
    """The tables that one kind of stage run publishes, in order."""
    tables = tuple(table for stage in stages_of(kind) for table in stage.tables)
    return (*tables, *(MARTS if kind == "settle" else ()), RESULTS_TABLE)


def asset_path(relation: str) -> tuple[str, ...]:
    """The asset key's path of a relation of a working file.

    >>> asset_path("facts.weekly_demand"), asset_path("landing.refunds")
    (('weekly_demand',), ('landing', 'refunds'))
    """
    schema, name = relation.split(".")
    return (schema, name) if schema in ("landing", "run", "history") else (name,)


def schema_of(table: str) -> str:
    """The schema of a working file in which a stage's table or a mart stands."""
    return "marts" if table in MARTS else "market"
