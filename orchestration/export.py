"""Tables as text for other programs, with seller-supplied strings neutralised."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# What a spreadsheet takes for a formula's beginning, in the wide forms of East Asian text too; a
# break or a space in front of one is skipped by some.
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV. Text that a spreadsheet would run as a formula gets a leading apostrophe.

    >>> csv_text(["id", "n"], [("=1+1", -5)]).split()
    ['id,n', "'=1+1,-5"]
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and (
        value.startswith(_FORMULA_STARTS) or value.lstrip().startswith(_FORMULA_STARTS)
    ):
        return f"'{value}"
    return "" if value is None else value
