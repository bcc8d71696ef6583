"""``fbacap curve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import Data, Json, QuarterWord, app
from orchestration.cli.words import console, data_folder, print_json, quarter_of
from orchestration.errors import BadUsage


@app.command()
def curve(
    quarter: QuarterWord,
    marketplace: Annotated[str, typer.Argument(metavar="MARKETPLACE", help="As in the tables.")],
    storage_type: Annotated[str, typer.Argument(metavar="STORAGE_TYPE", help="Kind of storage.")],
    round_number: Annotated[
        int | None, typer.Option("--round", help="The round, from 1.", show_default="the last")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Draw it into a .png or .svg file instead.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Every fee by itself: shows single sellers.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show demand against supply of one market and round, as published or exactly."""
    if out is not None and as_json:
        raise BadUsage("give --out or --json, not both")
    file_format = None if out is None else _format_of(out)
    from dataclasses import asdict

    from orchestration.pictures.curve_data import read_curve

    found = read_curve(
        data_folder(data),
        quarter_of(quarter),
        (marketplace, storage_type),
        round_number,
        exact=exact,
    )
    if as_json:
        print_json(asdict(found))
    elif out is None or file_format is None:
        from orchestration.pictures.curve_text import print_curve

        print_curve(console(), found)
    elif not found.steps:
        raise BadUsage(f"there is nothing to draw: {found.why_no_steps}")
    else:
        from orchestration.pictures.curve_picture import draw_curve

        out.write_bytes(draw_curve(found, file_format))
        typer.echo(str(out))


def _format_of(out: Path) -> str:
    """The picture's format, by the file's name.

    Raises:
        BadUsage: neither PNG nor SVG, or a folder that is not there.
    """
    file_format = out.suffix.lower().removeprefix(".")
    if file_format not in ("png", "svg"):
        raise BadUsage(f"{out} is neither .png nor .svg; name a file of one of the two")
    if not out.parent.is_dir():
        raise BadUsage(f"{out.parent} is not a folder; make it, or name another")
    return file_format
