"""How well announcements would have forecast past quarters (rules §2.1).

Here belongs forecasting past quarters again, each from what had been received when it was
announced, and comparing with what was shipped. The measures are
``fbacap_logic.forecast_accuracy``'s; nothing is published, and no published run is needed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from fbacap_logic.calendar import Quarter, StageCutoff
from fbacap_logic.forecast import forecast_quarter
from fbacap_logic.forecast_accuracy import (
    SIMPLE_METHODS,
    accuracy,
    simple_forecasts,
    size_deciles,
)
from fbacap_logic.frames import SELLER_MARKET_KEY
from orchestration.dbt_runner import build_models
from orchestration.errors import BadUsage, ContractBroken
from orchestration.paths import DataFolder
from orchestration.stage_run import STAGE_TAG, StageRun, stage_run
from orchestration.working import FILE_NAME, connect, create_working_file

EVERY = "all"
_SHARES = {"p10": 0.1, "p50": 0.5, "p90": 0.9, "mean": 0.5} | dict.fromkeys(SIMPLE_METHODS, 0.5)
_FACTS = (
    "stg_run", "stg_marketplaces", "stg_order_lines", "stg_products", "stg_refunds", "stg_sellers",
    "stg_seller_versions", "int_marketplaces", "int_order_line_net", "int_daily_sku_sales",
    "seller_markets", "weekly_demand",
)  # fmt: skip
_SHIPPED = """
select
    marketplace_id, storage_type, seller_id,
    cast(round_even(sum(volume_micro_ft3) / 1000, 0) as bigint) as shipped_milli_ft3
from facts.int_daily_sku_sales
where sales_date between ? and ?
group by all
order by all
"""


@dataclass(frozen=True)
class _Facts:
    weekly_demand: pd.DataFrame
    seller_markets: pd.DataFrame
    shipped: pd.DataFrame


def backtest(
    data: DataFolder, quarters: Sequence[Quarter], now: datetime
) -> Iterator[tuple[Quarter, pd.DataFrame]]:
    """Forecast each quarter as it would have been announced, and compare with what was shipped.

    Yields:
        Each quarter with one row per seller market known at its announcement: SELLER_MARKET_KEY,
        shipped_milli_ft3, size_decile (1: the least shipped in the 26 weeks before), and what each
        method forecast, in milli ft3.

    Raises:
        BadUsage: a quarter is not over, its last order lines counted, by ``now``.
    """
    for quarter in quarters:
        announced = stage_run(data, quarter, {STAGE_TAG: "announce"})
        counted_at = announced.calendar.stage("final").cutoff_at
        if counted_at > now:
            raise BadUsage(
                f"{quarter.label} cannot be judged before {counted_at.date().isoformat()}, when "
                "its orders are counted; end the range earlier"
            )
        with tempfile.TemporaryDirectory(prefix="fbacap-backtest-") as scratch:
            known = _facts(announced, Path(scratch) / "known")
            late = replace(announced, stage=StageCutoff("announce", "announce", counted_at))
            shipped = _facts(late, Path(scratch) / "shipped").shipped
        yield quarter, _compared(announced, known, shipped)


def summarise(quarter: str, compared: pd.DataFrame) -> Iterator[dict[str, object]]:
    """The accuracy of every method: over all, per market, and per decile of seller size.

    Args:
        quarter: the quarter's label, or ``all`` for several quarters under one another.
        compared: as ``backtest`` yields it.
    """
    markets = compared["marketplace_id"] + " " + compared["storage_type"]
    groups = [(EVERY, EVERY, compared)]
    groups += [(str(name), EVERY, rows) for name, rows in compared.groupby(markets)]
    groups += [(EVERY, str(decile), rows) for decile, rows in compared.groupby("size_decile")]
    for market, decile, rows in groups:
        shipped = rows["shipped_milli_ft3"].to_numpy()
        for method, share in _SHARES.items():
            found = accuracy(shipped, rows[method].to_numpy(), share)
            yield {
                "quarter": quarter,
                "market": market,
                "size_decile": decile,
                "method": method,
                **asdict(found),
            }


def _facts(run: StageRun, folder: Path) -> _Facts:
    create_working_file(run, folder, with_earlier_runs=False)
    failed = [node for node in build_models(folder / FILE_NAME, _FACTS) if not node.succeeded]
    if failed:
        raise ContractBroken(f"{run.quarter.label}: {failed[0].name}: {failed[0].message}")
    quarter = run.quarter
    with connect(folder / FILE_NAME) as connection:
        weekly, sellers = (
            connection.execute(f"select * from facts.{table} order by all").df()
            for table in ("weekly_demand", "seller_markets")
        )
        days = [quarter.first_day, quarter.last_day]
        return _Facts(weekly, sellers, connection.execute(_SHIPPED, days).df())


def _compared(run: StageRun, known: _Facts, shipped: pd.DataFrame) -> pd.DataFrame:
    keys = list(SELLER_MARKET_KEY)
    forecast = forecast_quarter(
        known.weekly_demand,
        known.seller_markets,
        run.calendar.announced_at.date(),
        run.quarter,
        run.policy.base_allocation,
    )
    simple = simple_forecasts(known.weekly_demand, forecast[keys], run.quarter.days)
    found = forecast[keys].merge(shipped, how="left", on=keys)
    volumes = {name: forecast[f"demand_{name}_milli_ft3"] for name in ("p10", "p50", "p90", "mean")}
    return found.assign(
        shipped_milli_ft3=found["shipped_milli_ft3"].fillna(0).astype("int64"),
        size_decile=size_deciles(simple["size_milli_ft3"].to_numpy()),
        **volumes,
        **{method: simple[method] for method in SIMPLE_METHODS},
    )
