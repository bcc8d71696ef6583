"""Contracts are read exactly as written, and refused in one sentence when they are not sound."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from orchestration.contracts import (
    CONTRACTS_FOLDER,
    Column,
    Rule,
    contract_names,
    load_contract,
)
from orchestration.errors import BadConfiguration

Change = Callable[[dict[str, Any]], object]

INPUTS = (
    "capacity_requests",
    "inventory_snapshots",
    "marketplaces",
    "network_capacity",
    "order_lines",
    "products",
    "refunds",
    "round_supply",
    "sellers",
)
MARTS = (
    "dim_sellers",
    "fct_market_rounds",
    "fct_quarter_summary",
    "fct_seller_statements",
    "fct_settlements",
)
GRANTS = """\
apiVersion: v3.1.0
kind: DataContract
id: fbacap-space-grants
name: space_grants
version: 1.2.0
status: active
domain: capacity market
tags: [input, keys-may-repeat]
description:
  purpose: What was
    granted.
schema:
  - name: space_grants
    physicalType: table
    logicalType: object
    dataGranularityDescription: one row per request and round
    properties:
      - {name: round, description: The round., logicalType: integer, physicalType: INTEGER,
         required: true, primaryKey: true, primaryKeyPosition: 2}
      - name: request_id
        description: The request.
        logicalType: string
        logicalTypeOptions: {minLength: 1, maxLength: 200, pattern: '^[^'']+$'}
        physicalType: VARCHAR
        required: true
        primaryKey: true
        primaryKeyPosition: 1
      - name: outcome
        description: How it fared.
        logicalType: string
        physicalType: VARCHAR
        required: false
        quality:
          - {type: library, name: outcome_is_known, description: It is granted or won't be.,
             metric: invalidValues, arguments: {validValues: [granted, "won't"]}, mustBe: 0,
             severity: warning}
          - {type: library, name: outcome_is_lower_case, description: It is in lower case.,
             metric: invalidValues, arguments: {pattern: '^[a-z'']*$'}, mustBe: 0, severity: error}
      - name: granted_milli_ft3
        description: Volume.
        logicalType: integer
        logicalTypeOptions: {minimum: 0, exclusiveMinimum: -1, maximum: 9, exclusiveMaximum: 10}
        physicalType: BIGINT
        required: false
        customProperties:
          - {property: unit, value: milli_ft3}
          - {property: default, value: "0"}
      - name: share
        description: Share.
        logicalType: number
        logicalTypeOptions: {minimum: 0.0000001}
        physicalType: "DECIMAL(18,3)"
        required: false
      - name: joined_on
        description: Day.
        logicalType: date
        logicalTypeOptions: {minimum: '1900-01-01', exclusiveMaximum: '2200-01-01'}
        physicalType: DATE
        required: false
      - name: ordered_at
        description: Time.
        logicalType: timestamp
        logicalTypeOptions:
          {exclusiveMinimum: '1900-01-01T00:00:00', maximum: '2199-12-31T00:00:00'}
        physicalType: TIMESTAMP
        required: false
    quality:
      - type: sql
        name: rounds_are_early
        description: Grants are of early
          rounds.
        query: |-
          SELECT count(*)  from ${table}
          where (round(granted_milli_ft3) in (1, (2)) or 'round -- ;)' = outcome) is not true
        mustBe: 0
        severity: error
      - type: sql
        name: grants_stand_once
        description: No grant stands twice.
        query: |-
          select count(*) from (
              select request_id from ${table} group by request_id having count(*) > 1
          ) as bad_rows
        mustBe: 0
        severity: error
