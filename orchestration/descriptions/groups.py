"""The lineage UI's groups, in the order of the life of a quarter.

The UI sorts groups by name, in the graph's sidebar and in the catalogue alike, so a group's name
starts with its place. Asset keys carry no numbers.
"""

from __future__ import annotations

from orchestration.stages import STAGES

GROUPS = (
    "landing",
    "history",
    "staging",
    "facts",
    *(stage.name for stage in STAGES),
    "marts",
    "published",
    "reports",
    "whole_quarters",
)


def group_of(name: str) -> str:
    """The group of a stage or layer, with its place before it.

    Raises:
        ValueError: there is no such stage or layer.

    >>> group_of("landing"), group_of("settlements")
    ('01_landing', '10_settlements')
    """
    if name not in GROUPS:
        raise ValueError(f"there is no group '{name}'; there are {', '.join(GROUPS)}")
    return f"{GROUPS.index(name) + 1:02}_{name}"
