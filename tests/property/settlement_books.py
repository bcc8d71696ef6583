"""A published zone that holds settlement runs of one seller's market, and nothing else.

Here belongs settling by the real rules and publishing by the real publisher, without a pipeline
around them. What must hold afterwards is ``test_settlement_run_properties``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from fbacap_logic.calendar import Quarter, StageCutoff
from fbacap_logic.policy import Policy
from fbacap_logic.settlement import ledger, settle
from orchestration.contracts import load_contract
from orchestration.published import (
    Publication,
    PublishedRun,
    latest_settlement,
    publish,
    published_runs,
)

QUARTER = Quarter(2026, 4)
STAGES = {
    "preliminary": datetime(2027, 1, 8, tzinfo=UTC),
    "final": datetime(2027, 2, 15, tzinfo=UTC),
    "true-up": datetime(2027, 5, 1, tzinfo=UTC),
}
TABLES = ("settlements", "ledger_entries")
MARKET = {"marketplace_id": "US", "storage_type": "standard"}


@dataclass
class Books:
    """The settlement runs published so far, and what settling again does to them."""

    zone: Path
    fees_minor: tuple[int, ...] = (700, 1_300)

    @property
    def runs(self) -> tuple[PublishedRun, ...]:
        return published_runs(self.zone, QUARTER)

    def settle(self, stage: str, sales_minor: int) -> Publication:
        """Settle as one stage, or as the next directed rerun, with these incremental sales."""
        latest = latest_settlement(self.runs)
        previous = None if latest is None else pd.read_parquet(latest.file("settlements"))
        settled = settle(
            self._grants(),
            pd.DataFrame([MARKET | {"seller_id": "s1", "incremental_sales_minor": sales_minor}]),
            pd.DataFrame({"marketplace_id": ["US"], "currency": ["USD"]}),
            previous,
            Policy(),
        )
        directed = stage == "rerun"
        cut_off = STAGES.get(stage) or (max(run.cutoff_at for run in self.runs) + timedelta(days=1))
        name = f"rerun-{sum(run.reason is not None for run in self.runs) + 1}"
        return self._publish(
            StageCutoff(name if directed else stage, "settle", cut_off),
            {"settlements": settled, "ledger_entries": ledger(settled)},
            "sales came late" if directed else None,
        )

    def sums(self, figure: str) -> tuple[int, int]:
        """What all runs' deltas and what all runs' entries sum to, of fee, credit or net_due."""
        account, sign = {
            "net_due": ("seller_receivable", 1),
            "fee": ("reservation_fee_revenue", -1),
            "credit": ("performance_credit_expense", 1),
        }[figure]
        deltas = sum(
            int(pd.read_parquet(run.file("settlements"))[f"delta_{figure}_minor"].sum())
            for run in self.runs
        )
        posted = 0
        for run in self.runs:
            entries = pd.read_parquet(run.file("ledger_entries"))
            posted += sign * int(entries[entries["account"] == account]["amount_minor"].sum())
        return deltas, posted

    def _grants(self) -> pd.DataFrame:
        fees = list(self.fees_minor)
        return pd.DataFrame({"request_id": [f"r{n}" for n in range(len(fees))]}).assign(
            **MARKET,
            seller_id="s1",
            round=1,
            granted_milli_ft3=1_000,
            max_fee_minor_per_ft3=fees,
            final_fee_minor_per_ft3=fees,
            fee_minor=fees,
            priority_at=pd.Timestamp("2026-09-01"),
        )

    def _publish(
        self, stage: StageCutoff, frames: dict[str, pd.DataFrame], reason: str | None
    ) -> Publication:
        with duckdb.connect() as connection:
            connection.execute("create schema market")
            for table, frame in frames.items():
                columns = ", ".join(
                    f"cast({column.name} as {column.physical_type}) as {column.name}"
                    for column in load_contract(table).columns
                )
                connection.register("frame", pa.Table.from_pandas(frame, preserve_index=False))
                connection.execute(f"create table market.{table} as select {columns} from frame")
                connection.unregister("frame")
            return publish(
                connection,
                self.zone,
                QUARTER,
                stage,
                TABLES,
                {"policy_version": "1"},
                reason=reason,
            )
