"""An engine in memory, for reading files that are no working file.

Here belongs opening one. DuckDB draws a progress bar for long queries on standard output, terminal
or not, where it would stand in the middle of what a script reads; and it would download an
extension, and run it, where a query or a file asks for one that is not there.
"""

from __future__ import annotations

import duckdb


def engine() -> duckdb.DuckDBPyConnection:
    """A new connection to an engine of its own that prints and downloads nothing."""
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    connection.execute("set autoinstall_known_extensions = false")
    return connection
