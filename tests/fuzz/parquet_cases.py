"""Parquet deliveries: other types, extreme values, odd shapes, mutated files, and bombs."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from . import hostile
from .case import Case, one_file
from .csv_cases import changed, tables
from .tables import TABLES, Cell, Table, good_row

_TYPE = {
    "id": pa.string(),
    "account": pa.string(),
    "currency": pa.string(),
    "whole": pa.int64(),
    "instant": pa.timestamp("us"),
    "day": pa.date32(),
    "quarter": pa.date32(),
    "flag": pa.bool_(),
}


def _native(cell: Cell, text: str) -> Any:
    if cell.form == "whole":
        return int(text)
    if cell.form == "decimal":
        return Decimal(text).quantize(Decimal(1).scaleb(-cell.scale))
    if cell.form == "instant":
        return datetime.fromisoformat(text).replace(tzinfo=None)
    if cell.form == "day":
        return date.fromisoformat(text)
    if cell.form == "quarter":
        return date(int(text[:4]), 3 * int(text[-1]) - 2, 1)
    return text == "true" if cell.form == "flag" else text


def _type(cell: Cell) -> pa.DataType:
    return pa.decimal128(cell.width, cell.scale) if cell.form == "decimal" else _TYPE[cell.form]


def good_columns(table: Table, rows: int) -> dict[str, pa.Array]:
    """A table's columns in their own types."""
    made = [good_row(table, number) for number in range(rows)]
    return {
        cell.name: pa.array([_native(cell, row[cell.name]) for row in made], _type(cell))
        for cell in table.cells
    }


def parquet(columns: dict[str, pa.Array] | pa.Table, **how: Any) -> bytes:
    """A Parquet file's bytes."""
    stream = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), stream, **how)
    return stream.getvalue()


def _ticks(unit: str, zone: str | None = None) -> Callable[[int], pa.Array]:
    def made(rows: int) -> pa.Array:
        edge = (0, 1, -1, 2**62, -(2**63) + 1, 2**63 - 1, 1_782_900_000, 10**12, 10**15, 10**18)
        ticks = itertools.islice(itertools.cycle(edge), rows)
        return pa.array(list(ticks), pa.int64()).cast(pa.timestamp(unit, zone))

    return made


_OTHER_TYPES: tuple[Callable[[int], pa.Array], ...] = (
    lambda rows: pa.array([1.5] * rows, pa.float64()),
    lambda rows: pa.array([float("nan")] * rows, pa.float64()),
    lambda rows: pa.array([float("inf")] * rows, pa.float32()),
    lambda rows: pa.array([1.5] * rows, pa.float64()).cast(pa.float16(), safe=False),
    lambda rows: pa.array([7] * rows, pa.int8()),
    lambda rows: pa.array([7] * rows, pa.uint64()),
    lambda rows: pa.array([2**64 - 1] * rows, pa.uint64()),
    lambda rows: pa.array([-1] * rows, pa.int64()),
    lambda rows: pa.array([2**63 - 1] * rows, pa.int64()),
    lambda rows: pa.array([Decimal("1.005")] * rows, pa.decimal128(18, 3)),
    lambda rows: pa.array([Decimal("9" * 38)] * rows, pa.decimal128(38, 0)),
    lambda rows: pa.array([Decimal("9" * 60)] * rows, pa.decimal256(76, 0)),
    lambda rows: pa.array([Decimal("-5.00")] * rows, pa.decimal128(9, 2)),
    lambda rows: pa.array([Decimal("5e10")] * rows, pa.decimal128(20, 0)),
    lambda rows: pa.array([b"bytes\xff"] * rows, pa.binary()),
    lambda rows: pa.array([b"12345678"] * rows, pa.binary(8)),
    lambda rows: pa.array([["a"]] * rows, pa.list_(pa.string())),
    lambda rows: pa.array([{"a": 1, "</td>\n'\"": "x"}] * rows),
    lambda rows: pa.array([[("k", "v")]] * rows, pa.map_(pa.string(), pa.string())),
    lambda rows: pa.array([None] * rows, pa.null()),
    lambda rows: pa.array([None] * rows, pa.string()),
    lambda rows: pa.array(["text"] * rows, pa.large_string()),
    lambda rows: pa.array([f"k{number}" for number in range(rows)]).dictionary_encode(),
    lambda rows: pa.array([True] * rows),
    lambda rows: pa.array([1] * rows, pa.time64("us")),
    lambda rows: pa.array([1] * rows, pa.time32("ms")),
    lambda rows: pa.array([1] * rows, pa.duration("us")),
    lambda rows: pa.array([2_932_896 + number for number in range(rows)], pa.int32()).cast(
        pa.date32()
    ),
    lambda rows: pa.array([2**31 - 1 - number for number in range(rows)], pa.int32()).cast(
        pa.date32()
    ),
    lambda rows: pa.array([-(2**31) + number for number in range(rows)], pa.int32()).cast(
        pa.date32()
    ),
    lambda rows: pa.array([86_400_000] * rows, pa.int64()).cast(pa.date64()),
    *(
        _ticks(unit, zone)
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "Asia/Tokyo")
    ),
)


