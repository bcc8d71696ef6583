"""What the verification of published runs found, kept beside the reports.

Here belong writing and reading it. It is kept because verifying takes seconds that a report need
not take; each record names its run's manifest by hash, and one of another manifest is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fbacap_logic.calendar import Quarter
from orchestration.files import file_digest
from orchestration.paths import DataFolder
from orchestration.published import PublishedRun
from orchestration.report.files import replace_file
from orchestration.verification.quarter import QuarterVerification


def keep_verification(data: DataFolder, quarter: Quarter, verified: QuarterVerification) -> None:
    """Keep what was found of each run, in place of what was found of it before."""
    for record in verified.as_document()["runs"]:
        text = json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        replace_file(_place(data, quarter, int(record["run"])), text.encode())


def kept_verification(data: DataFolder, run: PublishedRun) -> Mapping[str, Any] | None:
    """What was found of a run as it stands published now; None when nothing whole is kept of it."""
    place = _place(data, run.quarter, run.run)
    if not place.is_file():
        return None
    try:
        record: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    except ValueError:  # a damaged record is none: `fbacap report --verify` keeps it anew
        return None
    return record if record.get("manifest_sha256") == file_digest(run.manifest_path) else None


def _place(data: DataFolder, quarter: Quarter, run: int) -> Path:
    return data.reports / "verified" / quarter.label / f"run={run:04d}.json"
