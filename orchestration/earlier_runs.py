"""Which published runs a stage run builds on.

Here belongs the choice, from the published zone alone: of this quarter's earlier stages, of the
quarter before (the loop that Dagster's graph cannot hold), and of the run before this one.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from fbacap_logic.calendar import Quarter
from orchestration.errors import BadConfiguration, NotPublished
from orchestration.plan import last_closed_round, quarters_before
from orchestration.policies import policy_digest, policy_for
from orchestration.published import (
    PublishedRun,
    latest_run,
    latest_settlement,
    published_runs,
    required_run,
)
from orchestration.stage_run import StageRun
from orchestration.stages import RESULTS_TABLE, stages_of


@dataclass(frozen=True)
class EarlierTable:
    """A table of a working file that an earlier run published; no ``source``: there is none yet.

    ``is_input``: whether results depend on it (else it is only compared with).
    """

    relation: str
    published_as: str
    source: PublishedRun | None
    is_input: bool = True


def earlier_tables(run: StageRun, held: Container[Quarter]) -> list[EarlierTable]:
    """Every earlier table that a stage run may read.

    Args:
        run: the stage run.
        held: the quarters that had a market, so that their runs should be there.

    Raises:
        NotPublished: a run that should have been published is not.
    """
    return [
        *_of_this_quarter(run),
        *(
            table
            for name, before in quarters_before(run.quarter).items()
            for table in _of_a_quarter_before(run, name, before, is_held=before in held)
        ),
        *_of_the_run_before(run),
    ]


def _of_this_quarter(run: StageRun) -> Iterator[EarlierTable]:
    zone, quarter = run.data.published, run.quarter
    if run.stage.kind == "announce":
        return
    announced = required_run(zone, quarter, "announce")
    _refuse_another_policy(run, announced)
    for table in announced.tables:
        if table != RESULTS_TABLE:
            yield EarlierTable(f"market.{table}", table, announced)
    if run.stage.kind == "settle":
        made_here = {table for stage in stages_of("settle") for table in stage.tables}
        made_here.add(RESULTS_TABLE)
        last_round = required_run(zone, quarter, f"round-{run.calendar.rounds[-1].round}")
        for table in last_round.tables:
            if table not in made_here:
                yield EarlierTable(f"market.{table}", table, last_round)


def _of_a_quarter_before(
    run: StageRun, name: str, before: Quarter, *, is_held: bool
) -> Iterator[EarlierTable]:
    """What was announced and won in a quarter whose space the announcement judges (rules §2.3)."""
    announced, cleared = None, None
    if run.stage.kind == "announce" and is_held:
        announced, cleared = _announced_and_cleared(run, before)
    yield EarlierTable(f"history.{name}_base_allocations", "base_allocations", announced)
    yield EarlierTable(f"history.{name}_cleared_allocations", "cleared_allocations", cleared)


def _announced_and_cleared(
    run: StageRun, before: Quarter
) -> tuple[PublishedRun, PublishedRun | None]:
    zone = run.data.published
    calendar = policy_for(run.data.policies, before).calendar_of(before)
    closed = last_closed_round(calendar, run.stage.cutoff_at)
    try:
        announced = required_run(zone, before, "announce")
        if closed is None:
            return announced, None
        return announced, required_run(zone, before, f"round-{closed.round}")
    except NotPublished as error:
        raise NotPublished(
            f"{run.label} builds on what was won in {before.label}, whose market was held, but "
            f"{error}, or `fbacap backfill` from the first quarter on"
        ) from error


def _of_the_run_before(run: StageRun) -> Iterator[EarlierTable]:
    zone, quarter, stage = run.data.published, run.quarter, run.stage
    confirmed = latest_run(zone, quarter, "announce") if stage.kind == "announce" else None
    if confirmed is not None:
        _refuse_another_policy(run, confirmed)
    yield EarlierTable("history.confirmed_base_allocations", "base_allocations", confirmed)
    runs = published_runs(zone, quarter)
    settled = latest_settlement(runs) if stage.kind == "settle" else None
    yield EarlierTable("history.previous_settlements", "settlements", settled)
    cleared = _furthest_round(run) if stage.kind == "round" else None
    for table in ("cleared_allocations", "market_rounds"):
        yield EarlierTable(f"history.earlier_{table}", table, cleared, is_input=False)


def _furthest_round(run: StageRun) -> PublishedRun | None:
    """The published round run that cleared most rounds: no input, but not to be contradicted."""
    zone, quarter = run.data.published, run.quarter
    for window in reversed(run.calendar.rounds):
        published = latest_run(zone, quarter, f"round-{window.round}")
        if published is not None:
            return published
    return None


def _refuse_another_policy(run: StageRun, announced: PublishedRun) -> None:
    """The policy of the announcement governs the quarter for ever (rules §1)."""
    if announced.manifest["policy_sha256"] != policy_digest(run.policy):
        raise BadConfiguration(
            f"{run.quarter.label} was announced under policy version "
            f"{announced.manifest['policy_version']}, which governs it for ever, but "
            f"{run.data.policies} now says otherwise; restore that version"
        )