@st.composite
def types(draw: Any) -> Case:
    """One column in a type that is not the table's, or in an extreme of a type that is taken."""
    table = draw(tables)
    rows = draw(st.integers(1, 12))
    columns = good_columns(table, rows)
    name = draw(st.sampled_from((*table.names, "received_at")))
    columns[name] = draw(st.sampled_from(_OTHER_TYPES))(rows)
    old = draw(st.booleans()) and pa.types.is_timestamp(columns[name].type)
    how: dict[str, Any] = {"use_deprecated_int96_timestamps": True} if old else {}
    try:
        content = parquet(columns, **how)
    except (pa.ArrowException, ValueError, OverflowError):
        content = parquet({**columns, name: pa.array(["x"] * rows)})
    return one_file(table, "parquet", content, historical=draw(st.booleans()))


_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": hostile.texts,
    "account": hostile.texts,
    "currency": hostile.texts,
    "whole": st.one_of(
        st.integers(-(2**63), 2**63 - 1), st.sampled_from((0, -1, 10**9, 10**9 + 1))
    ),
    "instant": st.datetimes(),
    "day": st.dates(),
    "quarter": st.one_of(
        st.dates(), st.sampled_from((date(2199, 10, 1), date(2200, 1, 1), date(1, 1, 1)))
    ),
    "flag": st.booleans(),
}


@st.composite
def values(draw: Any) -> Case:
    """Hostile values and nulls in columns of the right type, or any texts in text columns."""
    table = draw(tables)
    rows = draw(st.integers(2, 6))
    columns = good_columns(table, rows)
    for _ in range(draw(st.integers(1, 3))):
        cell = draw(st.sampled_from(table.cells))
        place = draw(st.integers(0, rows - 1))
        as_text = draw(st.integers(0, 3)) == 0
        found = columns[cell.name].to_pylist()
        if as_text:
            found = [str(each) for each in found]
            strategy: st.SearchStrategy[Any] = hostile.anything
        elif cell.form == "decimal":
            scale = cell.scale
            most = 10 ** (cell.width - scale) - 1
            strategy = st.decimals(-most, most, places=scale, allow_nan=False)
        else:
            strategy = _VALUES[cell.form]
        found[place] = draw(st.one_of(st.none(), strategy))
        kind = pa.string() if as_text else columns[cell.name].type
        if pa.types.is_string(kind):
            found = [each if each is None else str(each) for each in found]
        columns[cell.name] = pa.array(found, kind)
    return one_file(table, "parquet", parquet(columns), strict=draw(st.integers(0, 9)) == 0)


@st.composite
def shape(draw: Any) -> Case:
    """No rows, no row groups, columns twice or unknown, other codecs, versions and page sizes."""
    table = draw(tables)
    rows = draw(st.integers(0, 30))
    columns = good_columns(table, rows)
    names, arrays = list(columns), list(columns.values())
    place = draw(st.integers(0, len(names) - 1))
    change = draw(
        st.sampled_from(("none", "none", "gone", "twice", "unknown", "upper", "empty", "nothing"))
    )
    if change == "gone":
        del names[place], arrays[place]
    elif change == "twice":
        names.append(names[place])
        arrays.append(arrays[place])
    elif change in ("unknown", "upper"):
        names[place] = draw(hostile.texts) if change == "unknown" else names[place].upper()
    elif change == "nothing":
        names, arrays = [], []
    made = pa.Table.from_arrays(arrays, names=names)
    if change == "empty":
        stream = io.BytesIO()
        pq.ParquetWriter(stream, made.schema).close()
        return one_file(table, "parquet", stream.getvalue())
    content = parquet(
        made,
        compression=draw(st.sampled_from(("none", "snappy", "gzip", "zstd", "lz4", "brotli"))),
        version=draw(st.sampled_from(("1.0", "2.4", "2.6"))),
        data_page_version=draw(st.sampled_from(("1.0", "2.0"))),
        use_dictionary=draw(st.booleans()),
        write_statistics=draw(st.booleans()),
        row_group_size=draw(st.sampled_from((1, 7, 1000))),
        data_page_size=draw(st.sampled_from((1, 64, 1 << 20))),
    )
    return one_file(table, "parquet", content)


