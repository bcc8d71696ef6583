"""The expectations that contracts become, in Great Expectations' own terms.

Here belong the two expectations, the metric behind them and the settings Great Expectations needs
to run inside DuckDB. Importing this module imports Great Expectations, which takes seconds: import
it inside functions. Which rules a contract has is ``implied_rules``; running them and reading the
outcome is ``contract_run``.

Great Expectations' stock expectations are not used: each column of each of them costs queries of
its own. These two let it bundle every row rule of a table into one scan.
"""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.compatibility import pydantic
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import sqlalchemy_execution_engine
from great_expectations.execution_engine.sqlalchemy_execution_engine import (
    SqlAlchemyExecutionEngine,
)
from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

BREAKING_ROWS = "contract.breaking_rows"
QUERY_ROWS = "unexpected_rows_query.row_count"
TABLE_ROWS = "table.row_count"


class _Dialect(str, Enum):  # noqa: UP042 - a StrEnum hashes alike, but GX asks for .value
    """The one dialect name that Great Expectations does not know."""

    DUCKDB = "duckdb"


# Great Expectations fetches a result after it has closed the connection, except for dialects that
# it keeps a connection open for; on DuckDB every fetch would fail with "list index out of range".
_known: Any = sqlalchemy_execution_engine
_known._PERSISTED_CONNECTION_DIALECTS = (*_known._PERSISTED_CONNECTION_DIALECTS, _Dialect.DUCKDB)


def _let_go_of_duckdb() -> None:
    """Empty duckdb-engine's modules when the interpreter ends.

    Something under Great Expectations keeps them from being freed, and DuckDB's bindings then
    print forty lines about leaked objects after everything has gone well.
    """
    for name, module in tuple(sys.modules.items()):
        if name.partition(".")[0] == "duckdb_engine":
            vars(module).clear()


atexit.register(_let_go_of_duckdb)

# A rule that cannot be evaluated is raised by contract_run in one sentence; the log would repeat
# it with a traceback for every rule of the suite, and announce a folder that is never used.
_log = logging.getLogger("great_expectations")
_log.addHandler(logging.NullHandler())
_log.propagate = False


class BreakingRows(TableMetricProvider):
    """How many rows a predicate is not true of; null counts as broken.

    A partial aggregate, so that Great Expectations computes it for all rules in one query.
    """

    metric_name = BREAKING_ROWS
    value_keys = ("predicate",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,  # noqa: N805 - Great Expectations calls it as a class method
        execution_engine: SqlAlchemyExecutionEngine,  # noqa: ARG002
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: Mapping[str, Any],  # noqa: ARG002
        runtime_configuration: dict[str, Any],  # noqa: ARG002
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        predicate = metric_value_kwargs["predicate"]
        count: Any = sa.literal_column(f"count(*) filter (where ({predicate}) is not true)")
        return count, metric_domain_kwargs, {}


class _WrittenOnce:
    """Keeps an expectation's configuration, which Great Expectations asks for 30 times a rule."""

    _written: ExpectationConfiguration | None

    @property
    def configuration(self) -> ExpectationConfiguration:
        """The expectation as Great Expectations keeps it; it never changes once it is made."""
        if self._written is None:
            whole: Any = super()
            self._written = whole.configuration
        return self._written


class ExpectEveryRowToSatisfy(_WrittenOnce, BatchExpectation):
    """Every row makes ``predicate`` (SQL) true; null does not."""

    predicate: str
    _written: ExpectationConfiguration | None = pydantic.PrivateAttr(default=None)

    metric_dependencies: ClassVar[tuple[str, ...]] = (BREAKING_ROWS, TABLE_ROWS)
    success_keys: ClassVar[tuple[str, ...]] = ("predicate",)

    def _validate(
        self,
        metrics: Mapping[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002
        execution_engine: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        return _outcome(metrics, BREAKING_ROWS)


class ExpectQueryToFindNothing(_WrittenOnce, UnexpectedRowsExpectation):
    """``unexpected_rows_query`` finds no row; it is counted only, its rows are not fetched."""

    _written: ExpectationConfiguration | None = pydantic.PrivateAttr(default=None)

    metric_dependencies: ClassVar[tuple[str, ...]] = (QUERY_ROWS, TABLE_ROWS)

    def _validate(
        self,
        metrics: Mapping[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002
        execution_engine: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        return _outcome(metrics, QUERY_ROWS)


def _outcome(metrics: Mapping[str, Any], counted: str) -> dict[str, Any]:
    failed = int(metrics[counted])
    return {
        "success": failed == 0,
        "result": {"observed_value": failed, "element_count": int(metrics[TABLE_ROWS])},
    }
