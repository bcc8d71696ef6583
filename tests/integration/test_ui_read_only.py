"""`fbacap ui --read-only` as an auditor meets it: all can be seen, nothing can be changed."""

from __future__ import annotations

import json
import shutil
import socket

import graphql
import pytest
from ui_server import LOCATION, serving

from orchestration.assets.quarter_report import KEY as QUARTER_REPORT

_PARTITION = "2025-10-01"
_RUN_PARAMETERS = {
    "selector": {**LOCATION, "jobName": "announce"},
    "mode": "default",
    "executionMetadata": {
        "tags": [
            {"key": "dagster/partition", "value": _PARTITION},
            {"key": "fbacap/stage", "value": "announce"},
        ]
    },
}
_BACKFILL = {
    "assetSelection": [{"path": ["market_held"]}],
    "partitionNames": [_PARTITION],
}
_SENSOR = {**LOCATION, "sensorName": "scheduled_quarters"}
_ASSET_RANGE = {"assetKey": {"path": ["settlements"]}}
_EVENT = {"eventType": "ASSET_MATERIALIZATION", "assetKey": {"path": ["settlements"]}}

# name: (arguments and their types, their values)
CHANGES = {
    "launchRun": ("executionParams: ExecutionParams!", _RUN_PARAMETERS),
    "launchPipelineExecution": ("executionParams: ExecutionParams!", _RUN_PARAMETERS),
    "launchMultipleRuns": ("executionParamsList: [ExecutionParams!]!", [_RUN_PARAMETERS]),
    "launchRunReexecution": ("executionParams: ExecutionParams", _RUN_PARAMETERS),
    "launchPartitionBackfill": ("backfillParams: LaunchBackfillParams!", _BACKFILL),
    "startSensor": ("sensorSelector: SensorSelector!", _SENSOR),
    "resetSensor": ("sensorSelector: SensorSelector!", _SENSOR),
    "setSensorCursor": ("sensorSelector: SensorSelector!", _SENSOR),
    "stopSensor": ("id: String", "SENSOR"),
    "startSchedule": ("scheduleSelector: ScheduleSelector!", {**LOCATION, "scheduleName": "any"}),
    "deleteRun": ("runId: String!", "RUN"),
    "deletePipelineRun": ("runId: String!", "RUN"),
    "terminateRun": ("runId: String!", "RUN"),
    "terminateRuns": ("runIds: [String!]!", ["RUN"]),
    "wipeAssets": ("assetPartitionRanges: [PartitionsByAssetSelector!]!", [_ASSET_RANGE]),
    "reportRunlessAssetEvents": ("eventParams: ReportRunlessAssetEventsParams!", _EVENT),
    "reloadWorkspace": ("", None),
    "setConcurrencyLimit": ("concurrencyKey: String!, limit: Int!", ("any", 1)),
}
# What to ask of an answer, where it is not one of several outcomes by name.
ASKED_OF = {
    "launchMultipleRuns": "... on LaunchMultipleRunsResult { launchMultipleRunsResult {"
    " __typename } }",
    "terminateRun": "... on TerminateRunFailure { message }",
    "terminateRuns": "... on TerminateRunsResult { terminateRunResults {"
    " ... on TerminateRunFailure { message } } }",
}
PLAIN_RESULTS = {"setConcurrencyLimit"}
# Of what is not among CHANGES: these look for what they are about before they ask who is asking,
FAIL_BEFORE_ASKING = {
    "cancelPartitionBackfill", "launchPipelineReexecution", "logTelemetry",
    "reexecutePartitionBackfill", "resumePartitionBackfill", "stopRunningSchedule",
}  # fmt: skip
# and this notes that an introduction was seen.
HARMLESS = {"setNuxSeen"}
REFUSALS = ("UnauthorizedError", "do not have permission", "not authorized")


def mutations() -> dict[str, graphql.GraphQLField]:
    """Every change that this version of Dagster can be asked for."""
    from dagster_graphql.schema import create_schema

    return dict(create_schema().graphql_schema.mutation_type.fields)


def asked_with_nothing(name: str, field: graphql.GraphQLField) -> tuple[str, dict]:
    """A change asked for with values that are of their types and name nothing that exists."""
    head = ", ".join(f"${argument}: {each.type}" for argument, each in field.args.items())
    handed = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    asked = "" if graphql.is_leaf_type(graphql.get_named_type(field.type)) else " { __typename }"
    words = f"({handed})" if handed else ""
    query = f"mutation{f'({head})' if head else ''} {{ answer: {name}{words}{asked} }}"
    return query, {argument: _nothing(each.type) for argument, each in field.args.items()}


def _nothing(kind: graphql.GraphQLInputType) -> object:
    if isinstance(kind, graphql.GraphQLNonNull):
        return _nothing(kind.of_type)
    if isinstance(kind, graphql.GraphQLList):
        return [_nothing(kind.of_type)]
    if isinstance(kind, graphql.GraphQLInputObjectType):
        return {
            name: _nothing(each.type)
            for name, each in kind.fields.items()
            if isinstance(each.type, graphql.GraphQLNonNull)
        }
    if isinstance(kind, graphql.GraphQLEnumType):
        return next(iter(kind.values))
    return {"Int": 1, "Float": 1.0, "Boolean": True}.get(kind.name, "nothing")


