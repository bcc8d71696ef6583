"""Small disks and read-only folders, made with mount(8), for tests that need the real thing.

Here belong mounting and unmounting. Where that is not permitted the tests are skipped, or, with
FBACAP_SKIP_NOTHING=1, fail.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kibibytes: int) -> Iterator[None]:
    """A disk of that size in place of a folder; ``grow`` makes it larger."""
    folder.mkdir(parents=True, exist_ok=True)
    with _mounted(folder, "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(folder)):
        yield


def grow(folder: Path, kibibytes: int) -> None:
    """Make a small disk larger, with what stands on it."""
    _remount(folder, f"size={kibibytes}k")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that nobody, root included, can write to."""
    folder.mkdir(parents=True, exist_ok=True)
    with _mounted(folder, "--bind", str(folder), str(folder)):
        _remount(folder, "bind,ro")
        yield


@contextmanager
def _mounted(folder: Path, *words: str) -> Iterator[None]:
    fault = _mount(*words)
    if fault is not None:
        reason = f"needs the right to mount: {fault}"
        if os.environ.get("FBACAP_SKIP_NOTHING"):
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


def _remount(folder: Path, options: str) -> None:
    fault = _mount("-o", f"remount,{options}", str(folder))
    if fault is not None:
        pytest.fail(f"{folder} was mounted but cannot be remounted: {fault}")


def _mount(*words: str) -> str | None:
    """Why it did not work, or None."""
    try:
        done = subprocess.run(["mount", *words], capture_output=True, text=True)  # noqa: S607
    except FileNotFoundError:
        return "there is no mount command"
    return None if done.returncode == 0 else done.stderr.strip()
