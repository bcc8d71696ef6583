"""Every line of the threat model names a test that is there, or says why it is not stopped."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from orchestration.paths import PROJECT

PAGE = (PROJECT / "docs" / "threat-model.md").read_text(encoding="utf-8")
HEADING = "| attempt, and what it would gain | what stops it or shows it | what remains | tests |"
ACTORS = {
    "Bidders", "Insiders", "Senders of files", "Readers of outputs", "Network neighbours",
    "Dependencies", "Secrets",
}  # fmt: skip
A_TEST = "`unit/test_threat_model.py::test_there_is_a_table_for_every_kind_of_actor`"
NOT_STOPPED = re.compile(r"\*\*not stopped\*\*[^:|]*: *\w[^|]{20,}")


@cache
def names_in(name: str) -> frozenset[str]:
    """The names of a file's tests, those of classes too; none where there is no such file."""
    path = PROJECT / "tests" / name
    if not path.is_file():
        return frozenset()
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names = {node.name for node in tree if isinstance(node, ast.FunctionDef)}
    return frozenset(each for each in names if each.startswith("test_"))


def lines_of(page: str) -> dict[str, list[list[str]]]:
    """The cells of every line, by its section."""
    found: dict[str, list[list[str]]] = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        _, _, table = text.partition(f"{HEADING}\n|---|---|---|---|\n")
        rows = table.split("\n\n")[0].splitlines()
        if rows and rows[0]:
            found[title] = [[cell.strip() for cell in row[1:-1].split(" |")] for row in rows]
    return found


def faults(cells: list[str]) -> list[str]:
    """What is wrong with a line."""
    if len(cells) != 4:
        return [f"it has {len(cells)} cells"]
    attempt, stopped_by, remains, tests = cells
    named = re.findall(r"`([^`]+)`", tests)
    found = [
        f"there is no test {each}"
        for each in named
        if each.partition("::")[2] not in names_in(each.partition("::")[0])
    ]
    if not attempt or not (stopped_by or NOT_STOPPED.search(remains)):
        found.append("it says nothing of what stops it")
    if "**not stopped**" in remains and not NOT_STOPPED.search(remains):
        found.append("it gives no reason why it is not stopped")
    if not named and not NOT_STOPPED.search(remains):
        found.append("it names no test, and no reason why it is not stopped")
    return found


def test_there_is_a_table_for_every_kind_of_actor():
    found = lines_of(PAGE)
    assert set(found) == ACTORS
    assert PAGE.count(HEADING) == len(ACTORS)
    assert all(found.values())


@pytest.mark.parametrize("section", sorted(ACTORS))
def test_every_line_names_a_test_that_exists_or_a_reason(section):
    found = {cells[0]: faults(cells) for cells in lines_of(PAGE)[section]}
    assert {attempt: wrong for attempt, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("| a | b | c | `unit/test_threat_model.py::test_of_nothing` |", "there is no test unit"),
        ("| a | b | c | `unit/test_nowhere.py::test_of_nothing` |", "there is no test unit"),
        ("| a | b | c | |", "it names no test, and no reason"),
        ("| a | b | **not stopped** | |", "it names no test, and no reason"),
        (f"| a | b | **not stopped** | {A_TEST} |", "it gives no reason"),
        ("| a | b | **not stopped**: no | |", "it names no test, and no reason"),
        ("| a | b | c |", "it has 3 cells"),
        (
            f"| a | | | {A_TEST} |",
            "it says nothing of what stops it",
        ),
    ],
)
def test_a_line_without_a_test_or_a_reason_is_found(line, fault):
    page = f"## Bidders\n\n{HEADING}\n|---|---|---|---|\n{line}\n\nmore\n"
    ((cells,),) = lines_of(page).values()
    assert any(each.startswith(fault) for each in faults(cells))


def test_a_line_of_which_nothing_is_missing_has_no_fault():
    reason = "**not stopped**: nobody can know who stands behind an account"
    assert faults(["a", "b", "", A_TEST]) == faults(["a", "", reason, ""]) == []
