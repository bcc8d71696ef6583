"""Whether a stage run that is published would come out the same, without making it again.

Here belongs the comparison of what a stage run would be made from now with what the published run
was, or was found to be the same from. The same inputs, policy, code and engine give the same bytes;
``replay`` tests that claim. What is kept here can be deleted at any time: it only saves work.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.code_version import code_version
from orchestration.paths import DataFolder
from orchestration.policies import policy_digest
from orchestration.published import PublishedRun, latest_run
from orchestration.stage_run import StageRun, stage_run, tags_of
from orchestration.working import create_working_file, working_folder


def made_from(data: DataFolder, quarter: Quarter, stage: StageCutoff) -> str:
    """A digest of everything that a stage run made now would depend on.

    Raises:
        FbacapError: a run that should be published before this one is not.
    """
    run = stage_run(data, quarter, tags_of(stage, None))
    folder = working_folder(run, "inputs")
    try:
        inputs = create_working_file(run, folder).record
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _digest(
        run,
        inputs,
        {
            "cutoff_at": stage.cutoff_at.isoformat(),
            "code_version": code_version(),
            "engine": f"duckdb {duckdb.__version__}",
            "policy_sha256": policy_digest(run.policy),
        },
    )


def published_from(
    data: DataFolder, quarter: Quarter, stage: StageCutoff, digest: str
) -> PublishedRun | None:
    """The stage's published run, if it is known to be what ``digest`` gives; else None."""
    published = latest_run(data.published, quarter, stage.name)
    if published is None:
        return None
    run = stage_run(data, quarter, tags_of(stage, None))
    then = _digest(run, published.manifest["inputs"], published.manifest)
    known = {then, *_remembered(_memory(data, published))}
    return published if digest in known else None


def remember(data: DataFolder, published: PublishedRun, digest: str) -> None:
    """Keep that a run made from ``digest`` came out as what is published already."""
    path = _memory(data, published)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(f"{digest}\n", encoding="ascii")
    temporary.replace(path)


def _memory(data: DataFolder, published: PublishedRun) -> Path:
    return data.work / "the-same" / published.quarter.key / f"run={published.run:04d}"


def _remembered(path: Path) -> tuple[str, ...]:
    return (path.read_text(encoding="ascii").strip(),) if path.is_file() else ()


def _digest(run: StageRun, inputs: Mapping[str, Any], made_by: Mapping[str, Any]) -> str:
    names = ("cutoff_at", "code_version", "engine", "policy_sha256")
    document = {**_facts(run, inputs), **{name: made_by[name] for name in names}}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _facts(run: StageRun, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs that results depend on: a quarter's own later runs only tell what deltas count from.

    Of an announcement its own earlier run is left out too: confirming what it allocated changes
    nothing.
    """
    own = {"announce"} | {f"round-{window.round}" for window in run.calendar.rounds}
    kept = own if run.stage.kind != "announce" else set()
    return {
        "landing": inputs["landing"],
        "published": [
            entry
            for entry in inputs["published"]
            if entry["quarter"] != run.quarter.label or entry["stage"] in kept
        ],
    }
