"""Dagster's runs and ticks in SQLite, with connections kept open and patience with other writers.

Dagster's own storages give up after five seconds when a backfill's processes, the daemon and the
UI write at once. Here belong keeping connections and waiting, nothing else: tables, queries and
files are Dagster's. Events are ``event_log``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from dagster import StringSource
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine

from orchestration.event_log import kept_engine


class _OneFile:
    """What the stores of one file share."""

    _conn_string: str

    @cached_property
    def _kept(self) -> Engine:
        return kept_engine(self._conn_string)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection in a transaction of its own."""
        with self._kept.connect() as connection, connection.begin():
            yield connection


class Runs(_OneFile, SqliteRunStorage):
    """Runs, their tags and backfills, in ``history/runs.db`` of Dagster's home."""

    @classmethod
    def config_type(cls) -> Any:
        """``home``: Dagster's home folder."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Runs:
        """Open the runs of one home folder."""
        return cls.from_local(str(Path(config_value["home"]) / "history"), inst_data)

    def dispose(self) -> None:
        """Close every connection."""
        self._kept.dispose()
        super().dispose()


class Schedules(_OneFile, SqliteScheduleStorage):
    """The ticks of the sensors, in ``schedules/schedules.db`` of Dagster's home."""

    @classmethod
    def config_type(cls) -> Any:
        """``home``: Dagster's home folder."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Schedules:
        """Open the ticks of one home folder."""
        folder = Path(config_value["home"]) / "schedules"
        return cast("Schedules", cls.from_local(str(folder), inst_data))

    def dispose(self) -> None:
        """Close every connection."""
        self._kept.dispose()
        super().dispose()
