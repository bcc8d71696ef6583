"""``fbacap generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import app
from orchestration.cli.words import quarter_of


@app.command()
def generate(
    directory: Annotated[Path, typer.Argument(help="Folder to write the input tables to.")],
    sellers: Annotated[int, typer.Option(min=50, help="Number of sellers.")] = 300,
    quarters: Annotated[int, typer.Option(min=1, help="Quarters in which the market is held.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 1,
    last: Annotated[str, typer.Option(help="The last of those quarters.")] = "2025Q4",
    until_settled: Annotated[
        bool,
        typer.Option("--until-settled", help="Go on selling until the last quarter's true-up."),
    ] = False,
) -> None:
    """Write a simulated marketplace: two years of history, then quarters with a market."""
    from orchestration.simulation import generate as generate_marketplace

    summary = generate_marketplace(
        directory,
        sellers=sellers,
        quarters=quarters,
        seed=seed,
        last_quarter=quarter_of(last),
        until_settled=until_settled,
    )
    for table, rows in summary.rows.items():
        typer.echo(f"{table:<22}{rows:>12,} rows")
    typer.echo(f"take it in: fbacap ingest {directory} --historical")
