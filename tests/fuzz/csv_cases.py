"""CSV deliveries: hostile cells, columns, structure, encodings and sizes, mutated good files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from . import hostile
from .case import Case, one_file
from .tables import TABLES, Table, good_row

tables = st.sampled_from(sorted(TABLES.values(), key=lambda table: table.name))
_FORMS = {
    "csv_texts": (("id",), hostile.texts),
    "csv_numbers": (("whole", "decimal"), hostile.numbers),
    "csv_times": (("instant", "day", "quarter"), hostile.times),
    "csv_anything": (
        ("id", "whole", "decimal", "instant", "day", "quarter", "flag", "account", "currency"),
        hostile.anything,
    ),
}
Row = dict[str, str]


def cell(text: str, *, always: bool = False) -> str:
    """A cell as RFC 4180 writes it."""
    needs = always or any(each in text for each in ',"\r\n') or text == ""
    return '"' + text.replace('"', '""') + '"' if needs else text


def written(
    columns: Sequence[str], rows: Sequence[Row], *, end: str = "\n", always: bool = False
) -> str:
    """A regular CSV of these columns."""
    lines = [",".join(cell(name) for name in columns)]
    lines += [",".join(cell(row.get(name, ""), always=always) for name in columns) for row in rows]
    return end.join(lines) + end


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@st.composite
def cells(draw: Any, kind: str) -> Case:
    """Good rows with hostile values in a few cells of some forms."""
    forms, values = _FORMS[kind]
    able = [table for table in TABLES.values() if any(each.form in forms for each in table.cells)]
    table = draw(st.sampled_from(able))
    rows = [good_row(table, number) for number in range(draw(st.integers(2, 6)))]
    names = [each.name for each in table.cells if each.form in forms]
    columns = list(table.names)
    if kind != "csv_texts" and draw(st.integers(0, 5)) == 0:
        columns.append("received_at")
        names.append("received_at")
        for row in rows:
            row["received_at"] = "2026-07-05T00:00:00Z"
    for _ in range(draw(st.integers(1, 3))):
        rows[draw(st.integers(0, len(rows) - 1))][draw(st.sampled_from(names))] = draw(values)
    end = draw(st.sampled_from(("\n", "\n", "\r\n")))
    text = written(columns, rows, end=end, always=draw(st.booleans()))
    return one_file(
        table,
        "csv",
        _encoded(text),
        historical=draw(st.booleans()),
        strict=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def columns(draw: Any) -> Case:
    """Columns missing, twice, unknown, in another order, or that only look like the right ones."""
    table = draw(tables)
    names = draw(st.permutations(table.names))
    place = draw(st.integers(0, len(names) - 1))
    name = names[place]
    look_alike = (
        name.replace("e", "е"), name.upper(), f" {name}", f"{name} ", f"{name}\u200b", f'"{name}"',
        f"\ufeff{name}", name.replace("_", "-"), name.title(), f"{name}\n", "", "source_row",
        "received_at", f"raw_{name}", f"unfit_{name}", "file_row_number", "rowid",
    )  # fmt: skip
    change = draw(
        st.sampled_from(("none", "gone", "twice", "unknown", "alike", "received", "many"))
    )
    if change == "gone":
        names.pop(place)
    elif change == "twice":
        names.insert(draw(st.integers(0, len(names))), name)
    elif change == "unknown":
        names.insert(place, draw(hostile.texts))
    elif change == "alike":
        names[place] = draw(st.sampled_from(look_alike))
    elif change == "received":
        names.insert(place, "received_at")
    elif change == "many":
        names += [f"c{number}" for number in range(draw(st.integers(1, 300)))]
    rows = [
        {
            **dict.fromkeys(names, "x"),
            **good_row(table, number),
            "received_at": "2026-07-05 00:00:00",
        }
        for number in range(draw(st.integers(1, 4)))
    ]
    return one_file(table, "csv", _encoded(written(names, rows)))


_STRUCTURES: tuple[tuple[bytes, bytes], ...] = (
    (b"\n", b"\r"), (b"\n", b"\r\n"), (b"\n", b"\n\n"), (b"\n", b"\n\r"), (b"\n", b" \n"),
    (b"\n", b"\n \n"), (b"\n", b"\n,\n"), (b"\n", b'\n""\n'), (b"\n", b"\r\r\n"), (b"\n", b""),
    (b"\n", b"\x0b"), (b"\n", b"\x0c\n"), (b"\n", b"\xc2\x85"), (b"\n", b"\xe2\x80\xa8"),
    (b",", b";"), (b",", b"\t"), (b",", b"|"), (b",", b", "), (b",", b",,"), (b",", b""), (b",",
    b'","'),
    (b",", b"\\,"), (b"US", b'"US'), (b"US", b'US"'), (b"US", b'U"S'), (b"US", b'"U"S"'),
    (b"US", b'"US" '), (b"US", b' "US"'), (b"US", b"'US'"), (b"US", b'"U\nS"'), (b"US",
    b'"U\r\nS"'),
    (b"US", b'"U\rS"'), (b"US", b"U\\\"S"), (b"US", b'"U""S"'), (b"US", b'""US""'), (b"US",
    b"# US"),
    (b"US", b'"US"\x00'), (b"US", b'"""US"""'), (b"US", b'"US,'), (b"US", b"\\"),
)  # fmt: skip


@st.composite
def structure(draw: Any) -> Case:
    """Quotes, separators and line ends that are not as they should be, once or throughout."""
    table = draw(tables)
    rows = [good_row(table, number) for number in range(draw(st.integers(0, 5)))]
    content = written(table.names, rows).encode()
    for _ in range(draw(st.integers(1, 2))):
        old, new = draw(st.sampled_from(_STRUCTURES))
        places = content.count(old)
        if draw(st.integers(0, 3)) == 0:
            content = content.replace(old, new)
        elif places:
            parts = content.split(old)
            place = draw(st.integers(1, places))
            content = old.join(parts[:place]) + new + old.join(parts[place:])
    ending = draw(st.sampled_from((b"", b"", b"\n", b"\r", b'"', b",", b"\x1a", b" ", b"\n\n\n")))
    if draw(st.booleans()):
        content = content.rstrip(b"\n")
    return one_file(table, "csv", content + ending, strict=draw(st.integers(0, 9)) == 0)


_MARKS = (
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf\xef\xbb\xbf",
    b"+/v8",
    b"\x00",
    b"",
)
_BYTES = (
    b"\xff", b"\xc0\xaf", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xc3\x28", b"\xef\xbf\xbe", b"\xf0\x9f\xa7\xa2", b"caf\xe9", b"\x00", b"\x1a", b"\x8e",
    b"\xef\xbb\xbf",
)  # fmt: skip


@st.composite
def encoding(draw: Any) -> Case:
    """Other encodings, byte order marks and byte sequences that are no UTF-8."""
    table = draw(tables)
    rows = [good_row(table, number) for number in range(draw(st.integers(0, 4)))]
    if rows and draw(st.booleans()):
        rows[-1][table.names[0]] = draw(st.sampled_from(("é", "Größe", "日本", "naïve €", "ﬁ")))
    text = written(table.names, rows)
    how = draw(st.sampled_from(("utf-8", "utf-8", "utf-16", "utf-16-le", "utf-32", "latin-1",
    "cp1252",
                                "utf-7", "shift_jis", "cp037", "gb18030")))  # fmt: skip
    content = text.encode(how, "replace")
    if draw(st.booleans()):
        place = draw(st.integers(0, len(content)))
        content = content[:place] + draw(st.sampled_from(_BYTES)) + content[place:]
    return one_file(table, "csv", draw(st.sampled_from(_MARKS)) + content)


def _wide(table: Table, count: int, text: str) -> Callable[[], bytes]:
    return lambda: (
        ",".join([*table.names, *[text] * count]) + "\n" + "x," * count + "x\n"
    ).encode()


def _long(table: Table, name: str, text: str, count: int, rows: int) -> Callable[[], bytes]:
    made = [good_row(table, number) for number in range(rows)]
    made[0] |= {name: text * count}
    return lambda: _encoded(written(table.names, made))


@st.composite
def huge(draw: Any) -> Case:
    """Cells of megabytes, up to a million columns, long names, very many blank lines or commas."""
    table = draw(tables)
    what = draw(st.sampled_from(("cell", "cell", "columns", "name", "blank", "commas", "quotes")))
    count = draw(st.sampled_from((1_000, 100_000, 131_072, 131_073, 200_000, 1_000_000, 2_200_000)))
    if what == "cell":
        name, text = (
            draw(st.sampled_from(table.names)),
            draw(st.sampled_from(("a", "9", "é", '"', "\n", "="))),
        )
        return one_file(table, "csv", _long(table, name, text, count, draw(st.integers(1, 4))))
    if what == "columns":
        text = draw(st.sampled_from(("x", "sku", "c;", "", table.names[0])))
        return one_file(table, "csv", _wide(table, min(count, 1_000_000), text))
    if what == "name":
        names = [*table.names, draw(st.sampled_from(("n", "\n", "é", "\x1b"))) * count]
        return one_file(table, "csv", lambda: written(names, [good_row(table, 1)]).encode())
    good = written(table.names, [good_row(table, number) for number in range(3)]).encode()
    more = {"blank": b"\n", "commas": b",", "quotes": b'"'}[what]
    return one_file(table, "csv", lambda: good + more * count)


@st.composite
def mutated(draw: Any) -> Case:
    """A good file after flips, cuts, doublings and splices of its bytes."""
    table = draw(tables)
    rows = [good_row(table, number) for number in range(draw(st.integers(1, 6)))]
    content = bytearray(written(table.names, rows).encode())
    other = written(draw(tables).names, rows[:1]).encode()
    return one_file(table, "csv", changed(draw, content, other))


def changed(draw: Any, content: bytearray, other: bytes) -> bytes:
    """Bytes after a few random changes."""
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, max(0, len(content) - 1)))
        end = min(len(content), begin + draw(st.integers(1, 24)))
        how = draw(
            st.sampled_from(
                ("set", "set", "flip", "cut", "end", "double", "swap", "splice", "zero")
            )
        )
        if how == "set":
            content[begin : begin + 1] = bytes(
                [draw(st.sampled_from((*b'",\n\r;\t -+0aZ\\=', 0, 127, 255)))]
            )
        elif how == "flip" and content:
            content[begin] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del content[begin:end]
        elif how == "end":
            del content[max(begin, len(content) // 2) :]
        elif how == "double":
            content[end:end] = content[begin:end]
        elif how == "swap":
            content[begin:end] = content[begin:end][::-1]
        elif how == "zero":
            content[begin:end] = bytes(end - begin)
        else:
            cut = draw(st.integers(0, len(other)))
            content[begin:end] = other[cut : cut + 40]
    return bytes(content)
