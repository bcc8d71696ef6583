"""Amounts and sentences as a seller reads them (rules §§3–4).

Here belongs turning whole numbers into words. Which reason applies is decided by ``requests`` and
``clearing_round``; escaping for HTML or CSV belongs to whoever writes those.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fbacap_logic.frames import TextArray
from fbacap_logic.units import MILLI_PER_FT3, Int64Array


def money(amount_minor: int, minor_unit_digits: int) -> str:
    """A non-negative amount in its currency's decimals.

    >>> money(37, 2), money(1200, 0), money(5, 3)
    ('0.37', '1200', '0.005')
    """
    if minor_unit_digits == 0:
        return str(amount_minor)
    whole, part = divmod(amount_minor, 10**minor_unit_digits)
    return f"{whole}.{part:0{minor_unit_digits}d}"


def cubic_feet(volume_milli_ft3: int) -> str:
    """A volume in cubic feet, without needless zeros.

    >>> cubic_feet(45_000), cubic_feet(1_250)
    ('45 ft3', '1.25 ft3')
    """
    whole, part = divmod(volume_milli_ft3, MILLI_PER_FT3)
    return f"{whole}.{part:03d}".rstrip("0").rstrip(".") + " ft3"


def percent_filled(granted_milli_ft3: int, open_milli_ft3: int) -> str:
    """How much of a volume was filled, rounded down so that part never reads as all.

    >>> percent_filled(62_900, 100_000), percent_filled(1, 1000)
    ('62 %', 'under 1 %')
    """
    percent = 100 * granted_milli_ft3 // open_milli_ft3
    return f"{percent} %" if percent else "under 1 %"


def write_distinct(write: Callable[..., str], *columns: Int64Array) -> TextArray:
    """One text per row, written once per distinct combination of ``columns``.

    >>> write_distinct(lambda amount: f"{amount} left", np.array([3, 5, 3])).tolist()
    ['3 left', '5 left', '3 left']
    """
    if len(columns[0]) == 0:
        return np.empty(0, dtype=object)
    distinct, inverse = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    written = [write(*(int(value) for value in combination)) for combination in distinct]
    return np.array(written, dtype=object)[inverse.reshape(-1)]
