"""Scheduled quarters: what is due, what it waits for, and what to launch.

``due`` the decision, pure; ``readiness`` whether inputs have arrived, pure; ``landed``, ``tries``
and ``state`` what both rest on, read from landing zone, Dagster's history and published zone;
``view`` and ``ics`` the calendar that people read. Launching is ``orchestration.sensors``.
"""
