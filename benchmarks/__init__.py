"""Measurements, as ratios taken in one process: ``python -m benchmarks``.

Here belongs nothing that a test or a run needs. What the figures were is in docs/performance.md.
"""
