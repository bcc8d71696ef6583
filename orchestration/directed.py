"""Directed reruns: settling a quarter again with what was received since, for a stated reason.

Here belong a rerun's name, and when and with which cut-off and reason it may be made. Executing it
is ``runner``; what its deltas count from is ``earlier_runs``, as for every settlement run.
"""

from __future__ import annotations

from datetime import datetime

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.errors import BadUsage, NotPublished
from orchestration.paths import DataFolder
from orchestration.policies import policy_for
from orchestration.published import latest_settlement, published_runs

_PREFIX = "rerun-"
_REASON_CHARACTERS = 300


def is_directed(stage_name: str) -> bool:
    """Whether a stage name is that of a directed rerun.

    >>> is_directed("rerun-2"), is_directed("true-up")
    (True, False)
    """
    return stage_name.startswith(_PREFIX)


def stated_reason(text: str) -> str:
    """A reason as manifests keep it: one line of text, without spaces around it.

    >>> stated_reason(" late refunds of one carrier ")
    'late refunds of one carrier'

    Raises:
        BadUsage: it is empty, too long, or more than one line of printable text.
    """
    reason = text.strip()
    if not reason or len(reason) > _REASON_CHARACTERS or not reason.isprintable():
        raise BadUsage(
            f"a reason is one line of 1 to {_REASON_CHARACTERS} printable characters; state it as "
            '--reason "late refunds of one carrier"'
        )
    return reason


def directed_stage(
    data: DataFolder, quarter: Quarter, cut_off: datetime, now: datetime
) -> StageCutoff:
    """The quarter's next directed rerun, as a stage with its own cut-off.

    Args:
        data: the data folder.
        quarter: the quarter to settle again.
        cut_off: only what was received before it counts (UTC).
        now: the instant to act at (UTC).

    Raises:
        BadUsage: the cut-off is still to come, or lies before that of the latest settlement run:
            a run that knows less would take back what a run that knew more has posted.
        NotPublished: a settlement run of the calendar, due by the cut-off, is not published.
    """
    if cut_off > now:
        raise BadUsage(
            f"the cut-off {cut_off.isoformat()} is still to come, so what it will know is not; "
            f"name one up to {now.isoformat()}"
        )
    runs = published_runs(data.published, quarter)
    for name, due_at in policy_for(data.policies, quarter).calendar_of(quarter).settlements:
        missing = name not in {run.stage for run in runs}
        if missing and (due_at <= cut_off or latest_settlement(runs) is None):
            raise NotPublished(
                f"{quarter.label} {name} is not published, and a directed rerun comes after it; "
                f"run `fbacap run {quarter.label} --stage {name}` first"
            )
    latest = latest_settlement(runs)
    if latest is not None and latest.cutoff_at > cut_off:
        raise BadUsage(
            f"{quarter.label} {latest.stage} (run {latest.run}) already knows what was received "
            f"before {latest.cutoff_at.isoformat()}; name a cut-off from then on"
        )
    number = sum(is_directed(run.stage) for run in runs) + 1
    return StageCutoff(f"{_PREFIX}{number}", "settle", cut_off)
