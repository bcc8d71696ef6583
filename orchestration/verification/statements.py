"""The SQL files of the second computation, and running them.

Here belongs reading ``sql/*.sql``, the parameters that the statements read as variables, and the
session they run in. What a step computes stands in its file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import duckdb


@dataclass(frozen=True)
class RunParameters:
    """What a manifest says that the rules need: the policy, the quarter's first day, the cut-off.

    ``policy`` is the manifest's policy document, ``cutoff_at`` an instant with its offset.
    """

    policy: Mapping[str, Any]
    quarter_start: date
    cutoff_at: datetime

    @property
    def naive_cutoff(self) -> datetime:
        """The cut-off as the naive UTC timestamp that published tables hold."""
        return self.cutoff_at.astimezone(UTC).replace(tzinfo=None)


@cache
def statement(step: str) -> str:
    """The text of one step's SQL file."""
    return files(__package__).joinpath("sql", f"{step}.sql").read_text(encoding="utf-8")


def run(connection: duckdb.DuckDBPyConnection, *steps: str) -> None:
    """Run the named steps in order."""
    for step in steps:
        connection.execute(statement(step))


def begin(connection: duckdb.DuckDBPyConnection, parameters: RunParameters) -> None:
    """Set what the statements read as variables, and define their arithmetic."""
    connection.execute("set variable policy = cast(? as json)", [json.dumps(parameters.policy)])
    connection.execute("set variable quarter_start = cast(? as date)", [parameters.quarter_start])
    connection.execute("set variable cutoff_at = cast(? as timestamp)", [parameters.naive_cutoff])
    run(connection, "macros")


def number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one whole number that a query gives."""
    row = connection.execute(query).fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0
