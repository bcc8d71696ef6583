"""A published quarter in which one seller has a name made to do harm."""

from pathlib import Path

import duckdb

from fbacap_logic.calendar import Quarter
from orchestration.ingest import ingest_folder
from orchestration.paths import DataFolder
from orchestration.runner import choose_stages, run_quarter, utc_now
from orchestration.simulation import generate

QUARTER = Quarter(2025, 4)
SHOP = "=cmd()<script>alert('shop')</script>/../.."


def hostile_market(inputs: Path, root: Path) -> DataFolder:
    """Sixty generated sellers, the Halloween shop renamed, through every stage of a quarter."""
    generate(inputs, sellers=60, quarters=1, seed=7, last_quarter=QUARTER)
    _rename_seller(inputs, "halloween-shop", SHOP)
    data = DataFolder(root)
    ingest_folder(data, inputs, kind="tables", historical=True)
    list(run_quarter(data, QUARTER, choose_stages(data, QUARTER, None, utc_now())))
    return data


def _rename_seller(folder: Path, seller: str, name: str) -> None:
    with duckdb.connect() as connection:
        for path in sorted(folder.glob("*.parquet")):
            connection.execute(
                "create or replace table content as from read_parquet(?)", [str(path)]
            )
            columns = [row[0] for row in connection.execute("describe content").fetchall()]
            if "seller_id" in columns:
                connection.execute(
                    "update content set seller_id = ? where seller_id = ?", [name, seller]
                )
                connection.execute(f"copy content to '{path}' (format parquet)")
