"""One case: what is delivered. What must come of it is for ``oracle``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .tables import TABLES, Table

What = Literal["file", "link", "pipe", "folder"]


@dataclass(frozen=True)
class File:
    """Something in a delivered folder. ``content``: of a link where it leads; bytes may be lazy."""

    path: str
    content: bytes | str | Callable[[], bytes] = b""
    what: What = "file"

    @property
    def data(self) -> bytes:
        if isinstance(self.content, str):
            return self.content.encode()
        return self.content if isinstance(self.content, bytes) else self.content()

    @property
    def table(self) -> Table | None:
        """The table that the file is for, by its path."""
        parts = self.path.split("/")
        return TABLES.get(parts[0] if len(parts) > 1 else Path(parts[0]).stem)

    def make(self, folder: Path) -> None:
        """Put it into a folder; what a file system cannot name is left out."""
        path = folder / self.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if self.what == "folder":
                path.mkdir(exist_ok=True)
            elif self.what == "link":
                path.symlink_to(str(self.content))
            elif self.what == "pipe":
                os.mkfifo(path)
            else:
                path.write_bytes(self.data)
        except (OSError, UnicodeEncodeError):
            return


@dataclass(frozen=True)
class Case:
    """A delivered folder, and how it is taken in.

    ``is_damaged``: its bytes were changed at random, so that being refused is no fault, even where
    another reader makes rows of them.
    """

    files: tuple[File, ...]
    historical: bool = False
    strict: bool = False
    is_damaged: bool = False

    @property
    def is_one_file(self) -> bool:
        """Whether it can go through the reading layer alone."""
        (first, *others) = self.files
        return not others and first.what == "file" and "/" not in first.path


def one_file(table: Table, suffix: str, content: bytes | Callable[[], bytes], **how: bool) -> Case:
    return Case((File(f"{table.name}.{suffix}", content),), **how)
