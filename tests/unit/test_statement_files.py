"""Statement files: names that stay in their folder, formats by name."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_examples import STATEMENT, hostile
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.errors import BadUsage
from orchestration.statements.writing import file_name, format_of, write_statement

ids = st.text(max_size=300)


@given(ids, ids)
def test_whatever_the_ids_a_file_name_is_short_plain_and_in_its_folder(marketplace, seller):
    name = file_name(marketplace, seller, "html")
    assert re.fullmatch(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[0-9a-f]{12}\.html", name)
    assert len(name) < 160
    assert Path("folder", name).resolve().parent == Path("folder").resolve()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("US", "shop"), ("US", "SHOP")),
        (("US", "a/b"), ("US", "a_b")),
        (("U", "Sx"), ("US", "x")),
        (("US", "a" * 200), ("US", "a" * 201)),
    ],
)
def test_two_sellers_never_share_a_file_even_where_case_is_ignored(one, other):
    assert file_name(*one, "html").lower() != file_name(*other, "html").lower()


def test_a_file_that_is_neither_html_nor_csv_is_refused():
    with pytest.raises(BadUsage, match=r"statement\.pdf is neither \.html nor \.csv"):
        format_of(Path("statement.pdf"))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadUsage, match="nowhere is not a folder; make it"):
        write_statement(STATEMENT, tmp_path / "nowhere" / "statement.html")


@pytest.mark.parametrize("name", ["statement.html", "statement.CSV"])
def test_writing_twice_writes_the_same_bytes(tmp_path, name):
    write_statement(hostile("é\n=1"), tmp_path / name)
    first = (tmp_path / name).read_bytes()
    write_statement(hostile("é\n=1"), tmp_path / name)
    assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["seller", "--out", "a.html"], "give a seller and a quarter"),
        (["--all", "seller", "2018Q1", "--out", "a"], "give a seller and a quarter"),
        (["--all", "2018Q1", "--marketplace", "US", "--out", "a"], "--all or --marketplace"),
        (["--all", "2018Q1", "--format", "pdf", "--out", "a"], "'pdf' is not a format"),
        (["seller", "2018Q1", "--format", "csv", "--out", "a.html"], "--format goes with --all"),
        (["seller", "2018Q1", "--out", "a.pdf"], "a.pdf is neither .html nor .csv"),
    ],
)
def test_words_that_do_not_go_together_are_refused(words, sentence):
    done = CliRunner().invoke(app, ["statement", *words])
    assert isinstance(done.exception, BadUsage)
    assert sentence in str(done.exception)
