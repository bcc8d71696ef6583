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
from orchestration.landing.words import printable, shown

NOTE_FILE = "_delivery.json"
_LARGEST_NOTE_BYTES = 1 << 20

FileKind = Literal["csv", "parquet"]


@dataclass(frozen=True)
class SourceFile:
    """A file to take in. ``name``: as people find it, relative to the delivered folder, printable.

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
            table, a link in it leads out of it, something in it cannot be looked at, or its
            ``_delivery.json`` cannot be understood.
    """
    try:
        return _survey(source)
    except OSError as fault:
        raise BadInput(
            f"{printable(str(fault.filename or source))} cannot be looked at ({fault.strerror}); "
            "allow it, or take it out of the delivery"
        ) from fault


def _survey(source: Path) -> Survey:
    if not source.is_dir():
        raise BadInput(
            f"{printable(str(source))} is not a folder; give the folder that holds the delivered "
            "files"
        )
    tables = contract_names("input")
    files: list[SourceFile] = []
    ignored: list[str] = []
    for path in sorted(source.iterdir(), key=lambda path: path.name):
        if path.name.startswith(("_", ".")):
            if path.name != NOTE_FILE:
                ignored.append(printable(path.name))
        elif path.is_dir():
            found = _survey_table_folder(source, path, tables)
            files.extend(found.files)
            ignored.extend(found.ignored)
        elif kind := _kind(path):
            table = _table(path.stem, tables, path.name)
            files.append(SourceFile(table, _inside(source, path), printable(path.name), kind))
        else:
            ignored.append(printable(path.name))
    if not files:
        raise BadInput(
            f"{printable(str(source))} holds no table; deliver files named after tables, such as "
            f"{tables[0]}.csv (tables: {', '.join(tables)})"
        )
    return Survey(tuple(files), tuple(ignored), _read_note(source, tables))


def _inside(source: Path, path: Path) -> Path:
    """A path of the delivery, unless a link on it leads elsewhere.

    A sender's link must not make this read a file that the sender cannot read itself: what is wrong
    with a file is told to its sender, and the telling repeats what stands in it.
    """
    if not path.resolve().is_relative_to(source.resolve()):
        raise BadInput(
            f"{printable(str(path.relative_to(source)))} is a link that leads out of the delivered "
            "folder; put the file itself there"
        )
    return path


def _survey_table_folder(source: Path, folder: Path, tables: tuple[str, ...]) -> Survey:
    _inside(source, folder)
    files: list[SourceFile] = []
    ignored: list[str] = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        name = printable(f"{folder.name}/{path.name}")
        kind = _kind(path)
        if path.name.startswith(("_", ".")) or not (kind or path.is_dir()):
            ignored.append(name)
        elif kind:
            table = _table(folder.name, tables, folder.name)
            files.append(SourceFile(table, _inside(source, path), name, kind))
        elif folder.name in tables and _holds_data(_inside(source, path)):
            raise BadInput(f"{name} holds data too deep to be found; move it up to {folder.name}/")
        else:
            ignored.append(f"{name}/")
    return Survey(tuple(files), tuple(ignored) if files else (f"{printable(folder.name)}/",))


def _holds_data(folder: Path) -> bool:
    return any(_kind(below) for below in folder.rglob("*"))


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
            f"{printable(name)} is named after no table; rename it or take it out of the delivery "
            f"(tables: {', '.join(tables)})"
        )
    return stem


def _read_note(source: Path, tables: tuple[str, ...]) -> Mapping[str, Any] | None:
    note = source / NOTE_FILE
    if not note.is_file():
        return None
    remedy = f'write it as {{"simulated": {{"{tables[0]}": "how it was made"}}}}'
    if _inside(source, note).stat().st_size > _LARGEST_NOTE_BYTES:
        raise BadInput(f"{NOTE_FILE} is larger than 1 MiB; {remedy}")
    try:
        document = json.loads(note.read_text("utf-8"))
        # The receipt must be able to hold it: no half characters, no NaN.
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except OSError as fault:
        raise BadInput(f"{NOTE_FILE} cannot be read ({fault.strerror}); allow it") from fault
    except (ValueError, RecursionError) as fault:
        raise BadInput(f"{NOTE_FILE} is not JSON in UTF-8; {remedy}") from fault
    simulated = document.get("simulated") if isinstance(document, dict) else None
    if not isinstance(simulated, dict) or not all(
        isinstance(how, str) and how.strip() for how in simulated.values()
    ):
        raise BadInput(f"{NOTE_FILE} says something that is not understood; {remedy}")
    if unknown := sorted(set(simulated) - set(tables)):
        raise BadInput(
            f"{NOTE_FILE} calls {shown(unknown[0])} simulated, which is no table "
            f"(tables: {', '.join(tables)})"
        )
    return document
