"""What every materialisation says of the run that made it: stage, cut-off, policy, code.

Here belong facts that hold of a whole run, and the commands that lead from it. Figures of one table
are ``figures``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from fbacap_logic.calendar import Quarter
from orchestration.code_version import code_version
from orchestration.policies import policy_digest
from orchestration.published import PublishedRun
from orchestration.stage_run import STAGE_TAG, StageRun

PARTITION_TAG = "dagster/partition"


def run_metadata(run: StageRun) -> dict[str, Any]:
    """Stage, cut-off (UTC), policy and code of a run, and the reason of a directed rerun."""
    return {
        "stage": run.stage.name,
        "cut_off": run.stage.cutoff_at.isoformat(),
        "policy_version": run.policy.policy_version,
        "policy_sha256": policy_digest(run.policy),
        "code_version": code_version(),
        **({} if run.reason is None else {"reason": run.reason}),
    }


def of_which_run(tags: Mapping[str, str]) -> dict[str, str]:
    """Quarter and stage that a run's tags name: a check's result has no partition of its own.

    >>> of_which_run({"dagster/partition": "2026-10-01", "fbacap/stage": "final"})
    {'quarter': '2026Q4', 'stage': 'final'}
    >>> of_which_run({})
    {}
    """
    named = {"stage": tags[STAGE_TAG]} if STAGE_TAG in tags else {}
    if PARTITION_TAG not in tags:
        return named
    return {"quarter": Quarter.parse(tags[PARTITION_TAG]).label, **named}


def report_path(data_root: Path, quarter_label: str) -> Path:
    """Where a quarter's report stands, once it is written."""
    return data_root / "reports" / f"{quarter_label}.html"


def where_next(run: PublishedRun, data_root: Path) -> dict[str, Any]:
    """Paths to copy (a browser opens no files of a page's own accord), and commands to run."""
    quarter, data = run.quarter.label, data_root
    commands = [
        f"fbacap verify {quarter} --run {run.run} --data '{data}'",
        f"fbacap replay {quarter} --run {run.run} --data '{data}'",
        f"sha256sum '{run.manifest_path}'",
    ]
    if run.kind == "settle":
        commands += [
            f"fbacap explain SELLER {quarter} --data '{data}'",
            f"fbacap evidence SELLER {quarter} --data '{data}'",
        ]
    listed = "\n".join(commands)
    return {
        "manifest": dg.MetadataValue.path(str(run.manifest_path)),
        "report": dg.MetadataValue.path(str(report_path(data_root, quarter))),
        "commands": dg.MetadataValue.md(f"```sh\n{listed}\n```"),
    }


def check_figures(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many checks a run was held to and failed, and how many rules of contracts it broke.

    Args:
        outcomes: as a run keeps them: contracts, invariants, the second computation.
    """
    contracts = [outcome for outcome in outcomes if "contract_version" in outcome]
    rules = [rule for outcome in contracts for rule in outcome["rules"]]
    return {
        "checks_passed": sum(bool(outcome["passed"]) for outcome in outcomes),
        "checks_failed": sum(not outcome["passed"] for outcome in outcomes),
        "contract_rules": len(rules),
        "contract_rules_broken": sum(not rule["passed"] for rule in rules),
    }
