"""A contract that is not sound is refused, in one sentence that names the file and the fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from contract_example import GRANTS

from orchestration.contracts import load_contract
from orchestration.errors import BadConfiguration

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "space_grants.odcs.yaml").write_text(GRANTS, encoding="utf-8")
    return tmp_path


def refusal(folder: Path, text: str) -> str:
    path = folder / "space_grants.odcs.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadConfiguration) as raised:
        load_contract("space_grants", folder=folder)
    message = str(raised.value)
    start, end = f"{folder.name}/space_grants.odcs.yaml: ", "; see data_contracts/README.md"
    assert message.startswith(start)
    assert message.endswith(end)
    assert "\n" not in message
    return message[len(start) : -len(end)]


def column(name: str, /, **changes: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        properties = document["schema"][0]["properties"]
        chosen = next(each for each in properties if each["name"] == name)
        for field, value in changes.items():
            chosen[field] = value
            if value is None:
                del chosen[field]

    return change


def column_rule(index: int = 0, **changes: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        document["schema"][0]["properties"][2]["quality"][index].update(changes)

    return change


def table_rule(**changes: Any) -> Change:
    return lambda document: document["schema"][0]["quality"][0].update(changes)


def head(**changes: Any) -> Change:
    return lambda document: document.update(changes)


def table(**changes: Any) -> Change:
    return lambda document: document["schema"][0].update(changes)


def query(sql: str) -> Change:
    return table_rule(query=sql)


def options(name: str, /, **values: Any) -> Change:
    return column(name, logicalTypeOptions=values)


def custom(name: str, *entries: tuple[str, Any]) -> Change:
    listed = [{"property": each, "value": value} for each, value in entries]
    return column(name, customProperties=listed)


ROW = "select count(*) from ${table} where "
REFUSALS: list[tuple[Change, str]] = [
    (head(apiVersion="v2.2.2"), "it is not apiVersion v3.1.0 of kind DataContract"),
    (head(kind="DataProduct"), "it is not apiVersion v3.1.0 of kind DataContract"),
    (head(name="grants"), "must both be named space_grants"),
    (table(name="grants"), "must both be named space_grants"),
    (head(schema=[]), "must both be named space_grants"),
    (lambda document: document["schema"].append(document["schema"][0]), "must both be named"),
    (head(id="fbacap-bids"), "its id is fbacap-bids instead of fbacap-space-grants"),
    (head(version="1"), "its version is 1, not three numbers as 1.0.0"),
    (head(version=1.0), "version: Input should be a valid string"),
    (head(tags=["keys-may-repeat"]), "its tags must name one of facts, input, mart, stage"),
    (head(tags=["input", "mart"]), "its tags must name one of facts, input, mart, stage"),
    (head(description={"usage": "None."}), "the purpose is missing"),
    (table(dataGranularityDescription=" "), "the dataGranularityDescription is missing"),
    (head(owner="x"), "owner: Extra inputs are not permitted"),
    (head(servers=[]), "the field 'servers' in contract of space_grants is not understood here"),
    (table(context="x"), "the field 'context' in schema of space_grants is not understood here"),
    (column("share", unique=True), "the field 'unique' in properties of share is not understood"),
    (column_rule(mustBeLessThan=1), "the field 'mustBeLessThan' in quality of outcome_is_known"),
    (head(description={"purpos": "x"}), "the field 'purpos' in description is not understood"),
    (column("share", name="Share"), "a column is named 'Share', which is not in snake_case"),
    (column("share", name=None), "a column is named '', which is not in snake_case"),
    (column("share", name="outcome"), "the column outcome stands twice"),
    (column("share", physicalType=None), "column share has no physicalType"),
    (column("share", physicalType="DOUBLE"), "column share has physicalType DOUBLE, which is none"),
    (column("share", physicalType="VARCHAR"), "has logicalType number, but VARCHAR is string"),
    (column("share", required=None), "column share does not say whether it is required"),
    (column("share", description=None), "the description of column share is missing"),
    (custom("share", ("format", "x")), "the custom property format is neither unit nor default"),
    (custom("share", ("unit", "a"), ("unit", "b")), "custom property of column share unit stands"),
    (custom("share", ("unit", 3)), "column share: the value of unit must be text"),
    (custom("share", ("default", "none")), "the default 'none' is no number value"),
    (custom("joined_on", ("default", "2026")), "the default '2026' is no date value"),
    (head(tags=["stage"]), "a default is for input tables only"),
    (column("round", primaryKeyPosition=3), "the key's positions are 1, 3; they count 1, 2, 3"),
    (column("round", primaryKeyPosition=1), "primaryKeyPosition 1 stands twice"),
    (column("round", primaryKeyPosition=None), "primaryKey and primaryKeyPosition go together"),
    (column("round", primaryKey=False), "primaryKey and primaryKeyPosition go together"),
    (column("round", required=False), "column round is of the key, so it must be required"),
    (options("share", multipleOf=2), "column share: the option multipleOf is not understood here"),
    (options("share", minLength=2), "column share: the option minLength is not understood here"),
    (options("share", pattern="x"), "column share: the option pattern is not understood here"),
    (options("outcome", minimum=2), "column outcome: the option minimum is not understood here"),
    (options("outcome", minLength=1.5), "column outcome: 1.5 is not a whole number"),
    (options("outcome", pattern=1), "column outcome: a pattern is text"),
    (options("granted_milli_ft3", minimum=0.5), "column granted_milli_ft3: 0.5 is not a whole"),
    (options("granted_milli_ft3", minimum=True), "column granted_milli_ft3: True is not a whole"),
    (options("share", minimum="1"), "column share: 1 is not a number"),
    (options("share", maximum=float("inf")), "column share: inf is not a finite number"),
    (options("joined_on", minimum="1900"), "column joined_on: 1900 is not a day as '2026-10-01'"),
    (options("joined_on", minimum=1900), "column joined_on: 1900 is not a day as '2026-10-01'"),
    (options("ordered_at", minimum="noon"), "column ordered_at: noon is not a time as"),
    (options("ordered_at", minimum="2026-10-01T00:00:00Z"), "column ordered_at: 2026-10-01T00:00"),
    (table_rule(name="Early rounds"), "a rule is named 'Early rounds' instead of a statement"),
    (table_rule(name=None), "a rule is named '' instead of a statement"),
    (table_rule(name="grants_stand_once"), "the rule grants_stand_once stands twice"),
    (table_rule(name="share_minimum"), "the rule share_minimum stands twice"),
    (table_rule(description=""), "rule rounds_are_early has no description for people"),
    (table_rule(severity="info"), "rule rounds_are_early has severity info, not error or warning"),
    (table_rule(severity=None), "rule rounds_are_early has severity None, not error or warning"),
    (table_rule(mustBe=1), "rule rounds_are_early does not say mustBe: 0"),
    (table_rule(mustBe=False), "rule rounds_are_early does not say mustBe: 0"),
    (table_rule(mustBe=None), "rule rounds_are_early does not say mustBe: 0"),
    (table_rule(type="text"), "rounds_are_early is neither type sql nor a column's library"),
    (table_rule(type="library", metric="invalidValues"), "is neither type sql nor a column's"),
    (column_rule(metric="nullValues"), "outcome_is_known is neither type sql nor a column's"),
    (column_rule(arguments={}), "outcome_is_known needs one argument: validValues, or pattern"),
    (column_rule(arguments={"validValues": []}), "outcome_is_known needs one argument"),
    (column_rule(arguments={"validValues": ["a"], "pattern": "a"}), "needs one argument"),
    (column_rule(arguments={"validValues": ["a", False]}), "are not all of type string"),
    (column_rule(1, arguments={"pattern": ""}), "column outcome: a pattern is text"),
    (query(""), "rule rounds_are_early: its query has neither of the two shapes"),
    (query("select count(*) from ${table} where round > 1"), "neither of the two shapes"),
    (query("select 0 from (select * from ${table}) as bad_rows"), "neither of the two shapes"),
    (query("select count(*) from (select 1) as bad_rows"), "neither of the two shapes"),
    (query(f"{ROW}(round > 1) is not true and (true) is not true"), "neither of the two shapes"),
    (query(f"{ROW}(round > 1)) or ((share > 1) is not true"), "neither of the two shapes"),
    (query(f"{ROW}(round > 1 -- a comment\n) is not true"), "holds a comment or a semicolon"),
    (query(f"{ROW}(round > /* 1 */ 2) is not true"), "holds a comment or a semicolon"),
    (query(f"{ROW}(round > 1; drop table g) is not true"), "holds a comment or a semicolon"),
    (query(f"{ROW}(1 = 1) is not true"), "rule rounds_are_early reads no column of the table"),
    (query(f"{ROW}('round' = 'round') is not true"), "reads no column of the table"),
    (
        query(f"{ROW}(round in (select 1 from ${{table}})) is not true"),
        "has a ${…} where its shape",
    ),
    (
        query("select count(*) from (select ${column} from ${table}) as bad_rows"),
        "has a ${…} where its shape has none",
    ),
]


@pytest.mark.parametrize(("change", "fault"), REFUSALS, ids=[fault for _, fault in REFUSALS])
def test_an_unsound_contract_is_refused(folder: Path, change: Change, fault: str) -> None:
    document = yaml.safe_load(GRANTS)
    change(document)
    assert fault in refusal(folder, yaml.safe_dump(document, sort_keys=False))


def test_the_contract_that_refusals_start_from_is_sound(folder: Path) -> None:
    text = yaml.safe_dump(yaml.safe_load(GRANTS), sort_keys=False)
    (folder / "space_grants.odcs.yaml").write_text(text, encoding="utf-8")
    assert load_contract("space_grants", folder=folder).rules


def test_a_table_without_a_key_is_refused(folder: Path) -> None:
    document = yaml.safe_load(GRANTS)
    for each in document["schema"][0]["properties"]:
        each.pop("primaryKey", None)
        each.pop("primaryKeyPosition", None)
    fault = refusal(folder, yaml.safe_dump(document))
    assert fault == "the key's positions are none; they count 1, 2, 3 without gaps"


def test_a_key_column_with_a_default_need_not_be_delivered(folder: Path) -> None:
    document = yaml.safe_load(GRANTS)
    column("round", required=False, customProperties=[{"property": "default", "value": "1"}])(
        document
    )
    (folder / "space_grants.odcs.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert load_contract("space_grants", folder=folder).key == ("request_id", "round")


def test_a_field_written_twice_is_refused(folder: Path) -> None:
    twice = GRANTS.replace("        description: Time.\n", "        name: ordered_at\n")
    assert refusal(folder, twice).startswith("'name' stands twice in the mapping at line ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1", "it is not YAML: while parsing"),
        ("- one", "it is not a mapping of fields to values"),
        ("", "it is not a mapping of fields to values"),
    ],
)
def test_a_file_that_is_no_contract_is_refused(folder: Path, text: str, fault: str) -> None:
    assert refusal(folder, text).startswith(fault)


def test_a_file_that_is_not_utf_8_is_refused(folder: Path) -> None:
    (folder / "space_grants.odcs.yaml").write_bytes(b"name: \xff")
    with pytest.raises(BadConfiguration, match="it is not UTF-8 text; see data_contracts/README"):
        load_contract("space_grants", folder=folder)


def test_service_levels_are_for_input_tables_only(folder: Path) -> None:
    document = yaml.safe_load(GRANTS)
    document["tags"] = ["stage"]
    for each in document["schema"][0]["properties"]:
        each.pop("customProperties", None)
    document["slaProperties"] = [{"property": "frequency", "value": 1, "unit": "d"}]
    assert refusal(folder, yaml.safe_dump(document)) == "slaProperties are for input tables only"


def test_a_field_of_a_service_level_that_nobody_reads_is_refused(folder: Path) -> None:
    document = yaml.safe_load(GRANTS)
    document["slaProperties"] = [{"property": "frequency", "value": 1, "driver": "regulatory"}]
    assert "the field 'driver' in slaProperties of frequency" in refusal(
        folder, yaml.safe_dump(document)
    )
