"""What must hold after every case, and the two layers that a case can go through.

``Arena.whole`` hands the delivered folder to ``landing.receive``, as ``fbacap ingest`` does;
``Arena.reading`` hands one file to the functions by which ``receive`` reads and judges it. Both
compare what came of it with ``model``, which knows neither the engine nor the contracts.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.contracts import load_contract
from orchestration.errors import BadInput
from orchestration.landing import Delivery, check_landing, preparing, receive
from orchestration.landing.checking import judge_rows
from orchestration.landing.reading import ROWS, open_file, read_rows
from orchestration.landing.source_folder import SourceFile
from orchestration.landing.typed_file import received_at_sql

from . import model
from .case import Case, File
from .comparing import (
    Broken,
    expected_of,
    first_of_each_key,
    is_taken,
    read_parquet,
    rows_apart,
    same_rows,
    typed_rows,
)
from .tables import TABLES, good_row

RECEIVED_AT = datetime.fromisoformat("2026-08-19T12:00:00")
_LONGEST_SENTENCE = 2_000
_DELIVERIES_A_ZONE = 8
_ENGINE_WORDS = (
    "Error:", "Binder", "Invalid Input", "Conversion", "Catalog", "Parser", "Traceback", "LINE 1",
    "read_csv", "read_parquet", "duckdb", "INTERNAL", "Errno", "codec can't", "strict_mode",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    ``what``: taken, apart (taken with rows in quarantine), refused, nothing (no news), or unread:
    taken, of a Parquet file that only the engine can read, so that its rows have no second opinion.
    """

    what: str
    sentence: str = ""


