"""The second computation's side of a comparison: frames in, what the SQL derives from them out.

Here belongs only the carrying over; what is compared is in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import duckdb
import pandas as pd
import pyarrow as pa
from strategies import QUARTER

from fbacap_logic.policy import Policy
from orchestration.policies import policy_document
from orchestration.verification.statements import RunParameters

NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int64Dtype()}


@contextmanager
def session(**tables: pd.DataFrame) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which each frame stands as a temporary table."""
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        for name, frame in tables.items():
            connection.register("incoming", pa.Table.from_pandas(frame, preserve_index=False))
            connection.execute(f"create temp table {name} as select * from incoming")
            connection.unregister("incoming")
        yield connection


def parameters(policy: Policy, cutoff_at: datetime) -> RunParameters:
    return RunParameters(policy_document(policy), QUARTER.first_day, cutoff_at)


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return connection.execute(query).fetchall()


def frame_rows(frame: pd.DataFrame, columns: list[str]) -> list[tuple]:
    """A frame's rows with plain values, null as None, in order."""
    table = frame[columns].astype(object)
    plain = table.where(table.notna(), None)
    return sorted(
        (
            tuple(each.item() if hasattr(each, "item") else each for each in row)
            for row in plain.itertuples(index=False, name=None)
        ),
        key=repr,
    )
