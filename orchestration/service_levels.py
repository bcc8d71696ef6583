"""What an input table's contract says of its timing: ``slaProperties`` of the standard.

Here belongs reading them into days. Whether a table keeps them is ``readiness``' to judge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from orchestration.contract_rules import ContractFault

_PROPERTIES = ("frequency", "latency", "longestWait")
_DAYS = frozenset({"d", "day", "days"})


@dataclass(frozen=True)
class ServiceLevels:
    """An input table's timing, in days.

    Attributes:
        frequency_days: how often new rows are received; None for a table that is no feed.
        latency_days: how much later than that a delivery may be and still be in time.
        longest_wait_days: how long after a cut-off a stage run waits for the table before it goes
            on without; None: it never goes on without.
    """

    frequency_days: int | None = None
    latency_days: int = 0
    longest_wait_days: int | None = None

    @property
    def is_feed(self) -> bool:
        """Whether rows keep coming, so that their age can be judged."""
        return self.frequency_days is not None

    @property
    def tolerance_days(self) -> int:
        """The age, in days before a cut-off, up to which the newest row is fresh."""
        return (self.frequency_days or 0) + self.latency_days


def service_levels(entries: Iterable[Any] | None) -> ServiceLevels:
    """Read a contract's ``slaProperties``.

    Raises:
        ContractFault: a property is unknown, stands twice, or is no whole number of days.

    >>> from types import SimpleNamespace
    >>> levels = service_levels([SimpleNamespace(property="frequency", value=1, unit="d")])
    >>> levels.tolerance_days, levels.longest_wait_days
    (1, None)
    """
    days: dict[str, int] = {}
    for entry in entries or ():
        name, value = entry.property, entry.value
        if name not in _PROPERTIES:
            known = ", ".join(_PROPERTIES)
            raise ContractFault(f"the slaProperty {name} is not understood here, only {known}")
        if name in days:
            raise ContractFault(f"the slaProperty {name} stands twice")
        lowest = 1 if name == "frequency" else 0
        if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
            raise ContractFault(
                f"the slaProperty {name} has the value {value}; give whole days from {lowest} on"
            )
        if entry.unit not in _DAYS:
            raise ContractFault(f"the slaProperty {name} has the unit {entry.unit}; write it in d")
        days[name] = value
    if "latency" in days and "frequency" not in days:
        raise ContractFault("the slaProperty latency needs a frequency beside it")
    return ServiceLevels(days.get("frequency"), days.get("latency", 0), days.get("longestWait"))
