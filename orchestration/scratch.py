"""Running a quarter's stages again beside the market: what replay and what-if share.

Here belong a scratch data folder, what of the market is visible in it, and executing stages there.
Landing files and published runs are links; runs made here land in the scratch folder's own
published zone, and in no history of runs. What is run, and compared with what, is ``replay`` and
``what_if``.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.errors import BadUsage
from orchestration.landing import Delivery, LandedFile
from orchestration.landing.landed_file import stored_path, typed_path
from orchestration.landing.receipts import write_receipt
from orchestration.outcome import StageOutcome
from orchestration.paths import DataFolder
from orchestration.published import PublishedRun


@contextmanager
def scratch_folder(keep: Path | None) -> Iterator[DataFolder]:
    """A new data folder; removed at the end unless it is to be kept at a place of the user's.

    Raises:
        BadUsage: the place is taken.
    """
    if keep is not None:
        if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
            raise BadUsage(f"{keep} is not an empty folder; name a new one")
        keep.mkdir(parents=True, exist_ok=True)
        yield DataFolder(keep.resolve())
        return
    root = Path(tempfile.mkdtemp(prefix="fbacap-scratch-")).resolve()
    try:
        yield DataFolder(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)  # links are removed, never followed


def link_landing(scratch: DataFolder, files: Sequence[LandedFile]) -> None:
    """Make the scratch landing zone hold exactly these files, as links, under one receipt."""
    linked = []
    for file in files:
        kind = file.stored_path.suffix.removeprefix(".")
        stored = stored_path(scratch.landing, file.table, file.sha256, kind)
        typed = typed_path(scratch.landing, file.table, file.sha256, 1)
        for link, target in ((stored, file.stored_path), (typed, file.typed_path)):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
        # What was kept apart is no run's to see, so the scratch zone is one without quarantine.
        linked.append(
            replace(
                file,
                stored_path=stored,
                typed_path=typed,
                delivery=1,
                received_rows=file.rows,
                quarantined_rows=0,
                quarantine_path=None,
                quarantine_sha256=None,
            )
        )
    delivery = Delivery(
        number=1,
        received_at=datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        historical=True,
        files=tuple(linked),
        skipped=(),
        ignored=(),
    )
    write_receipt(scratch.landing, delivery, None, {"scratch": "links to a market's landing zone"})


def link_runs(scratch: DataFolder, runs: Iterable[PublishedRun]) -> None:
    """Make published runs visible in the scratch published zone, as links."""
    for run in runs:
        here = replace(run, zone=scratch.published)
        _link(here.manifest_path, run.manifest_path)
        for table in run.tables:
            _link(here.file(table), run.file(table))


def write_policies(scratch: DataFolder, documents: Iterable[dict[str, Any]]) -> None:
    """Give the scratch folder these policies, as manifests write them."""
    scratch.policies.mkdir()
    texts = sorted({json.dumps(document, sort_keys=True, indent=2) for document in documents})
    for number, text in enumerate(texts, start=1):
        (scratch.policies / f"{number}.yaml").write_text(text, encoding="utf-8")  # JSON is YAML


def run_stages(
    scratch: DataFolder, quarter: Quarter, stages: Iterable[tuple[StageCutoff, str | None]]
) -> Iterator[StageOutcome]:
    """Execute stages, each with its reason or None, in a Dagster instance that ends with them.

    Raises:
        FbacapError: a stage failed.
    """
    import dagster as dg

    from orchestration.runner import execute_stage

    with dg.DagsterInstance.ephemeral() as instance:
        for stage, reason in stages:
            yield execute_stage(scratch, instance, quarter, stage, reason)


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
