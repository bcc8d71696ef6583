"""Change one input column, see which output columns change.

Here belong the changes and the comparison; the market is ``lineage_market``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from lineage_market import RUNS, market

from fbacap_logic.policy import Policy
from orchestration.contracts import load_contract
from orchestration.stages import Stage

ROWS = "(rows)"
_ROWS_TRIED = 2
_FLAGS_TRIED = 24
_TEXTS = {
    "account_type": ["individual", "professional", None],
    "cohort": ["individual", "new_professional", "professional"],
    "currency": ["EUR"],
    "source_file": ["another"],
}
# Which row speaks of which: changed, a row is another row, so they are not changed here.
KEYS = frozenset(
    {
        "marketplace_id", "storage_type", "seller_id", "request_id", "round", "revision", "day",
        "week_index", "quarter_start", "component", "version_number",
    }
)  # fmt: skip


def observed(stage: Stage, policy: Policy) -> dict[str, set[str]]:
    """(output column or table + ROWS) → input columns whose change was seen in it."""
    tables = market(policy)
    reads = {name: tables[name] for name in stage.reads if name in tables}
    run = RUNS[stage.name]
    before = run(reads, policy)
    seen: dict[str, set[str]] = {}
    for relation, frame in reads.items():
        for column in frame.columns:
            if column in KEYS:
                continue
            for changed in changes(frame, column):
                try:
                    after = run(reads | {relation: changed}, policy)
                except (ValueError, OverflowError):
                    continue
                for output in differences(before, after):
                    seen.setdefault(output, set()).add(f"{relation}.{column}")
    return seen


def changes(frame: pd.DataFrame, column: str) -> Iterator[pd.DataFrame]:
    """Copies of a table with other values in one column: one row at a time, and all at once."""
    values = frame[column]
    tried = _FLAGS_TRIED if values.dtype == bool else _ROWS_TRIED
    rows = np.unique(np.linspace(0, len(frame) - 1, tried).astype(int))
    for other in _others(values, column):
        is_same = _equal(values, other).to_numpy()
        for row in rows[~is_same[rows]]:
            one = values.copy()
            one.iloc[row] = other.iloc[row]
            yield frame.assign(**{column: one})
        yield frame.assign(**{column: other})


def _others(values: pd.Series, column: str) -> Iterator[pd.Series]:
    if column in _TEXTS:
        for text in _TEXTS[column]:
            yield pd.Series([text] * len(values), index=values.index, dtype=object)
    elif values.dtype == bool:
        yield ~values
    elif pd.api.types.is_datetime64_any_dtype(values):
        for days in (-400, 15):
            yield values + pd.Timedelta(days=days)
        yield values.iloc[::-1].set_axis(values.index)
        yield pd.Series([pd.NaT] * len(values), index=values.index, dtype=values.dtype)
    elif pd.api.types.is_integer_dtype(values):
        yield values + 1
        yield values * 3 + 7
        yield values // 2
        yield values * 0
        yield values.iloc[::-1].set_axis(values.index)
        if str(values.dtype) == "Int64":
            yield pd.Series([pd.NA] * len(values), index=values.index, dtype="Int64")


def differences(
    before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame]
) -> Iterator[str]:
    """Output columns that differ in a row both have, and tables whose rows differ."""
    for table, frame in before.items():
        old = frame
        if table not in after:
            continue
        new = after[table]
        if old.equals(new):
            continue
        key = list(load_contract(table).key)
        if not old[key].equals(new[key]):
            was, now = old.set_index(key), new.set_index(key)
            both = was.index.intersection(now.index)
            if len(both) < max(len(was), len(now)):
                yield f"market.{table}{ROWS}"
            old, new = was.loc[both], now.loc[both]
        for column in old.columns:
            if column not in key and not _equal(old[column], new[column]).all():
                yield f"market.{table}.{column}"


def _equal(left: pd.Series, right: pd.Series) -> pd.Series:
    """Where two columns agree, nulls with nulls."""
    return left.eq(right).fillna(value=False).astype(bool) | (left.isna() & right.isna())
