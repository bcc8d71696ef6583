"""Published runs as OpenLineage events: what ran, on which inputs, with which checks.

Here belongs reading a quarter's manifests into RunEvents. A manifest holds no clock, because the
same inputs must give the same bytes; so an event's time is the run's cut-off: the instant as of
which all that it says is true.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fbacap_logic.calendar import Quarter
from orchestration.errors import NotPublished
from orchestration.lineage.graph import Lineage
from orchestration.lineage.openlineage import (
    NAMESPACE,
    PRODUCER,
    Event,
    dataset,
    facet,
    output_facets,
)
from orchestration.published import PublishedRun, published_runs
from orchestration.published_checks import RuleOutcome, rule_outcomes
from orchestration.stages import schema_of

_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_RUN_IDS = uuid.uuid5(uuid.NAMESPACE_URL, PRODUCER)


def run_events(lineage: Lineage, zone: Path, quarter: Quarter) -> Iterator[Event]:
    """A START and a COMPLETE for each published run of a quarter, in the order of the runs.

    Raises:
        NotPublished: the quarter has no published run.
    """
    runs = published_runs(zone, quarter)
    if not runs:
        raise NotPublished(
            f"nothing of {quarter.label} is published in {zone}; `fbacap run {quarter.label}` first"
        )
    for run in runs:
        for kind in ("START", "COMPLETE"):
            yield _event(lineage, run, kind)


def _event(lineage: Lineage, run: PublishedRun, kind: str) -> Event:
    manifest = run.manifest
    event: Event = {
        "eventType": kind,
        "eventTime": run.cutoff_at.isoformat(),
        "producer": PRODUCER,
        "schemaURL": _SPEC,
        "run": {
            "runId": str(uuid.uuid5(_RUN_IDS, _identity(run))),
            "facets": {
                "nominalTime": facet(
                    "1-0-1/NominalTimeRunFacet", nominalStartTime=run.cutoff_at.isoformat()
                ),
                "processing_engine": facet(
                    "1-1-1/ProcessingEngineRunFacet",
                    version=str(manifest["engine"]).split()[-1],
                    name="duckdb",
                    openlineageAdapterVersion=str(manifest["code_version"]),
                ),
            },
        },
        "job": {"namespace": NAMESPACE, "name": f"{run.kind}.{run.stage}"},
        "inputs": list(_inputs(manifest["inputs"])),
        "outputs": [],
    }
    if kind == "COMPLETE":
        checks: dict[str, list[RuleOutcome]] = {}
        for outcome in rule_outcomes(run):
            checks.setdefault(outcome.table, []).append(outcome)
        event["outputs"] = [
            _output(lineage, table, entry, checks.get(table, ()))
            for table, entry in sorted(run.tables.items())
        ]
    return event


def _identity(run: PublishedRun) -> str:
    """What makes a run this run: its place, and the hashes of all that it published."""
    hashes = [f"{table}={entry['sha256']}" for table, entry in sorted(run.tables.items())]
    return "\n".join([run.quarter.label, run.stage, str(run.run), *hashes])


def _inputs(inputs: Mapping[str, Any]) -> Iterator[Event]:
    """Files as received, a dataset each table, and the published runs that were read."""
    by_table: dict[str, list[str]] = {}
    for entry in inputs["landing"]:
        by_table.setdefault(entry["table"], []).append(entry["sha256"])
    for table, hashes in sorted(by_table.items()):
        version = facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=",".join(sorted(hashes)))
        yield {
            "namespace": NAMESPACE,
            "name": f"landing.{table}",
            "facets": {"version": version},
        }
    for entry in inputs["published"]:
        for table, digest in sorted(entry["sha256"].items()):
            yield {
                "namespace": NAMESPACE,
                "name": f"{schema_of(table)}.{table}",
                "facets": {
                    "version": facet(
                        "1-0-1/DatasetVersionDatasetFacet",
                        datasetVersion=f"{entry['quarter']} {entry['stage']} {digest}",
                    )
                },
            }


def _output(
    lineage: Lineage, table: str, entry: Mapping[str, Any], outcomes: Sequence[RuleOutcome]
) -> Event:
    known = lineage.tables[f"{schema_of(table)}.{table}"]
    facets = output_facets(known)
    facets["version"] = facet(
        "1-0-1/DatasetVersionDatasetFacet", datasetVersion=str(entry["sha256"])
    )
    if outcomes:
        facets["dataQualityAssertions"] = facet(
            "1-1-0/DataQualityAssertionsDatasetFacet",
            assertions=[
                {"assertion": each.rule, "success": each.outcome == "passed"}
                for each in outcomes
                if each.outcome != "not_judged"
            ],
        )
    rows = int(entry["rows"])
    statistics = facet("1-0-2/OutputStatisticsOutputDatasetFacet", rowCount=rows)
    return dataset(known) | {"facets": facets, "outputFacets": {"outputStatistics": statistics}}
