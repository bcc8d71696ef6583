"""The landing zone: files as they were received, and their typed copies.

Here belongs taking in deliveries and proving later that nothing in the zone has changed. What the
rows mean is for dbt's staging models; which of them a run may see is for its working file.
"""

from orchestration.landing.audit import check_landing
from orchestration.landing.delivery import receive
from orchestration.landing.landed_file import LandedFile
from orchestration.landing.receipts import Delivery, SkippedFile, landed_files

__all__ = [
    "Delivery",
    "LandedFile",
    "SkippedFile",
    "check_landing",
    "landed_files",
    "receive",
]
