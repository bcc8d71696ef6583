"""Making a quarter's report: read, say, write.

Here belong the file and its name. The same published zone gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fbacap_logic.calendar import Quarter
from orchestration.errors import BadUsage
from orchestration.paths import DataFolder
from orchestration.report.files import replace_file
from orchestration.report.html_page import html_of
from orchestration.report.kept import keep_verification
from orchestration.report.page import page_of, sources_of
from orchestration.report.reading import Reading, read_quarter
from orchestration.verification.quarter import verify_quarter


@dataclass(frozen=True)
class Report:
    """A report that was written: where, its bytes, and what it was made from."""

    path: Path
    size: int
    sha256: str
    reading: Reading

    def as_document(self) -> dict[str, Any]:
        """Plain values for ``--json``: the file, and the rows of every query behind it."""
        found = self.reading.verified
        rows: Mapping[str, Any] = self.reading.rows
        return {
            "quarter": self.reading.quarter.label,
            "stage": self.reading.latest.stage,
            "file": str(self.path),
            "bytes": self.size,
            "sha256": self.sha256,
            "verified": {str(run): record["verified"] for run, record in sorted(found.items())},
            "to_come": [
                {"stage": stage.name, "cut_off": stage.cutoff_at.isoformat()}
                for stage in self.reading.to_come
            ],
            "figures": dict(rows),
        }


def default_path(data: DataFolder, quarter: Quarter) -> Path:
    """Where a quarter's report stands unless another file is named."""
    return data.reports / f"{quarter.label}.html"


def make_report(data: DataFolder, quarter: Quarter, out: Path | None = None) -> Report:
    """Write a quarter's report, in place of the one that stands there.

    Args:
        data: the data folder.
        quarter: the quarter.
        out: the file; default: ``default_path``.

    Raises:
        BadUsage: the file cannot stand there.
        NotPublished: nothing of the quarter has been published.
    """
    path = default_path(data, quarter) if out is None else out
    if out is not None and (out.is_dir() or not out.resolve().parent.is_dir()):
        raise BadUsage(f"{out} cannot be written: name a file in a folder that is there")
    reading = read_quarter(data, quarter)
    page = page_of(reading)
    content = html_of(page, sources_of(reading, page)).encode()
    try:
        replace_file(path, content)
    except OSError as error:
        raise BadUsage(
            f"{path} cannot be written ({error.strerror}); name another file with --out"
        ) from error
    return Report(path, len(content), hashlib.sha256(content).hexdigest(), reading)


def verify_for_report(data: DataFolder, quarter: Quarter) -> None:
    """Verify every published run of a quarter and keep what was found, for its report.

    Raises:
        NotPublished: nothing of the quarter has been published.
        Corrupted: a manifest cannot be read.
    """
    keep_verification(data, quarter, verify_quarter(data.published, quarter.key, quarter.label))
