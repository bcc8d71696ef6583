"""The graph that Dagster loads: whole, owned, described."""

import os
import subprocess
import sys

import dagster as dg
import pytest
from asset_faults import asset_faults, check_faults

from orchestration.assets.history import HISTORY
from orchestration.assets.quarter_report import KEY as QUARTER_REPORT
from orchestration.assets.whole_quarters import HELD, SETTLED
from orchestration.build import build_definitions
from orchestration.descriptions.groups import GROUPS, group_of
from orchestration.descriptions.specs import COLUMN_SCHEMA, stage_specs
from orchestration.paths import PROJECT, DataFolder
from orchestration.stages import INPUT_TABLES, PUBLICATIONS, STAGES

SIX = (
    "base_allocations",
    "round_requests",
    "cleared_allocations",
    "repriced_fees",
    "incremental_sales",
    "settlements",
)

NO_TABLES = {*PUBLICATIONS.values(), QUARTER_REPORT, HELD, SETTLED}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory) -> dg.Definitions:
    return build_definitions(DataFolder(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def test_the_six_stages_are_assets_of_groups_with_their_names(graph):
    assert tuple(stage.name for stage in STAGES) == SIX
    for name in SIX:
        assert graph.get(dg.AssetKey(name)).group_name == group_of(name)


def test_only_what_comes_from_before_the_quarter_is_external(graph):
    external = {key.to_user_string() for key in graph.external_asset_keys}
    assert external == {f"history/{table}" for table in HISTORY}


def test_order_lines_lead_to_settlements_without_a_gap(graph):
    reached = {dg.AssetKey(["landing", "order_lines"])}
    frontier = set(reached)
    while frontier:
        frontier = {child for key in frontier for child in graph.get(key).child_keys} - reached
        reached |= frontier
    assert {dg.AssetKey(name) for name in ("base_allocations", "settlements")} <= reached
    assert {dg.AssetKey(name) for name in PUBLICATIONS.values()} <= reached


def test_every_input_table_is_used(graph):
    for table in INPUT_TABLES:
        assert graph.get(dg.AssetKey(["landing", table])).child_keys, table


def specs(definitions) -> list[dg.AssetSpec]:
    return [
        definitions.resolve_assets_def(key).get_asset_spec(key)
        for key in definitions.resolve_asset_graph().get_all_asset_keys()
    ]


def test_every_asset_is_described_to_someone_who_has_never_seen_the_project(definitions):
    faults = {
        f"{spec.key.to_user_string()} {fault}"
        for spec in specs(definitions)
        for fault in asset_faults(spec, is_table=spec.key.path[-1] not in NO_TABLES)
    }
    assert faults == set()


DESCRIBED = stage_specs(STAGES[-1])[0]
BARE_COLUMN = dg.TableSchema([dg.TableColumn("fee_minor", "BIGINT", "The fee.")])
MUTE_COLUMN = dg.TableSchema([dg.TableColumn("seller_id", "VARCHAR")])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"owners": []}, "has no owner"),
        ({"kinds": set()}, "has no kinds"),
        ({"group_name": "settlements"}, "is in group settlements"),
        ({"description": "What it is."}, "lacks **Formula**"),
        ({"description": "**Rule:** §7 **Formula**"}, "lacks **Grain:**"),
        ({"description": "**Grain:** one row **Formula**"}, "lacks **Rule:**"),
        ({"metadata": {}}, "names no section of the rules"),
        ({"metadata": {"rule": "§7"}}, "does not show the rule's words"),
        ({"metadata": {}}, "has no column schema"),
        ({"metadata": {COLUMN_SCHEMA: BARE_COLUMN}}, "column fee_minor is a number without a unit"),
        ({"metadata": {COLUMN_SCHEMA: MUTE_COLUMN}}, "column seller_id has no description"),
    ],
)
def test_an_asset_that_lacks_part_of_its_description_is_found(change, fault):
    assert asset_faults(DESCRIBED) == []
    found = asset_faults(DESCRIBED.replace_attributes(**change))
    assert any(each.startswith(fault) for each in found), found


def test_every_check_says_what_must_hold(graph):
    faults = [
        fault for key in graph.asset_check_keys for fault in check_faults(graph.get_check_spec(key))
    ]
    assert faults == []


@pytest.mark.parametrize("description", [None, "", "It holds."])
def test_a_check_without_a_sentence_is_found(description):
    assert check_faults(dg.AssetCheckSpec("contract", asset="t", description=description))


def test_groups_stand_in_the_order_of_a_quarter_when_sorted_by_name():
    named = [group_of(name) for name in GROUPS]
    assert named == sorted(named)


def test_every_table_that_crosses_a_stage_has_a_blocking_contract(graph):
    made = {table for stage in STAGES for table in stage.tables}
    read = {
        name.removeprefix("facts.")
        for stage in STAGES
        for name in stage.reads
        if name.startswith("facts.")
    }
    for table in made | read:
        key = dg.AssetCheckKey(dg.AssetKey(table), "contract")
        assert graph.get_check_spec(key).blocking, table


def test_there_is_a_job_for_every_stage_run(definitions):
    jobs = {job.name for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")}
    assert jobs == {
        "announce", "round_1", "round_2", "round_3", "round_4", "preliminary", "final", "true_up",
        "directed_rerun",
    }  # fmt: skip


def test_dagster_validates_the_definitions(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "FBACAP_DATA": str(tmp_path / "data"),
        "DAGSTER_DISABLE_TELEMETRY": "true",
    }
    command = [sys.executable, "-m", "dagster", "definitions", "validate"]
    done = subprocess.run(
        [*command, "-m", "orchestration.definitions"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
