"""The data folder: where landing zone, working files and published zone live.

Here belong paths and nothing else; who reads or writes behind them is ``landing``, ``working`` and
``published``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DBT_PROJECT = PROJECT / "dbt_project"
CONTRACTS = PROJECT / "data_contracts"

DATA_VARIABLE = "FBACAP_DATA"


@dataclass(frozen=True)
class DataFolder:
    """One market's data, all of it under ``root``."""

    root: Path

    @classmethod
    def from_environment(cls) -> DataFolder:
        """The folder named by FBACAP_DATA, else ``data`` in the current folder."""
        return cls(Path(os.environ.get(DATA_VARIABLE) or "data").resolve())

    @property
    def landing(self) -> Path:
        """Input files as received, their typed copies and the receipts of deliveries."""
        return self.root / "landing"

    @property
    def work(self) -> Path:
        """Working files of runs in progress and the quarters' locks."""
        return self.root / "work"

    @property
    def published(self) -> Path:
        """Published runs, never changed."""
        return self.root / "published"

    @property
    def reports(self) -> Path:
        """Reports of quarters, and what verifying their runs found: derived, never an input."""
        return self.root / "reports"

    @property
    def policies(self) -> Path:
        """Policy versions, one YAML file each; the built-in default applies when there is none."""
        return self.root / "policies"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage: one history of runs, whoever started them."""
        return self.root / "dagster"
