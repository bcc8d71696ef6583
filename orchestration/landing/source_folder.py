"""A delivered folder: which of its files are tables, and what to leave alone.

Here belong names only: no file but ``_delivery.json`` is opened. What is in the tables is for
``preparing``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from orchestration.contracts import contract_names
from orchestration.errors import BadInput

NOTE_FILE = "_delivery.json"

FileKind = Literal["csv", "parquet"]


@dataclass(frozen=True)
class SourceFile:
    """A file to take in. ``name``: as people find it, relative to the delivered folder.

    ``released``: the ids of its rows, where they come out of quarantine, in the file's order;
    ``simulated``: how such rows were made, as the receipt of their first delivery says.
    """

    table: str
    path: Path
    name: str
    kind: FileKind
    released: tuple[str, ...] = ()
    simulated: str | None = None


@dataclass(frozen=True)
class Survey:
    """What a delivered folder holds, in the order of names.

    ``note``: what ``_delivery.json`` says, whole; None when there is none.
    """

    files: tuple[SourceFile, ...]
    ignored: tuple[str, ...]
    note: Mapping[str, Any] | None = None

    @property
    def simulated(self) -> Mapping[str, str]:
        """How the rows of simulated tables were made, by table."""
        return {} if self.note is None else self.note["simulated"]


def survey(source: Path) -> Survey:
    """Look through a delivered folder.

    Raises:
        BadInput: there is no such folder, it holds no table, it holds data under a name that is no
            table, or its ``_delivery.json`` cannot be understood.
    """
    if not source.is_dir():
        raise BadInput(f"{source} is not a folder; give the folder that holds the delivered files")
    tables = contract_names("input")
    files: list[SourceFile] = []
    ignored: list[str] = []
    for path in sorted(source.iterdir(), key=lambda path: path.name):
        if path.name.startswith(("_", ".")):
            if path.name != NOTE_FILE:
                ignored.append(path.name)
        elif path.is_dir():
            found = _survey_table_folder(path, tables, source)
            files.extend(found.files)
            ignored.extend(found.ignored)
        elif kind := _kind(path):
            table = _table(path.stem, tables, path.name)
            _refuse_way_out(path, source, path.name)
            files.append(SourceFile(table, path, path.name, kind))
        else:
            ignored.append(path.name)
    if not files:
        raise BadInput(
            f"{source} holds no table; deliver files named after tables, such as {tables[0]}.csv "
            f"(tables: {', '.join(tables)})"
        )
    _refuse_way_out(source / NOTE_FILE, source, NOTE_FILE)
    return Survey(tuple(files), tuple(ignored), _read_note(source / NOTE_FILE, tables))


def _survey_table_folder(folder: Path, tables: tuple[str, ...], source: Path) -> Survey:
    files: list[SourceFile] = []
    ignored: list[str] = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        name = f"{folder.name}/{path.name}"
        kind = _kind(path)
        if path.name.startswith(("_", ".")) or not (kind or path.is_dir()):
            ignored.append(name)
        elif kind:
            table = _table(folder.name, tables, folder.name)
            _refuse_way_out(path, source, name)
            files.append(SourceFile(table, path, name, kind))
        elif folder.name in tables and any(_kind(below) for below in path.rglob("*")):
            raise BadInput(f"{name} holds data too deep to be found; move it up to {folder.name}/")
        else:
            ignored.append(f"{name}/")
    return Survey(tuple(files), tuple(ignored) if files else (f"{folder.name}/",))


def _refuse_way_out(path: Path, source: Path, name: str) -> None:
    """A sender's link must not make this read a file that the sender cannot read itself.

    What is wrong with a file is told to its sender, and the telling repeats what stands in it.
    """
    if not path.resolve().is_relative_to(source.resolve()):
        raise BadInput(
            f"{name} is a link that leads out of the delivered folder; deliver the file itself"
        )


def _kind(path: Path) -> FileKind | None:
    """The kind of a data file by its name; None for folders, pipes and other files."""
    if not path.is_file():
        return None
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return "csv"
    return "parquet" if suffix == ".parquet" else None


def _table(stem: str, tables: tuple[str, ...], name: str) -> str:
    if stem not in tables:
        raise BadInput(
            f"{name} is named after no table; rename it or take it out of the delivery "
            f"(tables: {', '.join(tables)})"
        )
    return stem


def _read_note(note: Path, tables: tuple[str, ...]) -> Mapping[str, Any] | None:
    if not note.is_file():
        return None
    remedy = f'write it as {{"simulated": {{"{tables[0]}": "how it was made"}}}}'
    try:
        document = json.loads(note.read_text("utf-8"))
    except ValueError as fault:
        raise BadInput(f"{NOTE_FILE} is not JSON in UTF-8; {remedy}") from fault
    simulated = document.get("simulated") if isinstance(document, dict) else None
    if not isinstance(simulated, dict) or not all(
        isinstance(how, str) and how.strip() for how in simulated.values()
    ):
        raise BadInput(f"{NOTE_FILE} says something that is not understood; {remedy}")
    if unknown := sorted(set(simulated) - set(tables)):
        raise BadInput(
            f"{NOTE_FILE} calls '{unknown[0]}' simulated, which is no table "
            f"(tables: {', '.join(tables)})"
        )
    return document
