"""The Dagster instance: one history of runs, whether a person, a sensor or the UI started them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from orchestration.errors import BadConfiguration
from orchestration.paths import DATA_VARIABLE, DataFolder
from orchestration.storage_faults import explained

HOME_VARIABLE = "DAGSTER_HOME"
POSTGRES_VARIABLE = "FBACAP_POSTGRES_URL"
CONFIGURATION = "dagster.yaml"
# Homes that this process has put into DAGSTER_HOME itself: not a choice that the next folder heeds.
_of_data_folders: set[str] = set()
_NO_POSTGRES = "DagsterPostgresException"  # of a package that only the extra `postgres` installs
_CONFIGURATION = """\
# One run a quarter at a time; more quarters side by side are fine.
concurrency:
  runs:
    max_concurrent_runs: 2
    tag_concurrency_limits:
      - key: dagster/partition
        limit: 1
        value:
          applyLimitPerUniqueValue: true
run_storage:
  module: orchestration.run_history
  class: Runs
  config:
    home: {env: DAGSTER_HOME}
schedule_storage:
  module: orchestration.run_history
  class: Schedules
  config:
    home: {env: DAGSTER_HOME}
event_log_storage:
  module: orchestration.event_log
  class: EventLog
  config:
    home: {env: DAGSTER_HOME}
# On a busy machine the definitions take longer to load than Dagster waits by itself.
code_servers:
  local_startup_timeout: 300
telemetry:
  enabled: false
nux:
  enabled: false
"""


def prepare_home(data: DataFolder) -> Path:
    """Make the data folder the one that Dagster and every asset of this process use.

    A dagster.yaml that stands in the home already is left as it is.
    """
    os.environ[DATA_VARIABLE] = str(data.root)
    home = dagster_home(data)
    if home == data.dagster_home:
        _of_data_folders.add(str(home))
    os.environ[HOME_VARIABLE] = str(home)
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / CONFIGURATION
    if not configuration.exists():
        whole = home / f"{CONFIGURATION}.{os.getpid()}"  # Dagster takes an empty one for none
        whole.write_text(_CONFIGURATION, encoding="utf-8")
        whole.replace(configuration)
    return home


def dagster_home(data: DataFolder) -> Path:
    """DAGSTER_HOME where somebody has set it; else the instance stands in the data folder."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named) if named and named not in _of_data_folders else data.dagster_home


def instance(data: DataFolder) -> dg.DagsterInstance:
    """The instance of a data folder.

    Raises:
        BadConfiguration: its dagster.yaml is wrong, or the database named there does not answer.
        NotStored: the disk is full or closed to writing.
        Corrupted: the history's files are damaged.
    """
    configuration = prepare_home(data) / CONFIGURATION
    try:
        with _opening(configuration.parent):
            return dg.DagsterInstance.from_config(str(configuration.parent))
    except (dg.DagsterError, SQLAlchemyError, ImportError, ValueError) as error:
        in_sqlite = explained(error, data.root) if "sqlite3." in str(error) else None
        raise in_sqlite or _unusable(configuration, error) from error
    except Exception as error:
        if type(error).__name__ != _NO_POSTGRES:
            raise
        raise _unusable(configuration, error) from error


def prepare_history(data: DataFolder) -> None:
    """Lay out the history of runs, before one of Dagster's own programs opens it.

    Two programs that lay out one history at the same time leave it half made.

    Raises:
        BadConfiguration: as for ``instance``.
    """
    instance(data).dispose()


@contextmanager
def _opening(home: Path) -> Iterator[None]:
    """One process at a time: the first to open a history creates its tables."""
    with (home / "opening.lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _unusable(configuration: Path, error: Exception) -> BadConfiguration:
    """What is wrong, without the error's own words: they may hold a password."""
    return BadConfiguration(
        f"the history of runs that {configuration} names cannot be opened "
        f"({type(error).__name__}); check the file, {POSTGRES_VARIABLE} (postgresql+psycopg2://…), "
        "that fbacap[postgres] is installed and that the database runs"
    )
