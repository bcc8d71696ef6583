"""Dagster's event log in SQLite, with connections kept open.

Dagster's own storage makes an engine and a connection for every event and query; a stage run makes
thousands, which took a third of its time. Here belong keeping them and waiting for other writers,
nothing else: tables, queries and files are Dagster's. Runs and ticks are ``run_history``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from dagster import StringSource
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine

_OPEN_SHARDS = 4
_BUSY_TIMEOUT_SECONDS = 60


def kept_engine(address: str) -> Engine:
    """An engine over one SQLite file that keeps its connections and waits for other writers."""
    engine = sqlalchemy.create_engine(address, connect_args={"timeout": _BUSY_TIMEOUT_SECONDS})
    sqlalchemy.event.listen(engine, "connect", _relax)
    return engine


def _relax(connection: Any, _record: Any) -> None:
    """Readers beside a writer; with a write-ahead log, NORMAL costs at most the last events."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


class InHome:
    """A store of Dagster's home folder, as ``dagster.yaml`` names it."""

    @classmethod
    def config_type(cls) -> Any:
        """``home``: Dagster's home folder."""
        return {"home": StringSource}


class EventLog(InHome, SqliteEventLogStorage):
    """One SQLite file a run and an index, in ``history/runs`` of Dagster's home."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(base_dir=base_dir, inst_data=inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> EventLog:
        """Open the log of one home folder."""
        folder = Path(config_value["home"]) / "history" / "runs"
        return cls(base_dir=str(folder), inst_data=inst_data)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; one that is there stays, so it is looked for once."""
        if table_name in self._tables:
            return True
        found = super().has_table(table_name)
        if found:
            self._tables.add(table_name)
        return found

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._shard_engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _shard_engine(self, shard: str) -> Engine:
        """The shard's engine; the least recently used one is closed when there are too many."""
        engine = self._engines.pop(shard, None)
        if engine is None:
            engine = kept_engine(self.conn_string_for_shard(shard))
        self._engines[shard] = engine
        while len(self._engines) > _OPEN_SHARDS:
            _, oldest = self._engines.popitem(last=False)
            oldest.dispose()
        return engine

    def dispose(self) -> None:
        """Close every connection."""
        while self._engines:
            self._engines.popitem()[1].dispose()
        super().dispose()
