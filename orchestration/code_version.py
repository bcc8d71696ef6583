"""What code made a published run: the package's version and a digest of every source that computes.

Sources, not a commit: the same sources give the same version from a tarball, a clone or a dirty
tree, and a change to docs alone changes nothing.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version

from orchestration.paths import CONTRACTS, DBT_PROJECT, PROJECT

_SOURCES = (
    (PROJECT / "fbacap_logic", "*.py"),
    (PROJECT / "orchestration", "*.py"),
    (DBT_PROJECT / "models", "*.sql"),
    (DBT_PROJECT / "macros", "*.sql"),
    (CONTRACTS, "*.yaml"),
)


@cache
def code_version() -> str:
    """``<package version>+<first 16 hex digits of the sources' SHA-256>``."""
    digest = hashlib.sha256()
    for folder, pattern in _SOURCES:
        for path in sorted(folder.rglob(pattern)):
            digest.update(f"{path.relative_to(PROJECT).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{version('fbacap')}+{digest.hexdigest()[:16]}"