"""


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


def rules_by_name(folder: Path) -> dict[str, Rule]:
    return {rule.name: rule for rule in load_contract("space_grants", folder=folder).rules}


def test_a_contract_is_read_into_plain_values(folder: Path) -> None:
    contract = load_contract("space_grants", folder=folder)
    assert (contract.table, contract.version) == ("space_grants", "1.2.0")
    assert contract.description == "What was granted."
    assert contract.grain == "one row per request and round"
    assert contract.tags == ("input", "keys-may-repeat")
    assert contract.key == ("request_id", "round")
    assert contract.column_names[:3] == ("round", "request_id", "outcome")
    assert contract.column("granted_milli_ft3") == Column(
        "granted_milli_ft3", "BIGINT", False, "Volume.", "milli_ft3", "0"
    )
    assert contract.column("outcome") == Column("outcome", "VARCHAR", False, "How it fared.")


def test_a_column_that_is_not_there_is_a_key_error(folder: Path) -> None:
    with pytest.raises(KeyError, match="no_such_column"):
        load_contract("space_grants", folder=folder).column("no_such_column")


def test_a_contract_cannot_be_changed_and_is_read_once(folder: Path) -> None:
    contract = load_contract("space_grants", folder=folder)
    assert load_contract("space_grants", folder=folder) is contract
    with pytest.raises(FrozenInstanceError):
        contract.version = "2.0.0"  # type: ignore[misc]


def test_options_and_lists_of_values_become_rules_that_null_passes(folder: Path) -> None:
    found = {name: (rule.sentence, rule.sql) for name, rule in rules_by_name(folder).items()}
    volume, day, time = "granted_milli_ft3", "joined_on", "ordered_at"
    expected = {
        "request_id_min_length": ("has at least 1 character.", "length(request_id) >= 1"),
        "request_id_max_length": ("has at most 200 characters.", "length(request_id) <= 200"),
        "request_id_pattern": ("matches ^[^']+$.", "regexp_matches(request_id, '^[^'']+$')"),
        f"{volume}_minimum": ("is at least 0.", f"{volume} >= 0"),
        f"{volume}_exclusive_minimum": ("is more than -1.", f"{volume} > -1"),
        f"{volume}_maximum": ("is at most 9.", f"{volume} <= 9"),
        f"{volume}_exclusive_maximum": ("is less than 10.", f"{volume} < 10"),
        "share_minimum": ("is at least 0.0000001.", "share >= 0.0000001"),
        f"{day}_minimum": ("is not before 1900-01-01.", f"{day} >= date '1900-01-01'"),
        f"{day}_exclusive_maximum": ("is before 2200-01-01.", f"{day} < date '2200-01-01'"),
        f"{time}_exclusive_minimum": (
            "is after 1900-01-01 00:00:00.",
            f"{time} > timestamp '1900-01-01 00:00:00'",
        ),
        f"{time}_maximum": (
            "is not after 2199-12-31 00:00:00.",
            f"{time} <= timestamp '2199-12-31 00:00:00'",
        ),
    }
    for name, (sentence, sql) in expected.items():
        (column,) = rules_by_name(folder)[name].columns
        assert found[name] == (f"{column} {sentence}", f"{column} is null or {sql}")
    assert found["outcome_is_known"] == (
        "It is granted or won't be.",
        "outcome is null or outcome in ('granted', 'won''t')",
    )
    assert found["outcome_is_lower_case"][1] == (
        "outcome is null or regexp_matches(outcome, '^[a-z'']*$')"
    )
    written = {"outcome_is_known", "outcome_is_lower_case", "rounds_are_early", "grants_stand_once"}
    assert found.keys() == expected.keys() | written


def test_severity_is_the_written_one(folder: Path) -> None:
    warnings = {rule.name for rule in rules_by_name(folder).values() if rule.severity == "warning"}
    assert warnings == {"outcome_is_known"}


def test_a_row_rule_knows_its_columns_from_functions_and_text(folder: Path) -> None:
    rule = rules_by_name(folder)["rounds_are_early"]
    assert (rule.kind, rule.sentence) == ("row", "Grants are of early rounds.")
    assert rule.columns == ("outcome", "granted_milli_ft3")
    assert rule.bad_rows_sql("landing.grants") == (
        "select * from landing.grants where (round(granted_milli_ft3) in (1, (2)) "
        "or 'round -- ;)' = outcome) is not true"
    )


def test_a_query_rule_reads_the_relation_that_it_is_given(folder: Path) -> None:
    rule = rules_by_name(folder)["grants_stand_once"]
    assert (rule.kind, rule.columns) == ("query", ())
    select = "select request_id from market.g group by request_id having count(*) > 1"
    assert rule.bad_rows_sql("market.g") == select
    assert rule.count_sql("market.g") == f"select count(*) from ({select}) as bad_rows"


def test_rules_count_what_breaks_them(folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table g as from (values (1, 'a', 'granted', 1::bigint), (2, 'a', 'won''t', 10),"
            " (3, 'b', 'Lost', null), (4, '', null, 2)) "
            "as g (round, request_id, outcome, granted_milli_ft3)"
        )

        def count(name: str) -> int:
            row = connection.execute(rules_by_name(folder)[name].count_sql("g")).fetchone()
            assert row is not None
            return int(row[0])

        assert count("outcome_is_known") == 1
        assert count("outcome_is_lower_case") == 1
        assert count("request_id_min_length") == 1
        assert count("granted_milli_ft3_maximum") == 1
        assert count("grants_stand_once") == 1
        assert count("rounds_are_early") == 2  # 10, and null, which no rule lets pass unsaid


def test_names_come_in_order_and_by_tag(folder: Path) -> None:
    other = GRANTS.replace("space_grants", "bids").replace("space-grants", "bids")
    stage = other.replace("[input, keys-may-repeat]", "[stage]").replace(
        '          - {property: default, value: "0"}\n', ""
    )
    (folder / "bids.odcs.yaml").write_text(stage, encoding="utf-8")
    (folder / "README.md").write_text("not a contract", encoding="utf-8")
    assert contract_names(folder=folder) == ("bids", "space_grants")
    assert contract_names("input", folder=folder) == ("space_grants",)
    assert contract_names("stage", folder=folder) == ("bids",)
    assert contract_names("no-such-tag", folder=folder) == ()


@pytest.mark.parametrize("table", ["orders", "../space_grants", "", "space_grants.odcs.yaml"])
def test_a_table_without_a_contract_is_told_what_there_is(folder: Path, table: str) -> None:
    with pytest.raises(BadConfiguration) as raised:
        load_contract(table, folder=folder)
    assert str(raised.value) == f"no data contract for table '{table}'; there are: space_grants"


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"table 'orders'; there are: none$"):
        load_contract("orders", folder=tmp_path)


def test_one_bad_contract_stops_a_search_by_tag(folder: Path) -> None:
    (folder / "bids.odcs.yaml").write_text(GRANTS, encoding="utf-8")
    with pytest.raises(BadConfiguration, match=r"bids\.odcs\.yaml: name and the one entry"):
        contract_names("input", folder=folder)


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


def test_the_projects_input_tables_and_marts_have_contracts() -> None:
    assert contract_names("input") == INPUTS
    assert contract_names("mart") == MARTS
    assert {"facts", "stage"} <= {
        tag for name in contract_names() for tag in load_contract(name).tags
    }


@pytest.mark.parametrize("table", contract_names())
def test_every_contract_of_the_project_is_valid_against_the_standards_schema(table: str) -> None:
    schema = json.loads(OpenDataContractStandard.json_schema())
    text = (CONTRACTS_FOLDER / f"{table}.odcs.yaml").read_text(encoding="utf-8")
    jsonschema.validators.validator_for(schema)(schema).validate(yaml.safe_load(text))
    assert load_contract(table).table == table


def test_reading_no_contract_imports_nothing_heavy() -> None:
    script = (
        "import sys, orchestration.contracts;"
        "heavy = {'duckdb', 'pandas', 'pydantic', 'yaml', 'open_data_contract_standard'};"
        "sys.exit(', '.join(sorted(heavy & sys.modules.keys())))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603
