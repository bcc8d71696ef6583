"""Quarters as Dagster partitions: one key a quarter, its first day."""

from __future__ import annotations

import os

import dagster as dg

from fbacap_logic.calendar import Quarter

FIRST_QUARTER_VARIABLE = "FBACAP_FIRST_QUARTER"


def quarters(first: Quarter | None = None) -> dg.TimeWindowPartitionsDefinition:
    """Quarters from the first (FBACAP_FIRST_QUARTER, else 2016Q1) to two after the current one.

    A quarter is announced before it begins and two more are estimated, hence the offset.
    """
    start = first or Quarter.parse(os.environ.get(FIRST_QUARTER_VARIABLE) or "2016Q1")
    return dg.TimeWindowPartitionsDefinition(
        start=start.key,
        cron_schedule="0 0 1 1,4,7,10 *",
        fmt="%Y-%m-%d",
        end_offset=4,
    )


QUARTERS = quarters()
