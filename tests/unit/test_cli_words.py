"""What the command line prints is read by a terminal: received text must not steer it."""

from __future__ import annotations

import pytest
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.cli.words import console

HOSTILE = "shop\x1b[31m\x1b]0;title\x07\x9b2J\u202e"


def test_control_codes_in_received_text_are_shown_and_not_obeyed(capsys):
    table = Table("seller", title=HOSTILE)
    table.add_row(Text(HOSTILE, style="bold"))
    console().print(HOSTILE, markup=False)
    console().print(table)
    printed = capsys.readouterr().out
    assert printed.startswith("shop\\x1b[31m")
    assert printed.replace("\n", "").isprintable()


def test_lines_and_colours_of_our_own_are_kept(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    console().print(Text("two\nlines", style="bold"))
    assert capsys.readouterr().out == "\x1b[1mtwo\x1b[0m\n\x1b[1mlines\x1b[0m\n"


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_sql_shows_what_a_seller_wrote_as_text(tmp_path, words):
    query = "select 'shop' || chr(27) || '[31m' as seller"
    done = CliRunner().invoke(app, ["sql", query, *words, "--data", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.stdout
    assert "[31m" in done.stdout
