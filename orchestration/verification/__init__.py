"""The second computation: grants, fees, credits and net dues once more, in SQL (rules §§3–5, 7).

Here belongs everything behind ``fbacap verify``. It reads published tables and manifests and shares
no code with ``fbacap_logic``, so that a fault in one computation shows as a difference between two
(decision 8; ``lint-imports`` holds the wall). Dagster checks that call it are in ``checks``.
"""
