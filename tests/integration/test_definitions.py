"""The graph that Dagster loads: whole, owned, described."""

import os
import subprocess
import sys

import dagster as dg
import pytest

from orchestration.assets.history import HISTORY
from orchestration.build import build_definitions
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


@pytest.fixture(scope="module")
def definitions(tmp_path_factory) -> dg.Definitions:
    return build_definitions(DataFolder(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def test_the_six_stages_are_assets_of_groups_with_their_names(graph):
    assert tuple(stage.name for stage in STAGES) == SIX
    for name in SIX:
        assert graph.get(dg.AssetKey(name)).group_name == name


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


def test_every_asset_has_an_owner_a_group_and_a_description(graph):
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.owners, key
        assert node.group_name != "default", key
        assert node.description, key


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
