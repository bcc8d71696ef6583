"""The running of the market: Dagster, dbt, contracts, files and the command line.

Here belongs everything that touches the world. What is computed is in ``fbacap_logic``.

Importing it switches off what dependencies would tell their makers, for this process and those it
starts: libraries read it when they are imported, and no dagster.yaml that stood there before ours
says so.
"""

import os

TELEMETRY_OFF = {
    "DAGSTER_DISABLE_TELEMETRY": "true",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}
os.environ.update(TELEMETRY_OFF)
