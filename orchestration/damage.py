"""Whether a stage run failed because a file that it read is gone or is not what was stored.

Here belongs looking for the damage once a run has failed. What keeps damaged files out of runs is
``whole_files``.
"""

from __future__ import annotations

from fbacap_logic.calendar import Quarter
from orchestration.errors import Corrupted
from orchestration.landing import landed_files
from orchestration.paths import DataFolder
from orchestration.plan import quarters_before
from orchestration.published import published_runs
from orchestration.whole_files import require_whole


def damage_under(data: DataFolder, quarter: Quarter) -> Corrupted | None:
    """The first file that a stage run of a quarter may read and that is not whole, or None."""
    try:
        for file in landed_files(data.landing):
            require_whole({file.typed_path: file.typed_sha256})
            if file.quarantine_path is not None:
                require_whole({file.quarantine_path: str(file.quarantine_sha256)})
        for each in (quarter, *quarters_before(quarter).values()):
            for run in published_runs(data.published, each):
                require_whole(run.files)
    except Corrupted as error:
        return error
    return None
