"""Delivered folders: names, links, pipes, notes, several files of one table."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from . import hostile
from .case import Case, File
from .csv_cases import tables, written
from .parquet_cases import good_columns, parquet
from .tables import TABLES, good_row

OUTSIDE = "../outside"  # beside the delivered folder; ``oracle`` puts good files there


def _good(name: str, first: int, rows: int = 2) -> bytes:
    table = TABLES[name]
    return written(
        table.names, [good_row(table, number) for number in range(first, first + rows)]
    ).encode()


_suffix = st.sampled_from(
    (".csv", ".csv", ".CSV", ".parquet", ".txt", "", ".csv.gz", ".csv ", "\n.csv")
)


@st.composite
def names(draw: Any) -> Case:
    """Files and folders with hostile names beside, in place of or inside those of tables."""
    table = draw(tables).name
    files = [File(f"{table}.csv", _good(table, 0))] if draw(st.booleans()) else []
    for number in range(draw(st.integers(1, 3))):
        name = draw(hostile.names)
        if draw(st.integers(0, 7)) == 0:
            name += "\udcff"
        suffix = draw(_suffix)
        where = draw(st.sampled_from(("beside", "inside", "inside", "folder", "deep", "hidden")))
        path = {
            "beside": f"{name}{suffix}",
            "inside": f"{table}/{name}{suffix}",
            "folder": f"{name}/{table}{suffix}",
            "deep": f"{table}/{name}/{table}{suffix}",
            "hidden": f"_{name}{suffix}",
        }[where]
        files.append(File(path, _good(table, 10 * number + 10)))
    return Case(tuple(files))


@st.composite
def links(draw: Any) -> Case:
    """Links inside and out of the folder, loops, pipes, folders named like files."""
    table, other = draw(tables).name, draw(tables).name
    files = [File(f"{other}.csv", _good(other, 0))] if draw(st.booleans()) else []
    path = draw(
        st.sampled_from(
            (
                f"{table}.csv",
                f"{table}.parquet",
                f"{table}/part.csv",
                f"{table}/below",
                table,
                "_delivery.json",
            )
        )
    )
    target = draw(
        st.sampled_from(
            (
                f"{OUTSIDE}/{table}.csv", f"{OUTSIDE}/{table}", OUTSIDE, "/etc/passwd",
                "/dev/zero", "/dev/null",
                "/dev/stdin", "/proc/self/mem", "/etc", "/", ".", "..", path, "nowhere",
                f"{other}.csv",
                f"../{OUTSIDE}/{table}.csv", "/proc/self/environ", "a" * 300,
            )
        )
    )  # fmt: skip
    what = draw(st.sampled_from(("link", "link", "pipe", "folder")))
    files.append(File(path, target, what))
    return Case(tuple(files))


_notes = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        (
            b"", b"{", b"[]", b"null", b"NaN", b'{"simulated": {}}', b"\xff\xfe{\x00}\x00",
            b"[" * 100_000,
            b'{"simulated": {"refunds": "x"}, "a": ' + b"[" * 2_000 + b"]" * 2_000 + b"}",
            b'{"simulated": {"refunds": "\\ud800"}}', b'{"simulated": {"\\ud800": "x"}}',
            b'{"simulated": {}, "x": "\\udfff"}', b'{"simulated": {}, "x": NaN, "y": 1e999}',
            b'{"simulated": {"../../x": "x"}}', b'{"simulated": {"refunds": "<script>"}}',
            b'{"simulated": {"refunds": "a\\u0000\\u001b[31m\\n"}}', b"1" * 5_000,
            b'{"simulated": {}, "x": ' + b"9" * 5_000 + b"}", b'{"simulated": {"refunds": 1}}',
            b'{"simulated": {"refunds": "' + b"x" * 3_000_000 + b'"}}',
            b'\xef\xbb\xbf{"simulated": {}}',
            b'{"simulated": {}, "simulated": {"refunds": "twice"}}', b'{"simulated": null}',
        )
    ),
    st.dictionaries(
        st.sampled_from((*TABLES, "x")), st.one_of(hostile.texts, st.integers(), st.none()),
        max_size=3
    ).map(lambda how: json.dumps({"simulated": how}).encode()),
    st.recursive(
        st.one_of(st.none(), st.floats(), hostile.texts, st.integers()),
        lambda inner: st.one_of(st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner)),
        max_leaves=5,
    ).map(lambda rest: json.dumps({"simulated": {}, "rest": rest}).encode()),
)  # fmt: skip


@st.composite
def notes(draw: Any) -> Case:
    """A good table with a ``_delivery.json`` that is no note, or a strange one."""
    return Case((File("refunds.csv", _good("refunds", 0)), File("_delivery.json", draw(_notes))))


@st.composite
def several(draw: Any) -> Case:
    """Several files of a few tables: keys that come again, the same bytes twice, one file bad."""
    files = []
    for table in draw(st.lists(tables, min_size=1, max_size=3, unique_by=lambda each: each.name)):
        for number in range(draw(st.integers(1, 3))):
            first, rows = draw(st.integers(0, 4)), draw(st.integers(0, 5))
            if draw(st.integers(0, 3)) == 0:
                content, suffix = parquet(good_columns(table, max(1, rows))), "parquet"
            else:
                made = [good_row(table, each) for each in range(first, first + rows)]
                if made and draw(st.integers(0, 2)) == 0:
                    names = st.sampled_from(table.names)
                    draw(st.sampled_from(made))[draw(names)] = draw(hostile.anything)
                text = written(table.names, made)
                content, suffix = text.encode("utf-8", "surrogatepass"), "csv"
            if draw(st.integers(0, 9)) == 0:
                content = content[: draw(st.integers(0, len(content)))]
            files.append(File(f"{table.name}/{number}.{suffix}", content))
    return Case(tuple(files), historical=draw(st.booleans()), strict=draw(st.integers(0, 9)) == 0)
