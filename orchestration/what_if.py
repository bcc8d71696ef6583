"""What-if: a published quarter run again under another policy, beside the market.

Here belong what such a run may see and which stages it takes: the same landing files and earlier
quarters' runs that the published ones were made from, so that the policy alone differs. Where it
runs is ``scratch``; who gains and who loses is ``what_if_comparison``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from fbacap_logic.calendar import Quarter, StageCutoff
from fbacap_logic.policy import Policy, parse_policy
from orchestration.errors import BadConfiguration, NotPublished
from orchestration.landing import LandedFile, landed_files
from orchestration.paths import DataFolder
from orchestration.policies import policy_document
from orchestration.published import PublishedRun, current_runs, published_runs
from orchestration.scratch import (
    link_landing,
    link_runs,
    run_stages,
    scratch_folder,
    write_policies,
)


@dataclass(frozen=True)
class QuarterRuns:
    """The runs that say what a quarter came to; ``settlement`` is None before the first one."""

    announcement: PublishedRun
    rounds: PublishedRun
    settlement: PublishedRun | None

    @property
    def all(self) -> list[PublishedRun]:
        """Those that are there, in order."""
        return [self.announcement, self.rounds, *([self.settlement] if self.settlement else [])]


@dataclass(frozen=True)
class WhatIf:
    """A quarter as published and under another policy, and the folder in which the latter stands.

    ``data`` ends with the run unless it is kept.
    """

    quarter: Quarter
    policy: Policy
    published: QuarterRuns
    supposed: QuarterRuns
    data: DataFolder


@contextmanager
def what_if(
    data: DataFolder,
    quarter: Quarter,
    policy_file: Path,
    *,
    keep: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Iterator[WhatIf]:
    """Run a published quarter under another policy in a scratch folder.

    Args:
        data: the data folder; nothing in it is changed.
        quarter: the quarter; at least one of its rounds is published.
        policy_file: a policy as ``policies/*.yaml`` holds them; what it leaves out is the default.
        keep: a new folder to keep the scratch data folder in; default: none is kept.
        progress: called with the stage's name and the share of the stages done, 0 to 1.

    Raises:
        NotPublished: no round of the quarter is published.
        BadConfiguration: the file is no policy.
        FbacapError: a stage failed under it.
    """
    policy = _supposed_policy(policy_file, quarter)
    published = _published(data, quarter)
    stages = _stages(policy, quarter, published)
    with scratch_folder(keep) as scratch:
        earlier = _earlier_quarters(data, quarter, published)
        link_landing(scratch, _landing(data, published))
        link_runs(scratch, earlier)
        documents = [each.manifest["policy"] for each in earlier]
        write_policies(scratch, [policy_document(policy), *documents])
        made = []
        for outcome in run_stages(scratch, quarter, stages):
            made.append(outcome.published)
            if progress is not None:
                progress(f"{quarter.label} {outcome.stage.name}", len(made) / len(stages))
        supposed = QuarterRuns(made[0], made[1], made[2] if published.settlement else None)
        yield WhatIf(quarter, policy, published, supposed, scratch)


def _supposed_policy(file: Path, quarter: Quarter) -> Policy:
    """The file's policy, in force from the day on which it would have announced the quarter."""
    try:
        policy = parse_policy(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise BadConfiguration(f"{file}: {str(error).splitlines()[0]}; fix it") from error
    return replace(policy, in_force_from=policy.calendar_of(quarter).announced_at.date())


def _published(data: DataFolder, quarter: Quarter) -> QuarterRuns:
    current = current_runs(data.published, quarter)
    if "market_rounds" not in current:
        raise NotPublished(
            f"{quarter.label} has no published round to compare with; run "
            f"`fbacap run {quarter.label}` first"
        )
    return QuarterRuns(
        current["base_allocations"], current["market_rounds"], current.get("settlements")
    )


def _stages(
    policy: Policy, quarter: Quarter, published: QuarterRuns
) -> list[tuple[StageCutoff, str | None]]:
    """The announcement, the last round and the settlement; each holds what those before it made."""
    calendar = policy.calendar_of(quarter)
    settled = published.settlement
    closed = [
        window
        for window in calendar.rounds
        if settled is not None or window.closes_at <= published.rounds.cutoff_at
    ]
    if not closed:
        raise BadConfiguration(
            f"under this policy no round of {quarter.label} closes by "
            f"{published.rounds.cutoff_at.date().isoformat()}, when {published.rounds.stage} did"
        )
    stages: list[tuple[StageCutoff, str | None]] = [
        (calendar.stage("announce"), None),
        (calendar.stage(f"round-{closed[-1].round}"), None),
    ]
    if settled is not None and settled.reason is not None:
        stages.append((StageCutoff(settled.stage, "settle", settled.cutoff_at), settled.reason))
    elif settled is not None:
        stages.append((calendar.stage(settled.stage), None))
    return stages


def _landing(data: DataFolder, published: QuarterRuns) -> list[LandedFile]:
    named = {
        (entry["table"], entry["sha256"])
        for run in published.all
        for entry in run.manifest["inputs"]["landing"]
    }
    return [file for file in landed_files(data.landing) if (file.table, file.sha256) in named]


def _earlier_quarters(
    data: DataFolder, quarter: Quarter, published: QuarterRuns
) -> list[PublishedRun]:
    """The runs of earlier quarters that were there when this one was announced.

    Not only those that the announcement names: with another calendar it reads another round.
    """
    last: dict[str, int] = {}
    for record in published.announcement.manifest["inputs"]["published"]:
        last[record["quarter"]] = max(record["run"], last.get(record["quarter"], 0))
    return [
        run
        for label, number in sorted(last.items())
        if label != quarter.label
        for run in published_runs(data.published, Quarter.parse(label))
        if run.run <= number
    ]
