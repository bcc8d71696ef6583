"""``fbacap evaluate-attribution``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.app import Json, app
from orchestration.cli.words import console, print_json, quarter_of
from orchestration.errors import BadUsage

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table


@app.command("evaluate-attribution")
def evaluate_attribution(
    sellers: Annotated[int, typer.Option(min=50, help="Number of sellers.")] = 800,
    quarters: Annotated[int, typer.Option(min=1, help="Market quarters measured.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same figures.")] = 1,
    last: Annotated[str, typer.Option(help="The last of those quarters.")] = "2025Q4",
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help="honest, parked-stock, shifted-sales or split-grants; repeat it for several.",
            show_default="all four",
        ),
    ] = None,
    space: Annotated[
        int, typer.Option("--space", min=1, max=100, help="Percent of planned space there is.")
    ] = 100,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write CSV, JSON and a picture to this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure attribution's methods against a generated marketplace that knows the truth.

    The truth is what each seller would have sold without its extra space. Takes a minute or two.
    """
    last_quarter = quarter_of(last)
    if out is not None and out.exists() and not out.is_dir():
        raise BadUsage(f"{out} is a file; name a folder with --out")
    from orchestration.evaluation.conduct import SCENARIOS

    chosen = list(dict.fromkeys(scenario or SCENARIOS))
    unknown = [name for name in chosen if name not in SCENARIOS]
    if unknown:
        raise BadUsage(f"'{unknown[0]}' is not a scenario; choose from {', '.join(SCENARIOS)}")
    from orchestration.evaluation.measure import evaluate
    from orchestration.evaluation.writing import document, write_evaluation

    screen = console(stderr=True)
    measured = evaluate(
        chosen,
        sellers=sellers,
        quarters=quarters,
        seed=seed,
        last_quarter=last_quarter,
        space_percent=space,
        progress=lambda name: None if as_json else screen.print(f"{name}: {SCENARIOS[name]}"),
    )
    arguments = {
        "sellers": sellers,
        "quarters": quarters,
        "seed": seed,
        "last_quarter": last_quarter.label,
        "scenarios": chosen,
        "space_percent": space,
    }
    written = () if out is None else write_evaluation(measured, arguments, out)
    if as_json:
        print_json(document(measured, arguments))
        return
    for split in ("all", "size_decile", "fullness", "conduct"):
        console().print(_table(measured, split))
    for path in written:
        typer.echo(str(path))


_SHOWN = ("true_sales", "true_sales_with_later", "credited_sales")
_FIRST_SCENARIO_ONLY = ("size_decile", "fullness")


def _table(measured: pd.DataFrame, split: str) -> Table:
    """One split as a table: n winners; the true sales, with those of the quarter after; credited.

    Size and fullness are shown of the first scenario only, to fit a screen.
    """
    from rich.box import SIMPLE
    from rich.table import Column, Table

    rows = measured[measured["split"] == split]
    names = ["scenario", "group", "method"]
    if split in _FIRST_SCENARIO_ONLY:
        rows = rows[rows["scenario"] == measured["scenario"].iloc[0]]
        names.remove("scenario")
    else:
        names.remove("group")
    if split == "conduct":
        rows = rows[rows["group"] == rows["group"].iloc[0]]
    words = ("n", "true", "later", "credit", "error", "rank")
    columns = [
        *(Column(name, no_wrap=True) for name in names),
        *(Column(word, justify="right") for word in words),
    ]
    table = Table(*columns, title=_title(measured, split), title_justify="left", box=SIMPLE)
    for row in rows.to_dict(orient="records"):
        shares = [_percent(row[name], row["net_sales"]) for name in _SHOWN]
        error = _percent(row["error_of_net_sales"], 1)
        rank = row["rank_correlation"]
        cells = [str(row[name]) for name in names]
        table.add_row(
            *cells, str(row["winners"]), *shares, error, "" if rank != rank else f"{rank:.2f}"
        )
    return table


def _title(measured: pd.DataFrame, split: str) -> str:
    if split in _FIRST_SCENARIO_ONLY:
        who = f"{split.replace('_', ' ')}, {measured['scenario'].iloc[0]}"
    else:
        who = "all winners" if split == "all" else "the half that games where anyone does"
    return f"{who}: sales by extra space, % of net sales"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}" if whole and part == part else ""
