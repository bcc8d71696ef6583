from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fbacap_logic.frames import (
    codes_of,
    empty_table,
    flags,
    instants,
    integers,
    require_unique,
    texts,
)


@pytest.mark.parametrize(
    ("column", "row", "fault"),
    [
        (pd.Series([1.0, 2.5]), 0, "holds float64"),
        (pd.Series([1, None], dtype="Int64"), 1, "is null"),
        (pd.Series([1, -2]), 1, "is -2"),
        (pd.Series([1, 2**63], dtype="uint64"), 1, "passes 2\\^63"),
        (pd.Series([1, 2**64], dtype=object), 1, "holds object"),
        (pd.Series([1, 1.5], dtype=object), 1, "holds object"),
        (pd.Series([True, False]), 0, "holds bool"),
        (pd.Series(["1", "2"]), 0, "holds object"),
    ],
)
def test_a_bad_integer_column_is_refused_by_table_column_and_first_row(column, row, fault):
    frame = pd.DataFrame({"fee_minor": column})
    with pytest.raises(ValueError, match=f"grants: column 'fee_minor', row {row}: .*{fault}"):
        integers(frame, "fee_minor", "grants")


@pytest.mark.parametrize("kind", ["int64", "Int64", "int32", "uint64", "UInt32"])
def test_every_integer_type_is_taken(kind):
    frame = pd.DataFrame({"fee_minor": pd.Series([1, 2], dtype=kind)})
    values = integers(frame, "fee_minor", "grants")
    assert values.dtype == np.int64
    assert values.tolist() == [1, 2]


def test_a_missing_column_is_refused_by_name():
    for read in (integers, texts, instants, flags):
        with pytest.raises(ValueError, match="grants: column 'missing' is missing"):
            read(pd.DataFrame({"other": [1]}), "missing", "grants")


def test_text_times_and_flags_are_refused_by_first_row():
    frame = pd.DataFrame(
        {
            "name": ["a", None],
            "at": pd.to_datetime(["2026-01-01", None]),
            "flag": pd.array([True, None], dtype="boolean"),
            "text": ["2026-01-01", "2026-01-02"],
        }
    )
    with pytest.raises(ValueError, match="column 'name', row 1"):
        texts(frame, "name", "grants")
    with pytest.raises(ValueError, match="column 'at', row 1"):
        instants(frame, "at", "grants")
    with pytest.raises(ValueError, match="column 'flag', row 1"):
        flags(frame, "flag", "grants")
    with pytest.raises(ValueError, match="column 'text', row 0"):
        instants(frame, "text", "grants")
    with pytest.raises(ValueError, match="column 'text', row 0"):
        flags(frame, "text", "grants")


def test_aware_times_become_naive_utc():
    aware = pd.Series(pd.to_datetime(["2026-01-01 02:00+02:00"]))
    read = instants(pd.DataFrame({"at": aware}), "at", "grants")
    assert read[0] == np.datetime64("2026-01-01T00:00")


def test_keys_are_numbered_in_the_order_of_their_bytes():
    column = np.array(["é", "z", "Z", "a"], dtype=object)
    assert codes_of(column)[0].tolist() == [3, 2, 0, 1]


def test_a_repeated_key_is_refused_by_its_second_row():
    frame = pd.DataFrame({"request_id": ["a", "b", "a"]})
    with pytest.raises(ValueError, match="book: row 2 repeats the key request_id 'a'"):
        require_unique(frame, ["request_id"], "book")


def test_an_empty_table_is_typed_by_the_names_of_its_columns():
    types = empty_table(["storage_type", "repriced_in_round", "priority_at", "supply_milli_ft3"])
    assert types.dtypes.astype(str).tolist() == ["object", "Int64", "datetime64[us]", "int64"]
