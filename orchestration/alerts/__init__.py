"""Alerts: what the operator is told of, and where it goes.

``configuration`` what ``alerts.yaml`` may say, ``messages`` which alerts there are, ``sinks`` the
ways out, ``sending`` each alert once to every sink. When they are looked for is ``sensors``.
"""

from orchestration.alerts.sending import Sent, send_pending, send_test

__all__ = ["Sent", "send_pending", "send_test"]
