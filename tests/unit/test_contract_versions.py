"""A changed contract needs the version that its readers and deliverers can tell the change by."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from contract_example import GRANTS

from orchestration.contract_changes import changes, form_of
from orchestration.contract_versions import accept, accepted_forms, check, current_forms, main
from orchestration.contracts import load_contract
from orchestration.errors import BadConfiguration
from orchestration.paths import PROJECT

Document = dict[str, Any]
Change = Callable[[Document], object]


def columns_of(document: Document) -> list[Document]:
    return document["schema"][0]["properties"]


def column_of(document: Document, name: str) -> Document:
    return next(each for each in columns_of(document) if each["name"] == name)


def column(name: str, /, **changed: object) -> Change:
    return lambda document: column_of(document, name).update(changed)


def without(name: str) -> Change:
    return lambda document: columns_of(document).remove(column_of(document, name))


def with_column(**given: object) -> Change:
    added = {"name": "note", "description": "A note.", "logicalType": "string",
             "physicalType": "VARCHAR", "required": False}  # fmt: skip
    return lambda document: columns_of(document).append({**added, **given})


def column_rule(place: int, **changed: object) -> Change:
    return lambda document: column_of(document, "outcome")["quality"][place].update(changed)


def table_rule(place: int, **changed: object) -> Change:
    return lambda document: document["schema"][0]["quality"][place].update(changed)


def with_rule(severity: str) -> Change:
    return lambda document: document["schema"][0]["quality"].append(
        {"type": "sql", "name": "round_is_low", "description": "Low.", "mustBe": 0,
         "severity": severity,
         "query": "select count(*) from ${table} where (round < 5) is not true"}
    )  # fmt: skip


def without_rule(place: int) -> Change:
    return lambda document: document["schema"][0]["quality"].pop(place)


def unit(name: str, value: str) -> Change:
    return column(name, customProperties=[{"property": "unit", "value": value}])


def bounds(**limits: object) -> Change:
    given = {"minimum": 0, "exclusiveMinimum": -1, "maximum": 9, "exclusiveMaximum": 10}
    return column("granted_milli_ft3", logicalTypeOptions=given | limits)


def days(minimum: str) -> Change:
    options = {"minimum": minimum, "exclusiveMaximum": "2200-01-01"}
    return column("joined_on", logicalTypeOptions=options)


def values(*given: str) -> Change:
    return column_rule(0, arguments={"validValues": list(given)}, severity="error")


def swapped(document: Document) -> None:
    columns_of(document).append(columns_of(document).pop(2))


def swapped_key(document: Document) -> None:
    column_of(document, "round")["primaryKeyPosition"] = 1
    column_of(document, "request_id")["primaryKeyPosition"] = 2


def timing(document: Document) -> None:
    document["slaProperties"] = [{"property": "frequency", "value": 1, "unit": "d"}]


VOLUME = "granted_milli_ft3"
DEFAULT = [{"property": "default", "value": "x"}]

# What changes, the least bump in a table that is received, in one that is made here, the sentence.
CASES: list[tuple[Change, str | None, str | None, str]] = [
    (without("share"), "major", "major", "column share is gone"),
    (column("share", name="portion"), "major", "major", "column share is gone"),
    (column("joined_on", logicalType="timestamp", physicalType="TIMESTAMP",
            logicalTypeOptions={}), "major", "major", "is TIMESTAMP instead of DATE"),
    (column("share", physicalType="DECIMAL(18,6)"), "major", "major", "instead of DECIMAL(18,3)"),
    (column("share", required=True), "major", "major", "column share is now required"),
    (swapped, "major", "major", "the columns stand in another order"),
    (swapped_key, "major", "major", "the key is round, request_id instead of request_id, round"),
    (unit("share", "bp"), "major", "major", "column share is in bp instead of None"),
    (with_column(), "minor", "minor", "column note is new"),
    (with_column(required=True), "major", "minor", "column note"),
    (with_rule("error"), "major", "major", "rule round_is_low is new"),
    (with_rule("warning"), "minor", "minor", "rule round_is_low is new"),
    (without_rule(1), "minor", "major", "rule grants_stand_once is gone"),
    (column_rule(1, severity="warning"), "minor", "major", "lower_case is now of severity warning"),
    (column_rule(0, severity="error"), "major", "major", "is_known is now of severity error"),
    (column_rule(0, arguments={"validValues": ["granted"]}), "minor", "minor", "warns of"),
    (column_rule(1, arguments={"pattern": "^[a-z]*$"}), "major", "major", "judges otherwise"),
    (table_rule(1, query="select count(*) from (select round from ${table}) as bad_rows"),
     "major", "major", "rule grants_stand_once judges otherwise"),
    (bounds(minimum=1), "major", "major", f"rule {VOLUME}_minimum lets less pass"),
    (bounds(minimum=-1), "minor", "major", f"rule {VOLUME}_minimum lets more pass"),
    (bounds(maximum=8), "major", "major", f"rule {VOLUME}_maximum lets less pass"),
    (bounds(maximum=12), "minor", "major", f"rule {VOLUME}_maximum lets more pass"),
    (bounds(exclusiveMinimum=-10), "minor", "major", "exclusive_minimum lets more pass"),
    (days("1800-01-01"), "minor", "major", "rule joined_on_minimum lets more pass"),
    (days("1950-01-01"), "major", "major", "rule joined_on_minimum lets less pass"),
    (timing, "minor", None, "its timing (slaProperties) is another"),
    (column("share", description="Other words."), None, None, ""),
    (table_rule(0, description="Other words."), None, None, ""),
    (column("share", transformSourceObjects=["market.fees.fee"]), None, None, ""),
]  # fmt: skip


def written(folder: Path, change: Change | None, version: str, *, is_made: bool) -> Path:
    """A folder with the example contract, changed."""
    document = yaml.safe_load(GRANTS)
    if is_made:
        document["tags"] = ["stage"]
        column_of(document, VOLUME)["customProperties"].pop()
    if change is not None:
        change(document)
    document["version"] = version
    folder.mkdir(exist_ok=True)
    text = yaml.safe_dump(document, sort_keys=False)
    (folder / "space_grants.odcs.yaml").write_text(text, encoding="utf-8")
    return folder


def changed(root: Path, change: Change, version: str, *, is_made: bool) -> Path:
    """A folder whose contract was accepted at 1.2.0 and changed since, under a version."""
    before = written(root / "before", None, "1.2.0", is_made=is_made)
    (before / "accepted.json").write_text("{}", encoding="utf-8")
    assert accept(before) == []
    after = written(root / f"after-{version}", change, version, is_made=is_made)
    (after / "accepted.json").write_bytes((before / "accepted.json").read_bytes())
    return after


# Tables that are made here have no timing: a contract that gives them one is refused.
BOTH_WAYS = [
    pytest.param(change, needed, sentence, is_made, id=f"{'made' if is_made else 'received'}-{n}")
    for n, (change, received, made, sentence) in enumerate(CASES)
    for is_made, needed in ((False, received), (True, made))
    if not (is_made and change is timing)
]


@pytest.mark.parametrize(("change", "needed", "sentence", "is_made"), BOTH_WAYS)
def test_a_change_needs_the_bump_that_tells_of_it(tmp_path, change, needed, sentence, is_made):
    unbumped = check(changed(tmp_path, change, "1.2.1", is_made=is_made))
    if needed is None:
        assert all("not yet accepted" in fault for fault in unbumped)
        assert accept(changed(tmp_path, change, "1.2.0", is_made=is_made)) == []
        return
    (fault,) = unbumped
    assert sentence in fault
    version = "2.0.0" if needed == "major" else "1.3.0"
    assert f"so version 1.2.1 must be {version}" in fault
    if needed == "major":
        (fault,) = check(changed(tmp_path, change, "1.3.0", is_made=is_made))
        assert "that is incompatible" in fault
    right = changed(tmp_path, change, version, is_made=is_made)
    (fault,) = check(right)
    assert "changed with a right version" in fault
    assert accept(right) == []
    assert check(right) == []


def test_a_list_of_values_may_grow_for_deliverers_and_must_not_for_readers():
    forms = [
        {"received": received, "key": [], "days": [], "columns": [],
         "rules": [{"name": "r", "severity": "error", "sql": f"a is null or a in ({values})"}]}
        for received in (True, False)
        for values in ("'x', 'y'", "'x', 'y', 'z, w'")
    ]  # fmt: skip
    few, many, few_made, many_made = forms
    assert [each.level for each in changes(few, many)] == ["minor"]
    assert [each.level for each in changes(many, few)] == ["major"]
    assert [each.level for each in changes(few_made, many_made)] == ["major"]
    assert [each.level for each in changes(many_made, few_made)] == ["major"]


def test_an_accepted_version_is_never_taken_back(tmp_path):
    folder = changed(tmp_path, with_column(), "1.1.9", is_made=False)
    assert check(folder) == ["space_grants: version 1.1.9 is before 1.2.0, accepted last"]


def test_a_wrong_version_is_not_accepted_and_nothing_is_written(tmp_path):
    folder = changed(tmp_path, without("share"), "1.3.0", is_made=False)
    before = (folder / "accepted.json").read_bytes()
    assert accept(folder) == check(folder)
    assert (folder / "accepted.json").read_bytes() == before


def test_a_contract_goes_only_when_it_is_said_to(tmp_path):
    folder = changed(tmp_path, with_column(), "1.3.0", is_made=False)
    (folder / "space_grants.odcs.yaml").unlink()
    assert "its contract is gone" in check(folder)[0]
    assert accept(folder) == check(folder)
    assert accept(folder, drop=["space_grants"]) == []
    assert accepted_forms(folder) == {}


def test_a_new_contract_must_be_accepted_with_any_version(tmp_path):
    folder = written(tmp_path, None, "0.1.0", is_made=False)
    (folder / "accepted.json").write_text("{}", encoding="utf-8")
    assert "not yet accepted" in check(folder)[0]
    assert accept(folder) == []
    assert check(folder) == []


def test_without_accepted_forms_it_says_what_to_restore(tmp_path, capsys):
    with pytest.raises(BadConfiguration, match=r"accepted\.json cannot be read"):
        check(written(tmp_path, None, "1.2.0", is_made=False))
    assert main(["--folder", str(tmp_path)]) == 1
    assert "restore it from the repository" in capsys.readouterr().err


def test_the_command_fails_with_a_sentence_and_accepts_what_is_right(tmp_path, capsys):
    folder = changed(tmp_path, with_column(), "1.2.0", is_made=False)
    assert main(["--folder", str(folder)]) == 1
    assert main(["--folder", str(folder), "--accept"]) == 1
    assert capsys.readouterr().err.count("column note is new: that is an addition") == 2
    right = changed(tmp_path, with_column(), "1.3.0", is_made=False)
    assert main(["--folder", str(right), "--accept"]) == 0
    assert main(["--folder", str(right)]) == 0
    assert capsys.readouterr().err == ""


def test_the_projects_contracts_are_accepted_as_they_stand():
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.contract_versions"],
        cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_forms_hold_every_column_and_rule_of_the_project():
    for table, form in current_forms().items():
        contract = load_contract(table)
        assert [each["name"] for each in form["columns"]] == list(contract.column_names)
        assert [each["name"] for each in form["rules"]] == [rule.name for rule in contract.rules]
        assert changes(form, form_of(contract)) == []
