"""What pytest is not to collect here: the long form's command line and the hook that kills."""

from __future__ import annotations

collect_ignore = ["__main__.py", "hook"]
