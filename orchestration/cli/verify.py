"""``fbacap verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import Data, Json, QuarterWord, app
from orchestration.cli.words import data_folder, print_json, quarter_of
from orchestration.errors import BadUsage, Differs


@app.command()
def verify(
    quarter: QuarterWord,
    run: Annotated[
        int | None, typer.Option("--run", help="Verify this published run only; default: all.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="Write the certificate to this file, too.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compute a quarter's published figures a second time, in SQL, and compare every row.

    Prints a certificate and ends with 0 when nothing differs; else with 1, naming the first rows
    that differ, what is published and what was re-derived.
    """
    from orchestration.verification.certificate import certificate as page_of
    from orchestration.verification.quarter import verify_quarter

    chosen = quarter_of(quarter)
    if certificate is not None and not certificate.resolve().parent.is_dir():
        raise BadUsage(f"{certificate.parent} is not a folder; make it, or name another file")
    zone = data_folder(data).published
    verified = verify_quarter(zone, chosen.key, chosen.label, run=run)
    page = page_of(verified)
    if certificate is not None:
        certificate.write_text(page, encoding="utf-8")
    if as_json:
        print_json(verified.as_document())
    else:
        typer.echo(page, nl=False)
    if not verified.holds:
        first = verified.sentences()[0]
        raise Differs(
            f"{chosen.label} is not verified: {first}; restore the published files from a backup, "
            "or ask why the two computations differ"
        )
