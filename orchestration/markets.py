"""Which quarters have a market at all: those whose network capacity has landed.

Here belongs asking the landing zone. Whether capacity was known by a cut-off is for the stage run
to find out.
"""

from __future__ import annotations

from fbacap_logic.calendar import Quarter
from orchestration.engine import engine
from orchestration.landing import landed_files
from orchestration.paths import DataFolder


def quarters_with_market(data: DataFolder) -> set[Quarter]:
    """Every quarter for which any network capacity was received, whenever."""
    files = [
        str(file.typed_path)
        for file in landed_files(data.landing)
        if file.table == "network_capacity" and file.rows
    ]
    if not files:
        return set()
    with engine() as connection:
        rows = connection.execute("select distinct quarter from read_parquet(?)", [files])
        return {Quarter.containing(day) for (day,) in rows.fetchall()}
