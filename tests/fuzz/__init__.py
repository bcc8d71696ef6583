"""Hostile input: generated deliveries that try to break ``fbacap ingest``.

``python -m tests.fuzz --help`` runs the long form; ``test_fuzz.py`` a short one in every test run.
"""
