"""Every row that landed before the cut-off is staged or accounted for, as a blocking check.

Here belongs counting a run's rows, table by table. What was kept apart never lands, so no run sees
it; the sums over the whole landing zone are ``landing.accounts``.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import duckdb

from orchestration.checks.outcomes import record_outcome
from orchestration.contracts import load_contract
from orchestration.descriptions.run_metadata import of_which_run
from orchestration.landing.accounts import superseded_sql, version_columns
from orchestration.landing.quarantine import count_quarantined
from orchestration.resources import Market
from orchestration.run_tables import naive_utc
from orchestration.working import connect

CHECK_NAME = "rows_accounted_for"
_OUTCOME = "row_accounts"
# Days that a run never reads are left out of its stock, so they are counted by themselves.
_READ = {
    "stg_inventory_snapshots": (
        "(select landed.* from landing.inventory_snapshots as landed inner join staging.stg_run "
        "as run on landed.snapshot_date between run.stock_from and run.stock_to)"
    )
}
_VERSIONS = {"stg_round_supply_versions": "round_supply", "stg_seller_versions": "sellers"}
_LAST_VERSIONS = (
    *("capacity_requests", "inventory_snapshots", "marketplaces", "network_capacity"),
    *("order_lines", "products", "refunds", "round_supply", "sellers"),
)
STAGED = {f"stg_{table}": table for table in _LAST_VERSIONS} | _VERSIONS


@dataclass(frozen=True)
class RowAccount:
    """The rows of one input table that had been received before a run's cut-off.

    Attributes:
        model: the staging model.
        table: the input table.
        landed_rows: rows accepted, which the run may see.
        staged_rows: those that staging keeps.
        superseded_rows: those that repeat the key of another one, or all of it where every version
            counts.
        unread_rows: those of days that the run does not read.
        quarantined_rows: rows kept apart when the run began, which it never sees.
    """

    model: str
    table: str
    landed_rows: int
    staged_rows: int
    superseded_rows: int
    unread_rows: int
    quarantined_rows: int

    @property
    def lost_rows(self) -> int:
        """Rows that are nowhere; fewer than none when rows were counted twice."""
        return self.landed_rows - self.staged_rows - self.superseded_rows - self.unread_rows

    @property
    def sentence(self) -> str:
        """What was counted, in words."""
        unread = f", {self.unread_rows:,} not read by this run" if self.unread_rows else ""
        told = (
            f"of {self.landed_rows:,} landed row{'' if self.landed_rows == 1 else 's'} of "
            f"{self.table} received before the cut-off "
            f"{self.staged_rows:,} are staged, {self.superseded_rows:,} superseded{unread}"
        )
        if not self.lost_rows:
            return told
        what = "are lost" if self.lost_rows > 0 else "are too many"
        return f"{told}: {abs(self.lost_rows):,} {what}; stg_{self.table} must keep each key once"


def row_account_specs(models: Collection[str]) -> list[dg.AssetCheckSpec]:
    """A check for each staging model of an input table."""
    return [
        dg.AssetCheckSpec(
            CHECK_NAME,
            asset=dg.AssetKey(model),
            blocking=True,
            description=(
                f"Every row of {STAGED[model]} that landed before the cut-off is staged or "
                "superseded by another version of it: none is lost, none counts twice (rules §1)."
            ),
        )
        for model in models
        if model in STAGED
    ]


def row_account_results(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.AssetCheckResult]:
    """Count the rows of the staging models that this run has built."""
    models = sorted(
        key.asset_key.path[-1]
        for key in context.selected_asset_check_keys
        if key.name == CHECK_NAME
    )
    if not models:
        return
    run = market.stage_run(context)
    quarantined = count_quarantined(run.data.landing, naive_utc(run.stage.cutoff_at))
    with connect(market.working_file(context)) as connection:
        found = [row_account(connection, model, quarantined) for model in models]
    record_outcome(market.folder(context), _OUTCOME, _outcome(found))
    about = of_which_run(context.run.tags)
    yield from (account_result(each, about) for each in found)


def row_account(
    connection: duckdb.DuckDBPyConnection, model: str, quarantined: Mapping[str, int]
) -> RowAccount:
    """Count the rows of one staging model in a working file.

    Args:
        connection: on the working file.
        model: the model's name.
        quarantined: rows kept apart, by input table.
    """
    table = STAGED[model]
    contract = load_contract(table)
    columns = version_columns(contract)
    if model in _VERSIONS:
        columns = (*contract.column_names, "received_at")
    read = _READ.get(model, f"landing.{table}")
    found = connection.execute(
        f"select (select count(*) from landing.{table}), (select count(*) from {read}), "
        f"(select count(*) from staging.{model}), ({superseded_sql(read, columns)})"
    ).fetchall()
    ((landed, read_rows, staged, superseded),) = found
    return RowAccount(
        model=model,
        table=table,
        landed_rows=landed,
        staged_rows=staged,
        superseded_rows=superseded,
        unread_rows=landed - read_rows,
        quarantined_rows=quarantined.get(table, 0),
    )


def _outcome(found: Sequence[RowAccount]) -> dict[str, Any]:
    # Quarantined rows are no part of what a run was made from, so its manifest is silent on them.
    rules = [
        {
            "name": f"every_landed_row_is_in_{each.model}_or_superseded",
            "sentence": each.sentence,
            "passed": not each.lost_rows,
            "failed_rows": abs(each.lost_rows),
            "rows": each.landed_rows,
        }
        for each in found
    ]
    passed = all(rule["passed"] for rule in rules)
    return {"table": _OUTCOME, "kind": "row_account", "passed": passed, "rules": rules}


def account_result(account: RowAccount, about: Mapping[str, str]) -> dg.AssetCheckResult:
    """A table's account as Dagster shows it: received = accepted + superseded + quarantined.

    Rows of days that the run does not read are received and neither of the three.
    """
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(account.model),
        check_name=CHECK_NAME,
        passed=not account.lost_rows,
        severity=dg.AssetCheckSeverity.ERROR,
        description=account.sentence,
        metadata={
            **about,
            "received_rows": account.landed_rows + account.quarantined_rows,
            "accepted_rows": account.staged_rows,
            "superseded_rows": account.superseded_rows,
            "quarantined_rows": account.quarantined_rows,
            "rows_not_read": account.unread_rows,
        },
    )