_EDGES = (0, -1, 1, 2**31 - 1, 2**31, 2**32, -(2**31) - 1, 2**40, 2**62, -(2**62))


@st.composite
def statistics(draw: Any) -> Case:
    """A column of one value, and statistics that say that it is another, a good one."""
    table = draw(tables.filter(lambda each: bool(_counted(each))))
    cell = draw(st.sampled_from(_counted(table)))
    rows = draw(st.integers(1, 12))
    kind = pa.int64() if cell.form == "whole" else pa.timestamp("us")
    native = pa.array([_native(cell, good_row(table, 1)[cell.name])])
    good = native.cast(kind).cast(pa.int64())[0].as_py()
    value = draw(st.one_of(st.sampled_from(_EDGES), st.integers(-(2**62), 2**62)))
    columns = good_columns(table, rows) | {
        cell.name: pa.array([value] * rows, pa.int64()).cast(kind)
    }
    content = parquet(columns, use_dictionary=False, store_schema=False)
    begin = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    true, false = (each.to_bytes(8, "little", signed=True) for each in (value, good))
    belied = content[:begin] + content[begin:].replace(true, false)
    return one_file(table, "parquet", belied, is_damaged=True)


def _counted(table: Table) -> list[Cell]:
    """The columns that a file may hold as 64 bits."""
    return [cell for cell in table.cells if cell.form in ("whole", "day", "instant")]


@cache
def _template(name: str, compression: str) -> bytes:
    # Arrow's own copy of the schema would keep Arrow from reading what is a file all the same.
    return parquet(good_columns(TABLES[name], 5), compression=compression, store_schema=False)


@st.composite
def mutated(draw: Any) -> Case:
    """A whole file after flips, cuts and splices; more often than not in its footer."""
    table = draw(tables)
    content = bytearray(_template(table.name, draw(st.sampled_from(("none", "snappy", "zstd")))))
    other = _template(draw(tables).name, "none")
    where = draw(
        st.sampled_from(
            ("footer", "footer", "anywhere", "pages", "length", "end", "start", "codec")
        )
    )
    size = int.from_bytes(content[-8:-4], "little")
    begin = len(content) - 8 - size
    if where == "footer":
        footer = bytearray(content[begin:-8])
        for _ in range(draw(st.integers(1, 3))):
            footer[draw(st.integers(0, len(footer) - 1))] = draw(st.integers(0, 255))
        content[begin:-8] = footer
    elif where == "pages":
        for _ in range(draw(st.integers(1, 4))):
            content[draw(st.integers(4, begin - 1))] = draw(st.integers(0, 255))
    elif where == "length":
        content[-8:-4] = draw(st.binary(min_size=4, max_size=4))
    elif where == "end":
        del content[draw(st.integers(0, len(content))) :]
    elif where == "start":
        content[: draw(st.integers(1, 8))] = draw(st.sampled_from((b"PARE", b"PAR2", b"", b"\0")))
    elif where == "codec":
        content[-4:] = draw(st.sampled_from((b"PARE", b"PAR1PAR1", b"1RAP", b"")))
    else:
        content = bytearray(changed(draw, content, other))
    return one_file(table, "parquet", bytes(content), is_damaged=True)


def _repeated(table: Table, name: str, value: str, rows: int) -> Callable[[], bytes]:
    """A few kilobytes that say one value a great many times."""

    def made() -> bytes:
        first = good_columns(table, 1) | {name: pa.array([value])}
        chunk = min(rows, 1_000_000)
        zeros = pa.nulls(chunk, pa.int32()).fill_null(0)
        part = pa.table(
            {each: pa.DictionaryArray.from_arrays(zeros, array) for each, array in first.items()}
        )
        stream = io.BytesIO()
        with pq.ParquetWriter(stream, part.schema, compression="zstd") as writer:
            for _ in range(rows // chunk):
                writer.write_table(part, row_group_size=chunk)
        return stream.getvalue()

    return made


@st.composite
def bombs(draw: Any) -> Case:
    """Small files that say they are huge, or are: dictionaries repeated, pages that unfold."""
    table = draw(tables)
    ids = [cell.name for cell in table.cells if cell.form == "id"]
    name = draw(st.sampled_from(ids))
    length = draw(st.sampled_from((1, 1_000, 100_000, 1_000_000)))
    rows = draw(st.sampled_from((100_000, 1_000_000, 30_000_000)))
    rows = min(rows, 1_000_000) if length > 1 else rows
    return one_file(table, "parquet", _repeated(table, name, "a" * length, rows))
