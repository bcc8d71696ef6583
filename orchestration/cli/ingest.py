"""``fbacap ingest``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import Data, Json, app
from orchestration.cli.words import console, data_folder, print_json, progress_bar
from orchestration.errors import BadUsage


@app.command()
def ingest(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="[olist] DIR",
            help="Folder with <table>.csv or <table>.parquet files (or folders of them); "
            "with the word olist before it, a folder with the Olist marketplace's files.",
        ),
    ],
    historical: Annotated[
        bool,
        typer.Option(
            "--historical",
            help="Rows without received_at count as received when they happened, not now, so that "
            "past quarters can be run.",
        ),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Refuse the delivery for its first row that breaks a contract, instead of keeping "
            "such rows apart in quarantine.",
        ),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take a delivery of input files into the landing zone, all of it or nothing.

    Rows that break their table's contract are kept apart (`fbacap quarantine list`); a file that
    cannot be read, or has too many such rows, refuses the delivery.
    """
    from orchestration.ingest import delivery_summary, ingest_folder, print_delivery

    folder, kind = _source(source)
    with progress_bar(f"reading {folder}", quiet=as_json) as tell:
        delivery = ingest_folder(
            data_folder(data),
            folder,
            kind=kind,
            historical=historical,
            strict=strict,
            progress=tell,
        )
    if as_json:
        print_json(delivery_summary(delivery))
    else:
        print_delivery(console(), delivery)


def _source(words: list[str]) -> tuple[Path, str]:
    kind = "olist" if len(words) == 2 and words[0] == "olist" else "tables"
    if len(words) != (2 if kind == "olist" else 1):
        raise BadUsage("give one folder: fbacap ingest DIR, or fbacap ingest olist DIR")
    folder = Path(words[-1])
    if not folder.is_dir():
        raise BadUsage(f"{folder} is not a folder; give the folder that holds the input files")
    return folder, kind