def changed(server, name: str, values: object) -> dict:
    """Ask for one of CHANGES and give the whole answer."""
    declared = [each.split(": ") for each in CHANGES[name][0].split(", ") if each]
    names = [argument for argument, _ in declared]
    head = ", ".join(f"${argument}: {kind}" for argument, kind in declared)
    handed = ", ".join(f"{argument}: ${argument}" for argument in names)
    query = f"mutation{f'({head})' if head else ''} {{ answer: {name}"
    query += f"{f'({handed})' if handed else ''}"
    asked = f"{{ __typename {ASKED_OF.get(name, '')} }}"
    query += " }" if name in PLAIN_RESULTS else f" {asked} }}"
    given = values if isinstance(values, tuple) else (values,)
    return server.ask(query, **dict(zip(names, given, strict=False)))


@pytest.fixture(scope="module")
def server(cleared_market, tmp_path_factory):
    data = tmp_path_factory.mktemp("ui") / "data"
    shutil.copytree(cleared_market.root, data)
    with serving("--read-only", "--data", data) as server:
        yield server


@pytest.fixture(scope="module")
def runs(server) -> list[str]:
    answer = server.ask("{ runsOrError { ... on Runs { results { runId } } } }")
    return [run["runId"] for run in answer["data"]["runsOrError"]["results"]]


@pytest.fixture(scope="module")
def sensors(server) -> list[dict]:
    answer = server.ask(
        "query($at: RepositorySelector!) { sensorsOrError(repositorySelector: $at) {"
        " ... on Sensors { results { id name sensorState { status } } } } }",
        at=LOCATION,
    )
    return answer["data"]["sensorsOrError"]["results"]


def test_an_auditor_sees_assets_checks_runs_and_figures(server, runs):
    answer = server.ask(
        "{ assetNodes { assetKey { path } groupName description isPartitioned }"
        ' assetOrError(assetKey: {path: ["market_rounds"]}) { ... on Asset {'
        " assetMaterializations { partition metadataEntries { label __typename } } } } }"
    )["data"]
    keys = {tuple(node["assetKey"]["path"]) for node in answer["assetNodes"]}
    assert {("settlements",), ("landing", "order_lines"), (QUARTER_REPORT,)} <= keys
    (latest, *_) = answer["assetOrError"]["assetMaterializations"]
    labels = {entry["label"]: entry["__typename"] for entry in latest["metadataEntries"]}
    assert latest["partition"] == _PARTITION
    assert labels["granted_milli_ft3"] == "IntMetadataEntry"
    assert labels["demand_and_supply"] == "MarkdownMetadataEntry"
    assert {"policy_version", "policy_sha256", "code_version", "cut_off"} <= set(labels)
    assert runs


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_nothing_can_be_changed(server, runs, sensors, name):
    if not sensors and "SENSOR" in str(CHANGES[name][1]):
        pytest.fail("there is no sensor to stop")
    text = json.dumps(CHANGES[name][1]).replace('"RUN"', f'"{runs[0]}"')
    values = json.loads(text.replace('"SENSOR"', json.dumps(sensors[0]["id"])))
    answer = changed(server, name, tuple(values) if isinstance(CHANGES[name][1], tuple) else values)
    said = json.dumps(answer)
    assert any(refusal in said for refusal in REFUSALS), said
    assert "Success" not in said


def test_every_other_change_that_dagster_knows_is_refused_too(server):
    others = {name: field for name, field in mutations().items() if name not in CHANGES}
    assert len(others) > 20
    for name, field in others.items():
        query, values = asked_with_nothing(name, field)
        said = json.dumps(server.ask(query, **values))
        refusals = ("PythonError",) if name in FAIL_BEFORE_ASKING else (*REFUSALS, "Unauthorized")
        assert name in HARMLESS or any(refusal in said for refusal in refusals), (name, said)
        assert "Success" not in said


def test_refused_changes_left_every_run_and_no_sensor_running(server, runs, sensors):
    for name in ("deleteRun", "launchRun", "startSensor"):
        test_nothing_can_be_changed(server, runs, sensors, name)
    found = server.ask("{ runsOrError { ... on Runs { results { runId } } } }")
    assert [run["runId"] for run in found["data"]["runsOrError"]["results"]] == runs
    assert {sensor["sensorState"]["status"] for sensor in sensors} == {"STOPPED"}


def test_it_listens_on_127_0_0_1_alone(server):
    # Another loopback address reaches a server that listens everywhere, and not this one.
    with socket.socket() as probe:
        probe.settimeout(5)
        assert probe.connect_ex(("127.0.0.2", server.port)) != 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) == 0


def test_it_tells_nobody_that_it_is_used(server):
    page = server.page()
    start = page.index('"telemetryEnabled"')
    assert page[start:].split(":", 1)[1].lstrip().startswith("false")
