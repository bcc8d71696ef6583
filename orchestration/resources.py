"""What assets hold in their hands: the working file of the run they execute in.

Here belong reading a relation into a frame and writing a frame as a stage's table, so that an asset
is read, one pure call, write. Frames cross as Arrow, never row by row.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import pyarrow as pa

from fbacap_logic.calendar import Quarter
from orchestration.contracts import load_contract
from orchestration.descriptions.run_metadata import run_metadata
from orchestration.errors import FbacapError
from orchestration.locks import run_lock
from orchestration.paths import DataFolder
from orchestration.stage_run import STAGE_TAG, StageRun, stage_run
from orchestration.storage_faults import working_file_harmed
from orchestration.whole_files import require_whole
from orchestration.working import FILE_NAME, connect, working_folder

INPUTS_FILE = "inputs.json"
FILES_FILE = "files.json"

_NULLABLE = {
    pa.int64(): pd.Int64Dtype(),
    pa.int32(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


class Market(dg.ConfigurableResource[Any]):
    """The data folder of one market, and the working file of the current run."""

    data_root: str

    @property
    def data(self) -> DataFolder:
        """The data folder."""
        return DataFolder(Path(self.data_root))

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Market]:
        """Hold the quarter's lock from a run's first step to its last, whoever launched it."""
        partition = context.run.tags.get("dagster/partition") if context.run else None
        if partition is None:
            yield self
            return
        on_wait = context.log.info if context.log else print
        with run_lock(self.data, Quarter.parse(partition), on_wait):
            yield self

    def stage_run(self, context: Any) -> StageRun:
        """Which stage of which quarter the current run executes.

        Raises:
            FbacapError: the run was launched without a stage.
        """
        tags = context.run.tags
        if STAGE_TAG not in tags:
            raise FbacapError(
                f"this run has no '{STAGE_TAG}' tag, so its cut-off is unknown; launch one of the "
                "stage jobs (announce, round_1 …, true_up) or use `fbacap run`"
            )
        quarter = Quarter.parse(tags["dagster/partition"])
        return stage_run(self.data, quarter, tags)

    def folder(self, context: Any) -> Path:
        """The working folder of the current run."""
        return working_folder(self.stage_run(context), context.run.run_id)

    def working_file(self, context: Any) -> Path:
        """The working file of the current run.

        Raises:
            FbacapError: the run's first step, which makes it, was left out.
            Corrupted: somebody has removed it.
        """
        path = self.folder(context) / FILE_NAME
        if not path.is_file() and (path.parent / FILES_FILE).is_file():
            raise working_file_harmed(path, "was removed")
        if not path.is_file():
            raise FbacapError(
                f"{path} is not there: a stage's assets run together, beginning with the landing "
                "tables; launch the whole stage job"
            )
        return path

    def inputs(self, context: Any) -> dict[str, Any]:
        """What the working file was built from."""
        text = (self.folder(context) / INPUTS_FILE).read_text(encoding="utf-8")
        record: dict[str, Any] = json.loads(text)
        return record

    def require_whole_inputs(self, context: Any) -> None:
        """See that the files which the working file reads are still those that it was built over.

        Raises:
            Corrupted: one is missing or has other bytes.
        """
        text = (self.folder(context) / FILES_FILE).read_text(encoding="utf-8")
        require_whole({Path(path): sha256 for path, sha256 in json.loads(text).items()})

    @contextmanager
    def open(self, context: Any) -> Iterator[OpenStage]:
        """Open the current run's working file for one asset."""
        run = self.stage_run(context)
        with connect(self.working_file(context)) as connection:
            yield OpenStage(run, connection)


@dataclass
class OpenStage:
    """A stage run with its working file open. Counts what was read, for metadata."""

    run: StageRun
    connection: duckdb.DuckDBPyConnection
    rows_in: dict[str, int] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def frame(self, relation: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read a relation, ordered by all its columns so that no frame depends on storage order.

        Integers come as int64, or Int64 where a null stands; days as datetime64.
        """
        names = ", ".join(f'"{name}"' for name in columns) if columns else "*"
        table = self.connection.sql(f"select {names} from {relation} order by all").to_arrow_table()
        self.rows_in[relation.split(".")[-1]] = table.num_rows
        frame = table.to_pandas(types_mapper=_NULLABLE.get, date_as_object=False)
        for name in frame.columns:
            if frame[name].dtype == pd.Int64Dtype() and not frame[name].isna().any():
                frame[name] = frame[name].astype("int64")
            elif frame[name].dtype == pd.BooleanDtype() and not frame[name].isna().any():
                frame[name] = frame[name].astype("bool")
        return frame

    def write(
        self, table: str, frame: pd.DataFrame, metadata: Mapping[str, Any] | None = None
    ) -> dg.MaterializeResult:
        """Write a frame as ``market.<table>`` with its contract's columns, types and order.

        Returns:
            The table's materialisation: rows in and out, cut-off, policy, and ``metadata``.

        Raises:
            FbacapError: the frame lacks a column of the contract.
        """
        contract = load_contract(table)
        missing = [name for name in contract.column_names if name not in frame.columns]
        if missing:
            raise FbacapError(
                f"{table} was computed without its column {missing[0]}; "
                "the stage and its contract disagree"
            )
        columns = ", ".join(
            f'cast("{column.name}" as {column.physical_type}) as "{column.name}"'
            for column in contract.columns
        )
        order = ", ".join(f'"{name}"' for name in contract.key)
        arrow = pa.Table.from_pandas(frame[list(contract.column_names)], preserve_index=False)
        self.connection.register("computed", arrow)
        try:
            self.connection.execute(
                f"create or replace table market.{table} as "
                f"select {columns} from computed order by {order}"
            )
        finally:
            self.connection.unregister("computed")
        return self._result(table, arrow.num_rows, metadata or {})

    def _result(
        self, table: str, rows_out: int, metadata: Mapping[str, Any]
    ) -> dg.MaterializeResult:
        return dg.MaterializeResult(
            asset_key=table,
            metadata={
                "dagster/row_count": rows_out,
                "rows_in": sum(self.rows_in.values()),
                "rows_read": dict(sorted(self.rows_in.items())),
                "rows_out": rows_out,
                "seconds": round(time.perf_counter() - self.started, 3),
                **run_metadata(self.run),
                **metadata,
            },
        )
