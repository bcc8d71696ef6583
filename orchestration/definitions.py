"""What Dagster loads: the definitions over the data folder named by FBACAP_DATA."""

from __future__ import annotations

from orchestration.build import build_definitions
from orchestration.paths import DataFolder

defs = build_definitions(DataFolder.from_environment())
