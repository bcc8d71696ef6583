"""The fuzz sees it when ingest is broken on purpose."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from orchestration.landing import preparing, reading, source_folder, typed_file, zone

from . import __main__ as command
from . import oracle
from .case import Case, File, one_file
from .csv_cases import written
from .kinds import Name
from .running import run_case
from .tables import TABLES, good_row

_ORDERS = TABLES["order_lines"]
_WHOLE, _READING = Name("csv_texts", 1, 0, 0), Name("csv_texts", 1, 1, 0)


def orders(**changed: str) -> Case:
    """Four order lines; the second as ``changed`` says."""
    rows = [good_row(_ORDERS, number) for number in range(4)]
    rows[1] |= changed
    return one_file(_ORDERS, "csv", written(_ORDERS.names, rows).encode())


@pytest.fixture
def arena(tmp_path):
    return oracle.Arena(tmp_path)


@pytest.fixture(params=[_WHOLE, _READING], ids=["whole", "reading"])
def layer(request):
    return request.param


def test_the_cases_of_this_file_hold_while_nothing_is_broken(arena, layer):
    assert run_case(arena, layer, orders()).what == "taken"
    assert run_case(arena, layer, orders(units="0")).what == "apart"


def test_a_lost_row_is_seen(arena, layer, monkeypatch):
    def losing(connection, file):
        reading.read_rows(connection, file)
        connection.execute(f"delete from {reading.ROWS} where source_row = 3")

    monkeypatch.setattr(preparing, "read_rows", losing)
    monkeypatch.setattr(oracle, "read_rows", losing)
    with pytest.raises(oracle.Broken, match=r"were accepted, not|rows, 3 accepted"):
        run_case(arena, layer, orders())


def test_a_wrong_amount_is_seen(arena, layer, monkeypatch):
    def wrong(connection, file):
        reading.read_rows(connection, file)
        connection.execute(
            f"update {reading.ROWS} set revenue = revenue + 0.01 where source_row = 2"
        )

    monkeypatch.setattr(preparing, "read_rows", wrong)
    monkeypatch.setattr(oracle, "read_rows", wrong)
    with pytest.raises(oracle.Broken, match=r"row 2 is .*Decimal\('2.51'\)"):
        run_case(arena, layer, orders())


def test_an_error_that_is_no_refusal_is_seen(arena, layer, monkeypatch):
    def failing(*_arguments):
        raise ValueError("could not convert string to float: 'x'")

    monkeypatch.setattr(preparing, "read_rows", failing)
    monkeypatch.setattr(oracle, "read_rows", failing)
    with pytest.raises(oracle.Broken, match="ValueError: could not convert"):
        run_case(arena, layer, orders())


def test_a_good_row_that_is_kept_apart_and_a_bad_one_that_is_not_are_seen(
    arena, layer, monkeypatch
):
    monkeypatch.setitem(oracle.model._OF_TEXT, "id", lambda _cell, text: text)
    with pytest.raises(oracle.Broken, match="accepted"):
        run_case(arena, layer, orders(sku="a\tb"))


def test_a_good_file_that_is_refused_is_seen(arena, layer, monkeypatch):
    rows = [good_row(_ORDERS, number) | {"units": "0"} for number in range(3)]
    monkeypatch.setattr(oracle.model, "allowed_bad", lambda rows: rows)
    with pytest.raises(oracle.Broken, match="a good file was refused"):
        run_case(arena, layer, one_file(_ORDERS, "csv", written(_ORDERS.names, rows).encode()))


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("Binder Error: no function matches", "tells what the engine says"),
        ("line\nbreak", "control characters"),
        ("x" * 5_000, "characters long"),
    ],
)
def test_a_refusal_that_is_no_sentence_is_seen(arena, layer, monkeypatch, sentence, told):
    def refusing(*_arguments):
        raise preparing.BadInput(sentence)

    monkeypatch.setattr(preparing, "read_rows", refusing)
    monkeypatch.setattr(oracle, "read_rows", refusing)
    with pytest.raises(oracle.Broken, match=told):
        run_case(arena, layer, orders(units="0", revenue="x", sku=""))


def test_a_partial_delivery_is_seen(arena, monkeypatch):
    def leaving(landing, moves):
        put_in_place(landing, moves)
        raise preparing.BadInput("the delivery is refused too late")

    put_in_place = zone._put_in_place
    monkeypatch.setattr(zone, "_put_in_place", leaving)
    with pytest.raises(oracle.Broken, match="a refused delivery changed the landing zone"):
        run_case(arena, _WHOLE, orders())


def test_a_receipt_that_counts_wrongly_is_seen(arena, monkeypatch):
    counting = typed_file.count_typed

    def miscounting(connection, contract, typed):
        counts = counting(connection, contract, typed)
        return typed_file.TypedCounts(
            counts.rows - 1, counts.received_at_min, counts.received_at_max, counts.warned_rows
        )

    monkeypatch.setattr(preparing, "count_typed", miscounting)
    with pytest.raises(oracle.Broken, match="Corrupted"):
        run_case(arena, _WHOLE, orders())


def test_a_file_written_outside_the_landing_zone_is_seen(arena, monkeypatch):
    def straying(source, path):
        (source.parent / "escaped").write_text("x")
        return path

    monkeypatch.setattr(source_folder, "_inside", straying)
    with pytest.raises(oracle.Broken, match="outside the landing zone"):
        run_case(arena, _WHOLE, orders())


def test_a_link_that_is_followed_out_of_the_delivery_is_seen(arena, monkeypatch):
    """What the case asks is only that nothing outside lands."""
    case = Case((File("refunds.csv", "../outside/refunds.csv", "link"),))
    assert run_case(arena, _WHOLE, case).what == "refused"
    monkeypatch.setattr(source_folder, "_inside", lambda _source, path: path)
    with pytest.raises(oracle.Broken, match="a link out of the folder"):
        run_case(arena, _WHOLE, case)


def test_a_case_that_takes_too_long_ends_the_run():
    program = (
        "import threading\n"
        "from tests.fuzz.running import watched\n"
        "with watched(0.1) as tell:\n"
        "    tell('csv_texts:1:0:7')\n"
        "    threading.Event().wait(60)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.strip().startswith("csv_texts:1:0:7: ")


def test_the_command_prints_the_counts_and_fails_when_something_broke(
    tmp_path, monkeypatch, capsys
):
    asked = ["--cases", "100", "--kind", "csv_encoding", "--json", str(tmp_path / "counts.json")]
    assert command.main(asked) == 0
    counted = json.loads((tmp_path / "counts.json").read_text())
    assert counted["cases"] == sum(each["cases"] for each in counted["outcomes"])
    assert f"{counted['cases']:,} cases in" in capsys.readouterr().out
    monkeypatch.setattr(oracle, "_LONGEST_SENTENCE", 10)
    assert command.main(["--case", "csv_encoding:1:0:0"]) == 1
    assert "broken: a sentence is" in capsys.readouterr().out
