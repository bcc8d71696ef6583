"""External assets that stand for the loop: what a quarter reads from before itself.

``base[Q]`` needs what was won in Q−1, and ``grants[Q]`` need ``base[Q]``; Dagster would call that a
cycle. So earlier runs are read from the published zone, and these keys stand for them in the graph.
"""

import dagster as dg

from orchestration.descriptions.inputs import history_spec

HISTORY = {
    "previous_base_allocations": "The announcement of the quarter before, from the published zone.",
    "previous_cleared_allocations": (
        "The grants of the quarter before as of this cut-off, from the published zone."
    ),
    "second_previous_base_allocations": (
        "The announcement of the quarter before the previous one, from the published zone."
    ),
    "second_previous_cleared_allocations": (
        "The grants of the quarter before the previous one, from the published zone."
    ),
    "confirmed_base_allocations": (
        "This quarter's announcement if it was published before: a confirmed allocation is never "
        "lowered (rules §2)."
    ),
    "previous_settlements": (
        "The latest settlement run of this quarter; deltas count from it (rules §7)."
    ),
}


def history_assets() -> list[dg.AssetSpec]:
    """One external asset for each table of schema ``history`` that results depend on."""
    return [history_spec(table, text) for table, text in HISTORY.items()]
