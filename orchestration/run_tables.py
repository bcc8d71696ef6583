"""What a stage run knows before any data: the tables of a working file's schema ``run``.

Here belong parameters, rounds and currencies. What a run reads of the market is ``working``'s to
lay out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import duckdb
import iso4217

from fbacap_logic.calendar import Quarter, RoundWindow
from fbacap_logic.policy import policy_in_force
from orchestration.plan import quarters_before
from orchestration.policies import load_policies
from orchestration.stage_run import StageRun


def naive_utc(moment: datetime) -> datetime:
    """A UTC instant as the naive timestamp that working files hold."""
    return moment.replace(tzinfo=None)


def create_run_tables(connection: duckdb.DuckDBPyConnection, run: StageRun) -> None:
    """Make the schema ``run``: parameters, rounds and currencies (docs/architecture.md)."""
    quarter, policy, cutoff = run.quarter, run.policy, run.stage.cutoff_at
    facts_from = cutoff.date() - timedelta(weeks=policy.base_allocation.history_weeks)
    connection.execute(
        """
        create table run.parameters as select
            cast(? as varchar) as quarter, cast(? as date) as quarter_start,
            cast(? as date) as quarter_end, cast(? as integer) as days_in_quarter,
            cast(? as varchar) as stage, cast(? as varchar) as stage_kind,
            cast(? as timestamp) as cutoff_at, cast(? as timestamp) as announced_at,
            cast(? as date) as facts_from, cast(? as integer) as snapshot_carry_days,
            cast(? as varchar) as policy_version, cast(? as date) as previous_quarter_start
        """,
        [
            quarter.label,
            quarter.first_day,
            quarter.last_day,
            quarter.days,
            run.stage.name,
            run.stage.kind,
            naive_utc(cutoff),
            naive_utc(run.calendar.announced_at),
            facts_from,
            policy.settlement.snapshot_carry_days,
            policy.policy_version,
            quarter.previous.first_day,
        ],
    )
    _create_rounds(connection, "run.rounds", run.calendar.rounds, cutoff)
    for name, before in quarters_before(quarter).items():
        _create_rounds(connection, f"run.{name}_rounds", _rounds_of(run, before), cutoff)
    connection.execute("create table run.currencies (currency varchar, minor_unit_digits integer)")
    connection.executemany("insert into run.currencies values (?, ?)", _currencies())


def _rounds_of(run: StageRun, before: Quarter) -> tuple[RoundWindow, ...]:
    """The rounds of an earlier quarter; none when no policy governed it yet."""
    try:
        governing = policy_in_force(load_policies(run.data.policies), before)
    except ValueError:
        return ()
    return governing.calendar_of(before).rounds


def _create_rounds(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    rounds: Sequence[RoundWindow],
    cutoff: datetime,
) -> None:
    connection.execute(
        f"create table {name} (round integer, closes_at timestamp, in_force_from date, "
        "in_force_to date, days_in_force integer, is_closed boolean)"
    )
    if not rounds:
        return
    connection.executemany(
        f"insert into {name} values (?, ?, ?, ?, ?, ?)",
        [
            (
                window.round,
                naive_utc(window.closes_at),
                window.in_force_from,
                window.in_force_to,
                window.days_in_force,
                window.closes_at <= cutoff,
            )
            for window in rounds
        ],
    )


def _currencies() -> list[tuple[str, int]]:
    """ISO 4217 codes with their minor-unit digits; codes without any are not money."""
    return sorted(
        {(entry.code, entry.exponent) for entry in iso4217.Currency if entry.exponent is not None}
    )
