"""``fbacap ui``."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.app import Data, app
from orchestration.cli.words import data_folder


@app.command()
def ui(
    data: Data = None,
    port: Annotated[int, typer.Option(help="Port on loopback.")] = 3000,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Refuse launches and changes, for auditors.")
    ] = False,
) -> None:
    """Open the lineage UI on this machine (loopback only)."""
    from orchestration.ui import serve

    serve(data_folder(data), port=port, read_only=read_only)
