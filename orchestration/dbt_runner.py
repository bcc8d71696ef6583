"""dbt in the run's own process.

Here belongs every call into dbt: parsing the project once per process, running models and their
tests on one working file, and closing dbt's connections so that the next step can open the file.
A subprocess per call would parse again each time and outlive a killed parent.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from orchestration.errors import FbacapError
from orchestration.paths import DBT_PROJECT

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.contracts.graph.manifest import Manifest

WORKING_FILE_VARIABLE = "FBACAP_WORKING_FILE"
_PARSE_CACHE = DBT_PROJECT / "target" / "fbacap"
_one_at_a_time = threading.RLock()
_GLOBAL = (
    "--quiet",
    "--log-level",
    "none",
    "--no-populate-cache",
    "--no-write-json",
    "--log-level-file",
    "none",
    "--no-send-anonymous-usage-stats",
    "--no-version-check",
)


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node: a model, a data test."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    message: str
    failures: int

    @property
    def succeeded(self) -> bool:
        """Whether the model was built or the test passed (a warning passes)."""
        return self.status in ("success", "pass", "warn")


@cache
def manifest() -> Manifest:
    """The parsed project; parsed once per process.

    Raises:
        FbacapError: the project does not parse.
    """
    from dbt.cli.main import dbtRunner

    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="fbacap-dbt-") as folder:
        target = Path(folder)
        saved = _PARSE_CACHE / "partial_parse.msgpack"
        if saved.is_file():
            shutil.copyfile(saved, target / saved.name)
        # A profile that names another file would make dbt parse everything again.
        with _environment(_PARSE_CACHE / "quarter.duckdb"):
            result = dbtRunner().invoke(_command("parse", target))
        if not result.success:
            raise FbacapError(f"the dbt project does not parse: {result.exception}")
        _keep(target / saved.name, saved)
    return cast("Manifest", result.result)


@cache
def manifest_document() -> Mapping[str, Any]:
    """The parsed project as plain JSON values."""
    document: Mapping[str, Any] = manifest().writable_manifest().to_dict(omit_none=False)
    return document


def build_models(working_file: Path, models: Sequence[str]) -> tuple[NodeResult, ...]:
    """Build models and run their tests on a working file, in dependency order.

    Args:
        working_file: the run's DuckDB file; no other connection may be open on it.
        models: model names.

    Raises:
        FbacapError: dbt itself failed before any node ran.
    """
    from dbt.cli.main import dbtRunner

    selection = [f"fqn:{name}" for name in models]
    with _one_at_a_time, _environment(working_file):
        command = _command("build", working_file.parent / "dbt")
        command += ["--resource-type", "model", "--resource-type", "test"]
        command += ["--indirect-selection", "buildable", "--select", *selection]
        try:
            result = dbtRunner(manifest=manifest()).invoke(command)
        finally:
            _close_connections()
    if result.exception is not None and result.result is None:
        raise FbacapError(f"dbt could not run {', '.join(models)}: {result.exception}")
    return tuple(_node_result(entry) for entry in cast("RunExecutionResult", result.result))


def compiled_models() -> Mapping[str, str]:
    """The SQL that every model runs, by model name, with nothing built.

    Raises:
        FbacapError: a model does not compile.
    """
    from dbt.cli.main import dbtRunner

    with (
        _one_at_a_time,
        tempfile.TemporaryDirectory(prefix="fbacap-dbt-") as folder,
        _environment(Path(folder) / "quarter.duckdb"),
    ):
        command = [*_command("compile", Path(folder)), "--select", "resource_type:model"]
        try:
            result = dbtRunner(manifest=manifest()).invoke(command)
        finally:
            _close_connections()
    if not result.success:
        raise FbacapError(f"the dbt models do not compile: {result.exception}")
    compiled = (entry.node for entry in cast("RunExecutionResult", result.result))
    return {
        node.name: str(node.compiled_code)
        for node in compiled
        if str(node.resource_type) == "model"
    }


def _node_result(entry: Any) -> NodeResult:
    return NodeResult(
        unique_id=entry.node.unique_id,
        name=entry.node.name,
        resource_type=str(entry.node.resource_type),
        status=str(entry.status),
        message=str(entry.message or ""),
        failures=int(entry.failures or 0),
    )


def _command(name: str, target: Path) -> list[str]:
    return [
        *_GLOBAL,
        name,
        "--project-dir",
        str(DBT_PROJECT),
        "--profiles-dir",
        str(DBT_PROJECT),
        "--target-path",
        str(target),
        "--log-path",
        str(target),
        "--vars",
        # The contracts of tables that cross a stage are checked after each step, so not here again.
        "{create_missing_sources: false, enforce_contracts: false}",
    ]


@contextmanager
def _environment(working_file: Path) -> Iterator[None]:
    before = os.environ.get(WORKING_FILE_VARIABLE)
    os.environ[WORKING_FILE_VARIABLE] = str(working_file)
    try:
        yield
    finally:
        if before is None:
            del os.environ[WORKING_FILE_VARIABLE]
        else:
            os.environ[WORKING_FILE_VARIABLE] = before


def _close_connections() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if DuckDBConnectionManager._ENV is not None:  # close_all_connections only forgets it
        DuckDBConnectionManager._ENV.close()
    DuckDBConnectionManager.close_all_connections()


def _keep(parsed: Path, saved: Path) -> None:
    """Keep dbt's parse for the next process; replaced whole, so that no process reads half."""
    if not parsed.is_file():
        return
    try:
        saved.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=saved.parent)
    except OSError:  # a service cannot write to its code; the parse made at installation stays
        return
    os.close(descriptor)
    shutil.copyfile(parsed, name)
    Path(name).replace(saved)


if __name__ == "__main__":  # part of the installation: the first run need not parse everything
    manifest()
