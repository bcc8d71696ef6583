"""Statements written to files: one seller's, or a folder of every seller's.

Here belong file names and formats. What is written is ``html_page`` or ``figures_csv``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from fbacap_logic.calendar import Quarter
from orchestration.errors import BadUsage
from orchestration.export import csv_text
from orchestration.paths import DataFolder
from orchestration.statements.collect import every_statement
from orchestration.statements.figures import Statement
from orchestration.statements.figures_csv import csv_of
from orchestration.statements.html_page import html_of
from orchestration.statements.page import page_of
from orchestration.statements.words import visible

INDEX = "index.csv"
_READABLE = 60
_INDEX_COLUMNS = ("marketplace_id", "seller_id", "file")


def html_statement(statement: Statement) -> str:
    """A statement as one HTML file's text."""
    return html_of(page_of(statement))


WRITERS: dict[str, Callable[[Statement], str]] = {"html": html_statement, "csv": csv_of}


def format_of(out: Path) -> str:
    """The format of a statement's file, by its name.

    Raises:
        BadUsage: it is none that statements have.
    """
    file_format = out.suffix.lower().removeprefix(".")
    if file_format not in WRITERS:
        raise BadUsage(f"{out} is neither .html nor .csv; name a file of one of the two")
    return file_format


def write_statement(statement: Statement, out: Path) -> None:
    """Write one statement, in the format that the file's name asks for.

    Raises:
        BadUsage: another format, or a folder that is not there.
    """
    file_format = format_of(out)
    if not out.resolve().parent.is_dir():
        raise BadUsage(f"{out.parent} is not a folder; make it, or name another file")
    out.write_bytes(WRITERS[file_format](statement).encode())


def write_every_statement(
    data: DataFolder,
    quarter: Quarter,
    folder: Path,
    file_format: str,
    progress: Callable[[int, int], None],
) -> int:
    """Write every seller's statement, and ``index.csv`` that says which file is whose.

    Args:
        data: the data folder.
        quarter: the quarter.
        folder: an empty folder, or one that is made.
        file_format: html or csv.
        progress: takes how many are written, and of how many.

    Returns:
        The number of statements.

    Raises:
        BadUsage: the folder holds something already, or its parent is not there.
        NotPublished: nothing of the quarter has been published.
    """
    if not folder.resolve().parent.is_dir():
        raise BadUsage(f"{folder.parent} is not a folder; make it, or name another")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadUsage(f"{folder} is not an empty folder; name one that is, or a new one")
    write = WRITERS[file_format]
    index = []
    for written, (statement, sellers) in enumerate(every_statement(data, quarter), start=1):
        folder.mkdir(exist_ok=True)
        name = file_name(statement.marketplace_id, statement.seller_id, file_format)
        (folder / name).write_bytes(write(statement).encode())
        index.append((visible(statement.marketplace_id), visible(statement.seller_id), name))
        progress(written, sellers)
    (folder / INDEX).write_bytes(csv_text(_INDEX_COLUMNS, index).encode())
    return len(index)


def file_name(marketplace_id: str, seller_id: str, file_format: str) -> str:
    """A name that no id can lead out of its folder, and that no two sellers share.

    Letters, digits, - and _ stay, other runs become one _; a digest of both ids tells apart what
    that, or a file system that ignores case, makes the same.

    >>> file_name("US", "../../etc/passwd", "html")
    'US._etc_passwd.e02213055e89.html'
    """
    digest = hashlib.sha256(f"{len(marketplace_id)}:{marketplace_id}{seller_id}".encode())
    readable = [
        re.sub(r"[^A-Za-z0-9_-]+", "_", text)[:_READABLE] for text in (marketplace_id, seller_id)
    ]
    return f"{readable[0]}.{readable[1]}.{digest.hexdigest()[:12]}.{file_format}"
