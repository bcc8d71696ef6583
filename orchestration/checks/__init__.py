"""Contracts as blocking asset checks (and, beside them, the market's invariants).

``implied_rules`` what a contract asks, ``expectations`` how Great Expectations asks it,
``contract_run`` running it, ``contract_result`` the outcome, ``contract_checks`` Dagster's checks.
"""
