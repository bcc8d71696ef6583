"""``fbacap explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.app import Data, Json, QuarterWord, app
from orchestration.cli.words import console, data_folder, print_json, quarter_of

Marketplace = Annotated[
    str | None,
    typer.Option(help="The marketplace, where the seller sells in several."),
]


@app.command()
def explain(
    seller: Annotated[str, typer.Argument(metavar="SELLER", help="The seller's id.")],
    quarter: QuarterWord,
    marketplace: Marketplace = None,
    brief: Annotated[
        bool, typer.Option("--brief", help="The sentences alone, without tables and sources.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Explain a seller's quarter: what it got, why not more, what it pays, from which rows."""
    from dataclasses import asdict

    from orchestration.statements.collect import seller_statement

    statement = seller_statement(data_folder(data), quarter_of(quarter), seller, marketplace)
    if as_json:
        print_json(asdict(statement))
        return
    from orchestration.statements.page import page_of
    from orchestration.statements.terminal_page import print_page

    print_page(console(), page_of(statement), brief=brief)
