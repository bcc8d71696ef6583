"""The market, pure.

Here belongs what the market rules compute: frames and integers in, frames and integers out.
Here does not belong anything that touches the world (Dagster, DuckDB, files, the clock,
randomness); that lives in ``orchestration``. import-linter enforces it.
"""
