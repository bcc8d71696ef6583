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
from typing import Any, ClassVar

from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine

from orchestration.event_log import InHome, kept_engine


class _OneFile(InHome):
    """What the stores of one file share. ``folder``: where it stands in the home."""

    folder: ClassVar[str]
    _conn_string: str

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Any:
        """Open the store of one home folder."""
        store: Any = cls
        return store.from_local(str(Path(config_value["home"]) / cls.folder), inst_data)

    @cached_property
    def _kept(self) -> Engine:
        return kept_engine(self._conn_string)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection in a transaction of its own."""
        with self._kept.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        """Close every connection; Dagster's own stores of one file keep none."""
        self._kept.dispose()


class Runs(_OneFile, SqliteRunStorage):
    """Runs, their tags and backfills, in ``history/runs.db`` of Dagster's home."""

    folder = "history"


class Schedules(_OneFile, SqliteScheduleStorage):
    """The ticks of the sensors, in ``schedules/schedules.db`` of Dagster's home."""

    folder = "schedules"
