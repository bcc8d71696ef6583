"""CSV for other programs: no cell is a formula in whatever spreadsheet opens it."""

from __future__ import annotations

import csv
import io

import pytest

from orchestration.export import csv_text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", " \n\t", "\u00a0"])
def test_text_that_a_spreadsheet_would_run_is_text(before, start):
    text = f"{before}{start}cmd|' /c calc'!A1"
    header, row = csv.reader(io.StringIO(csv_text([text], [[text]]), newline=""))
    assert header == row == [f"'{text}"]


def test_numbers_keep_their_sign_and_other_text_is_left_alone():
    cells = [-5, "a=b", "shop-1", "", None, "'quoted"]
    assert csv_text(["a"], [cells]).splitlines()[1] == "-5,a=b,shop-1,,,'quoted"
