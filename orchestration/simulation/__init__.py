"""Simulated marketplaces."""
