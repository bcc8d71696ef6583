"""Contracts are read exactly as written, and refused in one sentence when they are not sound."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from importlib.resources import files
from pathlib import Path

import duckdb
import jsonschema
import pytest
import yaml
from contract_example import GRANTS

from orchestration.contracts import (
    CONTRACTS_FOLDER,
    Column,
    Rule,
    contract_names,
    load_contract,
)
from orchestration.errors import BadConfiguration

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "space_grants.odcs.yaml").write_text(GRANTS, encoding="utf-8")
    return tmp_path


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


def test_the_projects_input_tables_and_marts_have_contracts() -> None:
    assert contract_names("input") == INPUTS
    assert contract_names("mart") == MARTS
    assert {"facts", "stage"} <= {
        tag for name in contract_names() for tag in load_contract(name).tags
    }


@pytest.mark.parametrize("table", contract_names())
def test_every_contract_of_the_project_is_valid_against_the_standards_schema(table: str) -> None:
    shipped = files("open_data_contract_standard") / "schema.json"
    schema = json.loads(shipped.read_text(encoding="utf-8"))
    text = (CONTRACTS_FOLDER / f"{table}.odcs.yaml").read_text(encoding="utf-8")
    jsonschema.validators.validator_for(schema)(schema).validate(yaml.safe_load(text))
    assert load_contract(table).table == table


def test_reading_no_contract_imports_nothing_heavy() -> None:
    script = (
        "import sys, orchestration.contracts;"
        "heavy = {'duckdb', 'pandas', 'pydantic', 'yaml', 'open_data_contract_standard'};"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
