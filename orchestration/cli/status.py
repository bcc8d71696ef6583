"""``fbacap status``."""

from __future__ import annotations

from orchestration.cli.app import AsOf, Data, Json, app
from orchestration.cli.words import console, existing_data_folder, moment, print_json


@app.command()
def status(data: Data = None, as_of: AsOf = None, as_json: Json = False) -> None:
    """Show every quarter: what has been published, what is due, what comes next."""
    from orchestration.status import print_status, quarter_status

    rows = quarter_status(existing_data_folder(data), moment(as_of))
    if as_json:
        print_json(rows)
    else:
        print_status(console(), rows)
