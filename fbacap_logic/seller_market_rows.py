"""Rows of one table found in another by seller market.

Here belong the order that the announcement's tables share and the lookup between them. Here do not
belong checks of single columns (``frames``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fbacap_logic.frames import SELLER_MARKET_KEY, require_unique, texts
from fbacap_logic.units import Int64Array


def sorted_by_seller_market(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """A copy ordered by SELLER_MARKET_KEY (text by bytes), its rows counted anew.

    Raises:
        ValueError: a key column missing, null or not text, or a key that stands twice.

    >>> rows = pd.DataFrame({"marketplace_id": "m", "storage_type": "s", "seller_id": ["b", "a"]})
    >>> sorted_by_seller_market(rows, "seller_markets")["seller_id"].tolist()
    ['a', 'b']
    """
    keys = [texts(frame, column, table) for column in SELLER_MARKET_KEY]
    require_unique(frame, SELLER_MARKET_KEY, table)
    codes = [pd.factorize(key, sort=True)[0] for key in keys]
    return frame.take(np.lexsort(codes[::-1])).reset_index(drop=True)


def matching_rows(
    frame: pd.DataFrame, table: str, within: pd.DataFrame, within_table: str
) -> Int64Array:
    """Where each row's seller market stands in another table, as a position from 0.

    Raises:
        ValueError: a seller market of ``frame`` is missing from ``within`` (the first in key order
            is named), one stands twice in ``within``, or a key is null or not text.

    >>> rows = pd.DataFrame({"marketplace_id": "m", "storage_type": "s", "seller_id": ["b", "a"]})
    >>> matching_rows(rows, "facts", rows.iloc[::-1], "seller_markets")
    array([1, 0])
    """
    require_unique(within, SELLER_MARKET_KEY, within_table)
    wanted = np.zeros(len(frame), dtype=np.int64)
    known = np.zeros(len(within), dtype=np.int64)
    for column in SELLER_MARKET_KEY:
        known_code, known_texts = pd.factorize(texts(within, column, within_table))
        code, distinct = pd.factorize(texts(frame, column, table))
        place = pd.Index(known_texts, dtype=object).get_indexer(pd.Index(distinct, dtype=object))
        # A text that `within` does not have gets a number of its own, which matches nothing.
        place = np.where(place < 0, len(known_texts), place).astype(np.int64)
        known = known * (len(known_texts) + 1) + known_code
        wanted = wanted * (len(known_texts) + 1) + place[code]
    rows = pd.Index(known).get_indexer(pd.Index(wanted))
    if (rows < 0).any():
        absent = frame.loc[rows < 0, list(SELLER_MARKET_KEY)]
        first = absent.astype(object).sort_values(list(SELLER_MARKET_KEY)).iloc[0]
        found = ", ".join(f"{name} {first[name]!r}" for name in SELLER_MARKET_KEY)
        raise ValueError(f"{table}: {found} has no row in {within_table}; add one there")
    return rows.astype(np.int64)
