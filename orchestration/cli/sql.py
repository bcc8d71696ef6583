"""``fbacap sql``."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.app import Data, Json, app
from orchestration.cli.words import console, existing_data_folder, print_json


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT over the published tables.")],
    data: Data = None,
    as_json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Query the published tables of all quarters, read-only.

    Each table shows the run that holds now; all_runs.<table> shows every run, runs tells which.
    """
    from orchestration.catalogue import query as run_query

    columns, rows = run_query(existing_data_folder(data), query)
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif csv:
        from orchestration.export import csv_text

        typer.echo(csv_text(columns, rows), nl=False)
    else:
        from rich.table import Column, Table
        from rich.text import Text

        from orchestration.statements.words import visible

        table = Table(*(Column(Text(column), overflow="fold") for column in columns))
        for row in rows:
            table.add_row(*(Text("" if value is None else visible(str(value))) for value in row))
        console().print(table)
