"""``fbacap ingest`` and ``fbacap quarantine`` as an operator uses them."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
from ingest_examples import GOOD, deliver, order_row, orders
from typer.testing import CliRunner

from orchestration import cli
from orchestration.cli import app
from orchestration.contracts import load_contract
from orchestration.landing import preparing

ESCAPE = "\x1b]0;owned\x07\u202e"

# Every kind of fault that a row can have: a table, the bad row, its rule and the sentence.
FAULTS = [
    (
        *("order_lines", order_row("b1", units="1.0"), "units_fits_its_type"),
        "order_lines.csv, line 4, column units: '1.0' is not a whole number",
    ),
    (
        *("order_lines", order_row("b1", revenue="1.005"), "revenue_fits_its_type"),
        "order_lines.csv, line 4, column revenue: '1.005' has more than 2 decimal places",
    ),
    (
        *("order_lines", order_row("b1", sku=""), "sku_is_present"),
        "order_lines.csv, line 4, column sku: the value is missing",
    ),
    (
        *("order_lines", order_row("b1", units="0"), "units_minimum"),
        "order_lines.csv, line 4, units is '0': units is at least 1",
    ),
    (
        *("order_lines", order_row("o1"), "key_is_unique"),
        ("order_lines.csv, line 4: order_line_id 'o1' stands already in order_lines.csv, line 2"),
    ),
    (
        *("sellers", "US,s2,Pro,2024-03-05\n", "account_type_is_known"),
        (
            "sellers.csv, line 3, account_type is 'Pro': The account is individual or "
            "professional (rules §2.5)"
        ),
    ),
    (
        *("network_capacity", "DE,standard,2026Q4,99,100\n", None),
        (
            "network_capacity.csv, line 3, network_ft3 is '99.000' and request_ft3 is '100.000': "
            "The space kept for requests is part of the network's (rules §2.6)"
        ),
    ),
    (
        *("round_supply", "US,standard,2026-11-01,1,40\n", "quarter_is_a_first_day"),
        (
            "round_supply.csv, line 3, quarter is '2026-11-01': quarter is the first day of a "
            "quarter, as 2026-10-01"
        ),
    ),
    (
        *("marketplaces", "XX,usd\n", "currency_fits_its_type"),
        (
            "marketplaces.csv, line 3, column currency: 'usd' is not the ISO 4217 code, in "
            "capitals, of a currency with a minor unit"
        ),
    ),
]


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def run_json(*words):
    return json.loads(run(*words, "--json").stdout)


def fails(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["fbacap", *(str(word) for word in words)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code, capsys.readouterr().err.strip()


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def waiting(tmp_path, data):
    """A data folder where a row of no units waits, and one with what a terminal would obey."""
    rows = [order_row(f"o{n}") for n in range(4)]
    bad = [order_row("n", units="0"), order_row("e", units=ESCAPE, sku="=cmd|' /C calc'!A0")]
    source = deliver(tmp_path / "in", order_lines=orders(*rows, *bad))
    assert run("ingest", source, "--data", data).exit_code == 0
    return data


@pytest.fixture
def loosened(waiting, monkeypatch):
    """The contract edited so that lines may have no units."""
    contract = load_contract("order_lines")
    rules = tuple(each for each in contract.rules if each.name != "units_minimum")
    loose = replace(contract, rules=rules)
    monkeypatch.setattr(preparing, "load_contract", lambda _table: loose)


@pytest.mark.parametrize(("table", "bad", "rule", "sentence"), FAULTS)
def test_every_kind_of_row_fault_is_kept_apart_and_listed(
    tmp_path, data, monkeypatch, capsys, table, bad, rule, sentence
):
    source = deliver(tmp_path / "in", **{table: GOOD[table] + bad})
    code, said = fails(monkeypatch, capsys, "ingest", source, "--strict", "--data", data)
    assert code == 3
    assert said.startswith(f"fbacap: {sentence}; ")
    taken = run_json("ingest", source, "--data", data)
    good = GOOD[table].count("\n") - 1
    counts = [taken[f"{name}_rows"] for name in ("received", "accepted", "quarantined")]
    assert counts == [good + 1, good, 1]
    listed = run_json("quarantine", "list", "--data", data)
    (row,) = listed["rows"]
    assert (row["id"], row["sentence"], row["state"]) == (f"1-{table}-1", sentence, "open")
    assert rule in (None, row["rule"])
    assert ",".join(cell or "" for cell in row["cells"].values()) == bad.rstrip("\n")
    (account,) = listed["accounts"]
    assert account["received_rows"] == (
        account["accepted_rows"] + account["superseded_rows"] + account["quarantined_rows"]
    )


def test_ingest_says_how_many_rows_were_kept_apart_and_where_to_see_them(tmp_path, data):
    source = deliver(tmp_path / "in", order_lines=orders(order_row("a"), order_row("a")))
    shown = " ".join(run("ingest", source, "--data", data).stdout.split())
    assert "1 row breaks its contract and no run will see it" in shown
    assert "fbacap quarantine list --delivery 1" in shown


def test_the_list_shows_where_every_row_went_and_can_be_narrowed(tmp_path, waiting):
    restated = deliver(tmp_path / "more", order_lines=orders(order_row("o1", units="5")))
    run("ingest", restated, "--data", waiting)
    shown = run("quarantine", "list", "--data", waiting).stdout
    figures = next(line.split() for line in shown.splitlines() if "order_lines " in line)
    assert figures == ["order_lines", "7", "4", "1", "2", "2"]
    assert "1-order_lines-1  units_minimum" in shown
    for option, value, count in (("table", "refunds", 0), ("delivery", 2, 0), ("delivery", 1, 2)):
        listed = run_json("quarantine", "list", f"--{option}", value, "--data", waiting)
        assert len(listed["rows"]) == count


def test_nothing_that_a_seller_wrote_reaches_the_terminal_raw(waiting):
    for words in (["list"], ["show", "1-order_lines-2"]):
        assert run("quarantine", *words, "--json", "--data", waiting).stdout.isascii()
        shown = run("quarantine", *words, "--data", waiting).stdout
        assert "\\x1b]0;owned\\x07\\u202e" in shown
        assert all(text.isprintable() for text in shown.splitlines())
    assert "\"=cmd|' /C calc'!A0\"" in run("quarantine", "show", "1-order_lines-2", "--data",
                                           waiting).stdout  # fmt: skip


def test_a_row_is_shown_with_its_cells_rule_sentence_file_and_line(waiting):
    row = run_json("quarantine", "show", "1-order_lines-1", "--data", waiting)
    assert row["cells"]["units"] == "0"
    assert (row["rule"], row["source_row"], row["source_line"]) == ("units_minimum", 5, 6)
    assert (row["file"], row["delivery"], row["table"]) == ("order_lines.csv", 1, "order_lines")
    shown = run("quarantine", "show", "1-order_lines-1", "--data", waiting).stdout
    assert "what is wrong: order_lines.csv, line 6, units is '0': units is at least 1" in shown
    assert "state: open" in shown


def test_rows_that_pass_now_are_released_and_the_others_say_why_not(waiting, loosened):
    done = run_json("quarantine", "release", "--all", "--table", "order_lines", "--data", waiting)
    assert (done["delivery"], done["released"]) == (2, ["1-order_lines-1"])
    assert [kept["id"] for kept in done["kept"]] == ["1-order_lines-2"]
    shown = run("quarantine", "release", "1-order_lines-2", "--data", waiting).stdout
    assert "1-order_lines-2 stays in quarantine: column units: '\\x1b]0;owned" in shown
    listed = run_json("quarantine", "list", "--closed", "--data", waiting)
    assert [row["state"] for row in listed["rows"]] == ["released", "open"]


def test_a_row_is_dismissed_with_a_reason(waiting):
    said = run("quarantine", "dismiss", "1-order_lines-2", "--reason", "spam", "--data", waiting)
    assert said.stdout == "1 dismissed with receipt 2: 1-order_lines-2\n"
    shown = run("quarantine", "list", "--closed", "--data", waiting).stdout
    assert "[dismissed with receipt 2: spam]" in shown
    assert "1-order_lines-2" not in run("quarantine", "list", "--data", waiting).stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["release"], "name the rows by id, or give --all and --table"),
        (["release", "1-order_lines-1", "--all"], "--all is of one table: give --table, and no"),
        (["release", "--all", "--table", "refunds"], "no row of refunds waits in quarantine"),
        (["release", "--all", "--table", "orders"], "'orders' is no input table (tables: "),
        (["release", "9-refunds-1"], "no row 9-refunds-1 was kept apart"),
        (["show", "x"], "'x' is no row's id"),
        (["list", "--table", "orders"], "'orders' is no input table (tables: "),
        (["dismiss", "1-order_lines-1", "--reason", " "], "say it with --reason"),
    ],
)
def test_wrong_words_get_one_sentence_and_exit_code_2(
    waiting, monkeypatch, capsys, words, sentence
):
    code, said = fails(monkeypatch, capsys, "quarantine", *words, "--data", waiting)
    assert code == 2
    assert sentence in said


def test_an_empty_zone_has_an_empty_quarantine(tmp_path):
    assert "nothing has landed yet" in run("quarantine", "list", "--data", tmp_path).stdout