class Arena:
    """A folder with a delivery, a landing zone and things that no delivery may touch."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._source = root / "data" / "in"
        self._zones = 0
        self._deliveries = 0
        self._copies = 0
        self.landing = root
        (root / "data" / "outside").mkdir(parents=True)
        for table in TABLES.values():
            row = ",".join(good_row(table, 1).values())
            (root / "data" / "outside" / f"{table.name}.csv").write_text(
                f"{','.join(table.names)}\n{row}\n"
            )
        self._new_zone()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def whole(self, case: Case) -> Outcome:
        """Take a case in as ``fbacap ingest`` does, and look at everything it may have touched."""
        if self._deliveries >= _DELIVERIES_A_ZONE:
            self._new_zone()
        self._empty(self._source)
        for file in case.files:
            file.make(self._source)
        before, delivered = self._tree(self.landing), self._tree(self.root, without=self.landing)
        try:
            delivery = receive(
                self._source,
                self.landing,
                received_at=RECEIVED_AT,
                historical=case.historical,
                strict=case.strict,
                wait=False,
            )
        except BadInput as refused:
            outcome = Outcome("refused", _sound(refused))
            if self._tree(self.landing) != before:
                raise Broken("a refused delivery changed the landing zone") from refused
            self._expect_refusal(case)
        except BaseException:
            self._new_zone()
            raise
        else:
            outcome = self._taken(case, delivery, before)
        if self._tree(self.root, without=self.landing) != delivered:
            raise Broken("something outside the landing zone was changed, made or lost")
        return outcome

    def reading(self, case: Case) -> Outcome:
        """Read and judge one file as ``receive`` does, without a landing zone."""
        (file,) = case.files
        table = file.table
        if table is None:
            raise ValueError("the reading layer reads files of tables only")
        self._empty(self._source)
        file.make(self._source)
        connection = self.connection
        expected = expected_of(file)
        kind = "parquet" if file.path.endswith(".parquet") else "csv"
        self._copies += 1  # the engine remembers files by their paths
        copy = self._new_folder("copies") / f"{self._copies}.{kind}"
        try:
            source = SourceFile(table.name, self._source / file.path, file.path, kind)
            preparing._copy(source, copy)
            read = open_file(connection, copy, file.path, kind, load_contract(table.name))
            read_rows(connection, read)
            when = received_at_sql(read, RECEIVED_AT, historical=case.historical)
            judged = judge_rows(
                connection, read, when, RECEIVED_AT, "refuse" if case.strict else "quarantine"
            )
        except BadInput as refused:
            self._renew_engine()
            outcome = Outcome("refused", _sound(refused))
            is_good = expected is not None and is_taken(expected, strict=case.strict)
            if is_good and not case.is_damaged:
                raise Broken(f"a good file was refused: {refused}") from refused
            return outcome
        names = ", ".join(f'"{column.name}"' for column in read.columns)
        found = connection.execute(f"select source_row, {names} from {ROWS} order by 1").fetchall()
        if expected is None:
            if kind == "parquet" and read_parquet(file.data) is None:
                return Outcome("unread")
            raise Broken("a file was taken in that is no regular file of its table")
        same_rows({row: tuple(values) for row, *values in found}, expected.good)
        if judged.received_rows != expected.received or len(judged.bad) != expected.bad:
            raise Broken(f"{judged.received_rows} rows, {len(judged.bad)} bad; expected {expected}")
        return Outcome("apart" if judged.bad else "taken")

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The engine of the reading layer, made as ``receive`` makes its own."""
        if self._connection is None:
            self._connection = preparing._engine(self.root)
        return self._connection

    def _renew_engine(self) -> None:
        """An engine that met a fault of its own answers nothing any more; ``receive`` ends it."""
        try:
            self.connection.execute("select 1")
        except duckdb.Error:
            self._connection = None

    def _taken(self, case: Case, delivery: Delivery, before: Mapping[str, Any]) -> Outcome:
        after = self._tree(self.landing)
        if any(after.get(path) != content for path, content in before.items()):
            raise Broken("a delivery changed or removed what had landed before")
        new = {path for path in set(after) - set(before) if after[path] is not None}
        if delivery.number is None:
            if new:
                raise Broken(f"a delivery of nothing new left {sorted(new)}")
            return Outcome("nothing")
        self._deliveries += 1
        receipt = f"deliveries/{delivery.number:06d}.json"
        named = {path.relative_to(self.landing).as_posix() for file in delivery.files for path in (
            file.stored_path, file.typed_path, file.quarantine_path) if path}  # fmt: skip
        if new != {*named, receipt}:
            raise Broken(f"the landing zone has {sorted(new)}, the receipt {sorted(named)}")
        if faults := check_landing(self.landing):
            raise Broken(f"the landing zone is not whole: {faults[0]}")
        if any(self._leads_out(file) for file in case.files):
            raise Broken("a delivery with a link out of the folder was taken in")
        if not self._same_totals(case, delivery):
            return Outcome("unread")
        return Outcome(
            "apart" if any(file.quarantined_rows for file in delivery.files) else "taken"
        )

    def _leads_out(self, file: File) -> bool:
        path = self._source / file.path
        is_file = path.suffix in (".csv", ".parquet") and path.is_symlink() and path.is_file()
        return is_file and not path.resolve().is_relative_to(self._source.resolve())

    def _same_totals(self, case: Case, delivery: Delivery) -> bool:
        """Every file's rows, its typed values and its sums are those of the model.

        False when the model cannot read one of them, though the engine can.
        """
        all_read = True
        taken: dict[str, set[tuple[Any, ...]]] = {}
        for file in delivery.files:
            content = file.stored_path.read_bytes()
            expected = expected_of(File(f"{file.table}.{file.stored_path.suffix[1:]}", content))
            if rows_apart(file) != file.quarantined_rows:
                raise Broken(f"{file.source_name}: rows in quarantine are not those of the receipt")
            if expected is None:
                if file.stored_path.suffix == ".parquet" and read_parquet(content) is None:
                    all_read = False
                    continue
                raise Broken(f"{file.source_name} was taken in and is no regular file of its table")
            good = first_of_each_key(file.table, expected.good, taken.setdefault(file.table, set()))
            if (file.received_rows, file.rows) != (expected.received, len(good)):
                raise Broken(
                    f"{file.source_name}: {file.received_rows} rows, {file.rows} accepted, "
                    f"{file.quarantined_rows} apart; expected {expected.received}, {len(good)}"
                )
            same_rows(typed_rows(file), good)
            if case.strict and file.quarantined_rows:
                raise Broken("a strict delivery kept rows apart")
        return all_read

    def _expect_refusal(self, case: Case) -> None:
        if case.is_damaged or not case.is_one_file:
            return
        expected = expected_of(case.files[0])
        if expected is None or not expected.received:
            return
        table = case.files[0].table
        good = first_of_each_key(table.name if table else "", expected.good, set())
        judged = model.Judged(expected.received, good, expected.is_plain)
        if is_taken(judged, strict=case.strict):
            raise Broken("a good file was refused")

    def _new_zone(self) -> None:
        if self._zones:
            self._empty(self.landing)
        self._zones += 1
        self._deliveries = 0
        self.landing = self.root / "data" / f"landing-{self._zones}"

    def _new_folder(self, name: str) -> Path:
        folder = self.root / "work" / name
        self._empty(folder)
        return folder

    def _empty(self, folder: Path) -> None:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)

    def _tree(self, folder: Path, without: Path | None = None) -> dict[str, Any]:
        """Everything below a folder: bytes of files, targets of links, nothing of folders."""
        found: dict[str, Any] = {}
        pending = [folder] if folder.exists() else []
        while pending:
            for path in pending.pop().iterdir():
                if path == without or path.name == ".lock":
                    continue
                mode = path.lstat().st_mode
                name = path.relative_to(folder).as_posix()
                if stat.S_ISLNK(mode):
                    found[name] = ("link", str(path.readlink()))
                elif stat.S_ISDIR(mode):
                    found[name] = None
                    pending.append(path)
                elif stat.S_ISREG(mode):
                    found[name] = path.read_bytes()
                else:
                    found[name] = mode
        return found


def _sound(refused: BadInput) -> str:
    """The sentence, after seeing that it is one."""
    text = str(refused)
    if not text.isprintable():
        raise Broken(f"a sentence holds control characters: {text!r}"[:500]) from refused
    if len(text) > _LONGEST_SENTENCE:
        raise Broken(f"a sentence is {len(text):,} characters long: {text[:200]}") from refused
    if told := [word for word in _ENGINE_WORDS if word in text]:
        raise Broken(
            f"a sentence tells what the engine says ({told[0]}): {text[:300]}"
        ) from refused
    return text
