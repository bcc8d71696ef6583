"""Clearing: the entry to rules §§3–4, by its stage's name.

Here belongs nothing but names: one round in ``clearing_round``, a quarter's rounds in
``clearing_quarter``, the arithmetic of the walk in ``clearing_walk``, what a seller is told in
``clearing_sentences``.
"""

from fbacap_logic.clearing_quarter import QuarterClearing, clear_quarter
from fbacap_logic.clearing_round import OUTCOMES, REASONS, RoundClearing, clear_round, validate_book
from fbacap_logic.clearing_tables import CLEARED_ALLOCATION_COLUMNS, MARKET_ROUND_COLUMNS
from fbacap_logic.policy import ClearingRules

__all__ = [
    "CLEARED_ALLOCATION_COLUMNS",
    "MARKET_ROUND_COLUMNS",
    "OUTCOMES",
    "REASONS",
    "ClearingRules",
    "QuarterClearing",
    "RoundClearing",
    "clear_quarter",
    "clear_round",
    "validate_book",
]
