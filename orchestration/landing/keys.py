"""Keys that stand twice in one delivery.

Here belongs the comparison of a table's rows over all files of the delivery. A key that comes
again in a later delivery is a restatement, and staging takes the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from orchestration.contracts import Contract
from orchestration.errors import BadInput
from orchestration.files import sql_literal
from orchestration.landing.checking import shown
from orchestration.landing.column_types import quoted
from orchestration.landing.reading import ReadableFile

REPEATING = "keys-may-repeat"


def check_keys(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    typed: Sequence[Path],
    files: Mapping[str, ReadableFile],
) -> None:
    """Refuse a delivery in which two rows of a table share a key.

    Tables whose contract is tagged ``keys-may-repeat`` pass: the market's rules judge those.

    Args:
        connection: an engine in which nothing is left behind.
        contract: the table's.
        typed: the typed copies of the table's files.
        files: those files by their SHA-256, in the order of the delivery.

    Raises:
        BadInput: two rows share a key; names the first pair, and counts the other repeats.
    """
    if REPEATING in contract.tags or not typed:
        return
    key = ", ".join(quoted(name) for name in contract.key)
    rows = f"read_parquet([{', '.join(sql_literal(path) for path in typed)}])"
    repeated = f"select {key} from {rows} group by {key} having count(*) > 1"
    if connection.execute(f"select 1 from ({repeated}) limit 1").fetchone() is None:
        return
    first = connection.execute(
        f"""
        select source_file, source_row, first_file, first_row, total_repeats,
            {", ".join(f"cast({quoted(name)} as varchar)" for name in contract.key)}
        from (
            select {key}, source_file, source_row,
                first_value(source_file) over same as first_file,
                first_value(source_row) over same as first_row,
                row_number() over same as appearance,
                list_position($files, source_file) as position
            from {rows} semi join ({repeated}) using ({key})
            window same as (
                partition by {key} order by list_position($files, source_file), source_row
            )
        )
        cross join (
            select count(*) - count(distinct ({key})) as total_repeats
            from {rows} semi join ({repeated}) using ({key})
        )
        where appearance > 1
        order by position, source_row
        limit 1
        """,
        {"files": list(files)},
    ).fetchone()
    if first is None:
        raise ValueError("a repeated key has a second appearance")
    source, row, first_source, first_row, repeats, *values = first
    told = ", ".join(
        f"{name} {shown(value)}" for name, value in zip(contract.key, values, strict=True)
    )
    others = repeats - 1
    more = f" ({others} more {'row repeats' if others == 1 else 'rows repeat'} a key)"
    raise BadInput(
        f"{files[source].place(row)}: {told} stands already in "
        f"{files[first_source].place(first_row)}{more if others else ''}; keep one of them and "
        "deliver again"
    )
