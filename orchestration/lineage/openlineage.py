"""Lineage as OpenLineage events (spec 2-0-2), for catalogues that read that standard.

Here belong the design, one JobEvent for each table that is made, and what it shares with the runs
(``openlineage_runs``): names of datasets, facets, the file's lines. Nothing is sent anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from orchestration.lineage.graph import Lineage, LineageTable

NAMESPACE = "fbacap"
PRODUCER = "urn:fbacap:lineage:1"
DESIGN_TIME = "1970-01-01T00:00:00Z"
"""A design happens at no moment, and a clock would make every export another file."""

_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
_FACETS = "https://openlineage.io/spec/facets/"
_BEGINNINGS = ("policy", "run", "landing")

Event = dict[str, Any]


def job_events(lineage: Lineage) -> Iterator[Event]:
    """The design: what makes each table, from which tables and columns; in the graph's order."""
    for table in lineage.tables.values():
        if table.layer in _BEGINNINGS:
            continue
        yield {
            "eventTime": DESIGN_TIME,
            "producer": PRODUCER,
            "schemaURL": f"{_SPEC}JobEvent",
            "job": {
                "namespace": NAMESPACE,
                "name": table.relation,
                "facets": {
                    "documentation": facet("1-1-0/DocumentationJobFacet",
                                           description=f"{table.made_by}: {table.description}"),
                    "jobType": facet("2-0-4/JobTypeJobFacet", processingType="BATCH",
                                     integration="FBACAP", jobType="TABLE"),
                },
            },
            "inputs": [dataset(lineage.tables[name]) for name in inputs_of(table)],
            "outputs": [dataset(table) | {"facets": output_facets(table)}],
        }  # fmt: skip


def inputs_of(table: LineageTable) -> list[str]:
    """The relations that a table is made of, itself left out; in name order."""
    read = {source.rpartition(".")[0] for source in table.row_sources}
    for column in table.columns:
        read |= {source.rpartition(".")[0] for source in column.sources}
    return sorted(read - {table.relation})


def dataset(table: LineageTable) -> Event:
    """A table as a dataset, by name alone."""
    return {"namespace": NAMESPACE, "name": table.relation}


def output_facets(table: LineageTable) -> Event:
    """Schema, documentation, and where each column and the rows come from."""
    return {
        "schema": facet(
            "1-2-0/SchemaDatasetFacet",
            fields=[
                {"name": column.name, "type": column.physical_type or "UNKNOWN",
                 "description": column.description}
                for column in table.columns
            ],
        ),
        "documentation": facet("1-1-0/DocumentationDatasetFacet", description=table.description),
        "columnLineage": facet(
            "1-2-0/ColumnLineageDatasetFacet",
            fields={
                column.name: {
                    "inputFields": [
                        _input_field(source, "DIRECT",
                                     "TRANSFORMATION" if column.formula else "IDENTITY",
                                     column.formula or "")
                        for source in column.sources
                    ]
                }
                for column in table.columns
            },
            dataset=[
                _input_field(source, "INDIRECT", "FILTER", "decides which rows there are")
                for source in table.row_sources
            ],
        ),
    }  # fmt: skip


def facet(schema: str, **fields: Any) -> Event:
    """A facet of the standard: its fields, who made it, and its schema."""
    name = schema.split("/")[1]
    url = f"{_FACETS}{schema}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **fields}


def lines_of(events: Iterable[Event]) -> str:
    """Events as JSON lines, keys sorted: the same events are the same bytes."""
    return "".join(
        json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
        for event in events
    )


def _input_field(source: str, kind: str, subtype: str, description: str) -> Event:
    relation, _, column = source.rpartition(".")
    return {
        "namespace": NAMESPACE,
        "name": relation,
        "field": column,
        "transformations": [
            {"type": kind, "subtype": subtype, "description": description, "masking": False}
        ],
    }
