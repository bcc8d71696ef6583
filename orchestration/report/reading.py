"""Everything a report is made from, read once: figures, manifests, what verification found.

Here belong running the queries and gathering the runs that hold. What is said of them is in the
section modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fbacap_logic.calendar import Quarter, StageCutoff
from fbacap_logic.policy import Policy
from orchestration.catalogue import open_catalogue
from orchestration.errors import NotPublished
from orchestration.paths import DataFolder
from orchestration.published import (
    PublishedRun,
    current_runs,
    published_quarters,
    published_runs,
)
from orchestration.report.kept import kept_verification
from orchestration.report.older_checks import older_checks
from orchestration.report.queries import Query, queries_of
from orchestration.statements.provenance import policy_of, source_run
from orchestration.statements.reading import currencies
from orchestration.statements.words import Currency, visible

Row = Mapping[str, Any]
Market = tuple[str, str]


@dataclass(frozen=True)
class Reading:
    """A quarter as it stands published.

    ``held``: for each table the run that holds now. ``runs``: every run, in order of publishing.
    ``verified``: by run number what verification found of it, where that was kept.
    """

    quarter: Quarter
    policy: Policy
    queries: Mapping[str, Query]
    rows: Mapping[str, Sequence[Row]]
    held: Mapping[str, PublishedRun]
    runs: tuple[PublishedRun, ...]
    verified: Mapping[int, Mapping[str, Any]]
    money: Mapping[str, Currency]

    @property
    def markets(self) -> tuple[Market, ...]:
        """Every market with a base allocation or a round, in order."""
        named = {
            (str(row["marketplace_id"]), str(row["storage_type"]))
            for name in ("markets", "rounds")
            for row in self.rows[name]
        }
        return tuple(sorted(named))

    @property
    def latest(self) -> PublishedRun:
        """The run that knows most: the latest cut-off."""
        return max(self.held.values(), key=lambda run: (run.cutoff_at, run.run))

    @property
    def is_settled(self) -> bool:
        """Whether a settlement run is published."""
        return "settlements" in self.held

    @property
    def to_come(self) -> tuple[StageCutoff, ...]:
        """The stage runs whose cut-off none published has reached, in the order they fall due."""
        reached = max(run.cutoff_at for run in self.runs)
        stages = self.policy.calendar_of(self.quarter).stages
        return tuple(stage for stage in stages if stage.cutoff_at > reached)

    def name(self, market: Market) -> str:
        """A market's storage type, with its marketplace where the quarter has several."""
        marketplace, storage_type = map(visible, market)
        several = len({each for each, _ in self.markets}) > 1
        return f"{marketplace} {storage_type}" if several else storage_type

    @property
    def simulated(self) -> Mapping[str, str]:
        """How the rows of input tables that no marketplace delivered were made."""
        return {
            file.table: file.simulated
            for run in self.runs
            for file in source_run(run).input_files
            if file.simulated is not None
        }

    def of(self, name: str, market: Market) -> list[Row]:
        """One query's rows of one market."""
        return [
            row for row in self.rows[name] if (row["marketplace_id"], row["storage_type"]) == market
        ]

    def currency(self, marketplace_id: str) -> Currency:
        """A marketplace's currency; two decimals where nothing published names them."""
        return self.money.get(marketplace_id, Currency(None, 2))


def read_quarter(data: DataFolder, quarter: Quarter) -> Reading:
    """Read a quarter's published runs.

    Raises:
        NotPublished: nothing of the quarter has been published.
        BadConfiguration: its policy is not one that this version reads.
    """
    runs = published_runs(data.published, quarter)
    if not runs:
        others = [each.label for each in published_quarters(data.published)]
        known = f"published quarters are {', '.join(others)}" if others else "no quarter has been"
        raise NotPublished(
            f"nothing of {quarter.label} has been published; {known}, and "
            f"`fbacap run {quarter.label}` runs the stages that are due"
        )
    policy = policy_of(runs[-1])
    queries = queries_of(quarter, policy.settlement.credit_rate_bp, policy.settlement.credit_cap_bp)
    with open_catalogue(data, {quarter.previous, quarter}) as catalogue:
        rows: dict[str, list[Row]] = {}
        for name, query in queries.items():
            cursor = catalogue.execute(query.sql)
            names = [str(entry[0]) for entry in cursor.description or []]
            rows[name] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        money = {
            marketplace: Currency(code, digits)
            for marketplace, (code, digits) in currencies(catalogue).items()
        }
    for name, older in older_checks(runs).items():
        rows[name] = [*older, *rows[name]]
    found = {run.run: kept_verification(data, run) for run in runs}
    return Reading(
        quarter=quarter,
        policy=policy,
        queries=queries,
        rows=rows,
        held=current_runs(data.published, quarter),
        runs=runs,
        verified={number: record for number, record in found.items() if record is not None},
        money=money,
    )
