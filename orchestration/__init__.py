"""The running of the market: Dagster, dbt, contracts, files and the command line.

Here belongs everything that touches the world. What is computed is in ``fbacap_logic``.
"""
