"""Simulated marketplaces: a generator, and what real order data lacks to become a market.

Here belongs everything that draws random numbers. Nothing of the pipeline imports it; its output is
a delivery like any other, marked as simulated.
"""

from orchestration.simulation.generator import FEWEST_SELLERS, generate
from orchestration.simulation.writing import Summary

__all__ = ["FEWEST_SELLERS", "Summary", "generate"]
