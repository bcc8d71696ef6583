"""Two small quarters of one round each, landed and ready to be backfilled.

Here belongs making them and comparing what was published; the fixtures over them are in
``conftest``.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from fbacap_logic.calendar import Quarter
from orchestration.files import file_digest
from orchestration.ingest import ingest_folder
from orchestration.paths import DataFolder
from orchestration.runner import choose_stages, run_quarter, utc_now
from orchestration.simulation import generate

QUARTERS = (Quarter(2025, 3), Quarter(2025, 4))
STAGES = ("announce", "round-1", "preliminary", "final", "true-up")
_POLICY = """\
policy_version: one-round
in_force_from: 2000-01-01
calendar: {round_close_days: [-14]}
"""


def land_two_quarters(root: Path) -> DataFolder:
    """Generate and ingest them; nothing of them is run."""
    return land_quarters(root, len(QUARTERS))


def land_quarters(root: Path, quarters: int) -> DataFolder:
    """So many quarters of the same kind, the last of them the same."""
    generate(root / "input", sellers=40, quarters=quarters, seed=11, last_quarter=QUARTERS[-1])
    data = DataFolder(root / "data")
    data.policies.mkdir(parents=True)
    (data.policies / "policy.yaml").write_text(_POLICY, encoding="utf-8")
    ingest_folder(data, root / "input", kind="tables", historical=True)
    return data


def run_one_after_another(
    landed: DataFolder, root: Path, quarters: Sequence[Quarter] = QUARTERS
) -> DataFolder:
    """Quarters run one after another in this process, in a copy of the landed folder."""
    data = copy_of(landed, root)
    for quarter in quarters:
        list(run_quarter(data, quarter, choose_stages(data, quarter, None, utc_now())))
    return data


def copy_of(data: DataFolder, root: Path) -> DataFolder:
    """The same data folder elsewhere."""
    shutil.copytree(data.root, root)
    return DataFolder(root)


def published_bytes(data: DataFolder) -> dict[str, str]:
    """SHA-256 of every file of the published zone that is data or a manifest."""
    return {
        path.relative_to(data.published).as_posix(): file_digest(path)
        for path in sorted(data.published.rglob("*"))
        if path.is_file() and "_locks" not in path.parts
    }
