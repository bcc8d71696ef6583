"""The definitions, assembled. Tests build their own over another data folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import dagster as dg

from orchestration.assets.base_allocations import base_allocations
from orchestration.assets.cleared_allocations import cleared_allocations
from orchestration.assets.contract_results import contract_results
from orchestration.assets.dbt_models import dbt_assets
from orchestration.assets.history import history_assets
from orchestration.assets.incremental_sales import incremental_sales
from orchestration.assets.landing import landing_tables
from orchestration.assets.publications import publication_assets
from orchestration.assets.quarter_report import quarter_report
from orchestration.assets.repriced_fees import repriced_fees
from orchestration.assets.round_requests import round_requests
from orchestration.assets.settlements import settlements
from orchestration.assets.whole_quarters import market_held, market_settled
from orchestration.checks.registry import all_checks
from orchestration.jobs import stage_jobs
from orchestration.paths import DataFolder
from orchestration.policies import load_policies
from orchestration.resources import Market
from orchestration.runner import utc_now
from orchestration.sensors import sensors


def build_definitions(data: DataFolder, clock: Callable[[], datetime] = utc_now) -> dg.Definitions:
    """Every asset, check, job, sensor and resource over one data folder.

    Args:
        data: the data folder.
        clock: tells sensors the instant (UTC) of a tick.
    """
    jobs = stage_jobs(load_policies(data.policies))
    return dg.Definitions(
        assets=[
            landing_tables,
            *history_assets(),
            *dbt_assets(),
            base_allocations,
            round_requests,
            cleared_allocations,
            repriced_fees,
            incremental_sales,
            settlements,
            contract_results,
            *publication_assets(),
            quarter_report,
            market_held,
            market_settled,
        ],
        asset_checks=all_checks(),
        jobs=jobs,
        sensors=sensors(data, jobs, clock),
        resources={"market": Market(data_root=str(data.root))},
        executor=dg.in_process_executor,
    )
