"""A hash of a table's rows that survives upgrades of the engine.

Parquet footers carry the engine's version, so a file's bytes are promised per engine build only.
The row hash is over values: each row's MD5 over its columns' canonical text, its two 64-bit halves
summed modulo 2^64. It does not depend on row order.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

_CANONICAL = {
    "TIMESTAMP": "cast(epoch_us({column}) as varchar)",
    "DATE": "strftime({column}, '%Y-%m-%d')",
    "BOOLEAN": "case when {column} then 'true' else 'false' end",
    "VARCHAR": "{column}",
}


def row_hash(connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]) -> str:
    """Hash a relation's rows over the named columns.

    Every value is written as ``length:text`` (null as ``-``), so that no two different rows share
    a text.
    """
    described = connection.execute(f"select * from {relation} limit 0").description or []
    types = {str(entry[0]): str(entry[1]).upper() for entry in described}
    texts = []
    for name in columns:
        column = f'"{name}"'
        text = _CANONICAL.get(types[name], "cast({column} as varchar)").format(column=column)
        length = f"cast(octet_length(encode({text})) as varchar)"
        texts.append(f"case when {column} is null then '-' else {length} || ':' || {text} end")
    row_text = " || ".join(texts)
    low, high, rows = connection.execute(
        f"""
        select
            sum(cast(md5_number_lower(row_text) as hugeint)) % 18446744073709551616,
            sum(cast(md5_number_upper(row_text) as hugeint)) % 18446744073709551616,
            count(*)
        from (select {row_text} as row_text from {relation})
        """
    ).fetchone() or (0, 0, 0)
    return f"md5sum:{int(high or 0):016x}{int(low or 0):016x}:{int(rows)}"
