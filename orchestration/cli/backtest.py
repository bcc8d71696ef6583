"""``fbacap backtest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.app import AsOf, Data, Json, app
from orchestration.cli.words import (
    console,
    data_folder,
    moment,
    print_json,
    progress_bar,
    quarters_between,
)
from orchestration.errors import BadUsage

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ("p10", "p50", "p90", "mean", "mean_13_weeks", "mean_8_weeks", "mean_4_weeks")


@app.command()
def backtest(
    first: Annotated[str, typer.Argument(metavar="FROM", help="The first quarter.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="The last quarter.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for backtest.csv, backtest.png and sellers.parquet."),
    ] = None,
    data: Data = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Forecast past quarters as announced then, and compare with what sellers shipped."""
    import pandas as pd

    from orchestration.backtest import EVERY, summarise
    from orchestration.backtest import backtest as run_backtest

    if out is not None and out.exists() and not out.is_dir():
        raise BadUsage(f"{out} is a file; name a folder to write to")
    quarters = quarters_between(first, last)
    folder, now = data_folder(data), moment(as_of)
    found: dict[str, pd.DataFrame] = {}
    with progress_bar("forecasting", quiet=as_json) as tell:
        for place, (quarter, compared) in enumerate(run_backtest(folder, quarters, now), start=1):
            found[quarter.label] = compared
            tell(f"forecast {quarter.label}", place / len(quarters))
    every = pd.concat(found, names=["quarter"]).reset_index(level="quarter")
    rows = pd.DataFrame(
        [
            row
            for label, compared in (*found.items(), (EVERY, every))
            for row in summarise(label, compared)
        ]
    )
    if out is not None:
        _write(out, rows, every)
    if as_json:
        print_json(_plain(rows).to_dict(orient="records"))
    else:
        _print(rows)


def _write(out: Path, rows: pd.DataFrame, every: pd.DataFrame) -> None:
    from orchestration.export import csv_text
    from orchestration.pictures.backtest_picture import draw_backtest

    out.mkdir(parents=True, exist_ok=True)
    text = csv_text(list(rows.columns), _plain(rows).to_numpy().tolist())
    (out / "backtest.csv").write_text(text, encoding="utf-8", newline="")
    every.to_parquet(out / "sellers.parquet", index=False)
    (out / "backtest.png").write_bytes(draw_backtest(rows, "png"))


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as plain values, None where a measure means nothing."""
    return rows.astype(object).mask(rows.isna(), None)


def _print(rows: pd.DataFrame) -> None:
    from rich.table import Table

    from orchestration.backtest import EVERY

    whole = rows[(rows["market"] == EVERY) & (rows["size_decile"] == EVERY)]
    table = Table("quarter", "method", "error (WAPE)", "bias", "covered", "pinball")
    for row in whole[whole["method"].isin(_SHOWN)].to_dict(orient="records"):
        figures = (row["wape"], row["bias"], row["covered"], row["pinball"])
        cells = ("" if value is None or value != value else f"{value:.3f}" for value in figures)
        table.add_row(str(row["quarter"]), str(row["method"]), *cells)
    console().print(table)
