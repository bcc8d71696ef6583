"""``fbacap calendar``: dates, states, what is waited for, and the iCalendar file."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.errors import BadUsage
from orchestration.schedule.ics import _folded


def shown(tmp_path, *words: str, columns: str = "80"):
    command = ["calendar", *words, "--data", str(tmp_path)]
    done = CliRunner().invoke(app, command, env={"COLUMNS": columns, "DAGSTER_HOME": None})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_without_a_quarter_the_current_and_the_next_are_shown(tmp_path):
    view = json.loads(shown(tmp_path, "--as-of", "2026-11-22", "--json"))
    assert [entry["quarter"] for entry in view["quarters"]] == ["2026Q4", "2027Q1"]
    assert view["next"]["stage"] == "round-1"
    assert view["next"]["cut_off"] == "2026-12-04T00:00:00+00:00"


def test_what_is_waited_for_is_told_whole_at_80_columns(tmp_path):
    text = shown(tmp_path, "2026Q4", "--as-of", "2026-08-25")
    assert "…" not in text
    table = [line for line in text.splitlines() if line.startswith(("│", "┃"))]
    assert all(len(line) <= 80 for line in table)
    cells = " ".join(line.split("│")[4].strip() for line in table if line.startswith("│"))
    assert "no network_capacity of 2026Q4 has been received" in cells
    assert "order_lines have been received (goes on without from 2026-08-30)" in cells


def test_sellers_read_until_when_requests_count_and_from_when_space_is_in_force(tmp_path):
    text = shown(tmp_path, "2026Q4", "--as-of", "2026-08-01")
    assert (
        "sellers, round 3: requests received before 2026-10-15 00:00 UTC; "
        "space from 2026-10-16 to 2026-12-31"
    ) in text


def test_the_icalendar_file_is_the_same_to_the_byte_and_as_the_standard_wants_it(tmp_path):
    for name, day in (("a.ics", "2026-08-01"), ("b.ics", "2027-08-01")):
        shown(tmp_path, "2026Q4", "--as-of", day, "--ics", str(tmp_path / name))
    content = (tmp_path / "a.ics").read_bytes()
    assert content == (tmp_path / "b.ics").read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n")
    lines = content.split(b"\r\n")
    assert (lines[0], lines[-2:]) == (b"BEGIN:VCALENDAR", [b"END:VCALENDAR", b""])
    assert all(len(line) <= 75 for line in lines)
    unfolded = content.replace(b"\r\n ", b"").decode().split("\r\n")
    assert unfolded.count("BEGIN:VEVENT") == unfolded.count("END:VEVENT") == 8
    for required in ("UID:", "DTSTAMP:", "DTSTART:"):
        assert len({line for line in unfolded if line.startswith(required)}) in (1, 8)
    assert "SUMMARY:2026Q4 round 3 closes" in unfolded
    assert "DTSTART:20261015T000000Z" in unfolded


def test_a_long_line_is_folded_between_characters_and_not_within_one():
    line = "é" * 100
    pieces = _folded(line).split("\r\n")
    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert all(piece.startswith(" ") for piece in pieces[1:])
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line


@pytest.mark.parametrize("words", [["2026Q5"], ["2026Q4", "--as-of", "soon"]])
def test_wrong_words_are_refused(tmp_path, words):
    done = CliRunner().invoke(app, ["calendar", *words, "--data", str(tmp_path)])
    assert done.exit_code != 0


def test_an_icalendar_file_in_a_folder_that_does_not_exist_is_wrong_usage(tmp_path):
    target = str(tmp_path / "missing" / "q4.ics")
    command = ["calendar", "2026Q4", "--ics", target, "--data", str(tmp_path)]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, BadUsage)
    assert done.exception.exit_code == 2
    assert "name a file in a folder that exists" in str(done.exception)
