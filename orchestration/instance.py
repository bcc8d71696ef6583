"""The Dagster instance: one history of runs, whether a person, a sensor or the UI started them."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from orchestration.paths import DATA_VARIABLE, DataFolder

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
event_log_storage:
  module: orchestration.event_log
  class: EventLog
  config:
    home: {env: DAGSTER_HOME}
telemetry:
  enabled: false
nux:
  enabled: false
"""


def prepare_home(data: DataFolder) -> Path:
    """Make the data folder the one that Dagster and every asset of this process use.

    DAGSTER_HOME wins where it is set; else the instance stands in the data folder.
    """
    os.environ[DATA_VARIABLE] = str(data.root)
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(data.dagster_home)))
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(_CONFIGURATION, encoding="utf-8")
    return home


def instance(data: DataFolder) -> dg.DagsterInstance:
    """The instance of a data folder."""
    return dg.DagsterInstance.from_config(str(prepare_home(data)))
