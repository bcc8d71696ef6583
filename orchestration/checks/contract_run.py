"""Running a table's contract as a Great Expectations suite inside DuckDB.

Here belongs everything between a contract and its result. Great Expectations is imported inside
functions, because that takes seconds. Rules are ``implied_rules``, outcomes ``contract_result``;
Dagster's asset checks around this are ``contract_checks``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.checks.contract_result import ContractResult, RuleResult
from orchestration.checks.implied_rules import (
    SHAPE_KEY,
    SHAPE_RULES,
    content_rules,
    shape_query,
)
from orchestration.contracts import Contract, Rule
from orchestration.errors import BadConfiguration, Busy, NotPublished

_TABLE = "${table}"
_GX_SEVERITY = {"error": "critical", "warning": "warning"}


def run_contract(
    database: Path, schema: str, contract: Contract, *, sample: int = 5
) -> ContractResult:
    """Check ``schema.<contract's table>`` of a working file against its contract.

    The file is opened for reading only and let go before this returns. Rules about rows are judged
    in one scan; when columns or types are not as agreed, only that is reported.

    Args:
        database: the working file; nobody may hold it open for writing meanwhile.
        schema: the schema in which the contract's table stands.
        contract: what the table promises.
        sample: how many breaking rows to keep per rule, at least 1.

    Raises:
        NotPublished: there is no such working file.
        Busy: another process or connection holds it.
        BadConfiguration: a rule cannot be evaluated; never counted as held or broken.
    """
    rules = content_rules(contract)
    with _opened(database) as source:
        query = shape_query(schema, contract)
        asset = source.datasource.add_query_asset("shape", query=query)
        shape = source.judge(asset, SHAPE_RULES, f"({query}) as shape", SHAPE_KEY, sample, contract)
        if not all(result.passed for result in shape):
            unjudged = tuple(rule.name for rule in rules)
            return ContractResult(contract.table, contract.version, False, shape, unjudged)
        relation = f"{schema}.{contract.table}"
        # A schema_name would be quoted together with the table's name and not be found.
        asset = source.datasource.add_table_asset("table", table_name=relation)
        content = source.judge(asset, rules, relation, contract.key, sample, contract)
    results = shape + content
    passed = all(result.passed for result in results if result.severity == "error")
    return ContractResult(contract.table, contract.version, passed, results)


@dataclass(frozen=True)
class _Source:
    """One working file, opened for Great Expectations and for fetching samples."""

    datasource: Any
    engine: Any

    def judge(
        self,
        asset: Any,
        rules: Sequence[Rule],
        relation: str,
        key: Sequence[str],
        sample: int,
        contract: Contract,
    ) -> tuple[RuleResult, ...]:
        """Validate one asset against rules; samples are fetched for broken rules only."""
        from great_expectations import ExpectationSuite

        suite = ExpectationSuite(name=asset.name, expectations=[_expectation(r) for r in rules])
        batch = asset.add_batch_definition_whole_table("whole").get_batch()
        outcomes = {
            outcome.expectation_config.meta["rule"]: outcome
            for outcome in batch.validate(suite, result_format="BASIC").results
        }
        if fault := _first_exception(outcomes.values()):
            raise self._unevaluable(rules, relation, contract, fault)
        return tuple(
            self._result(rule, outcomes[rule.name], relation, key, sample) for rule in rules
        )

    def _result(
        self, rule: Rule, outcome: Any, relation: str, key: Sequence[str], sample: int
    ) -> RuleResult:
        passed = bool(outcome.success)
        return RuleResult(
            name=rule.name,
            sentence=rule.sentence,
            severity=rule.severity,
            passed=passed,
            checked_rows=int(outcome.result["element_count"]),
            failed_rows=int(outcome.result["observed_value"]),
            sample=() if passed else self._sample(rule, relation, key, sample),
        )

    def _sample(
        self, rule: Rule, relation: str, key: Sequence[str], sample: int
    ) -> tuple[Mapping[str, str], ...]:
        wanted = "*"
        if rule.kind == "row":
            wanted = ", ".join(dict.fromkeys((*key, *rule.columns)))
        first = (
            f"select {wanted} from ({rule.bad_rows_sql(relation)}) as bad_rows "
            f"order by all limit {int(sample)}"
        )
        with self.engine.get_connection() as connection:
            rows = connection.exec_driver_sql(
                f"select columns(*)::varchar from ({first}) as first_rows"
            ).mappings()
            return tuple(
                {name: "null" if value is None else value for name, value in row.items()}
                for row in rows
            )

    def _unevaluable(
        self, rules: Sequence[Rule], relation: str, contract: Contract, fault: str
    ) -> BadConfiguration:
        """Which rule it was: one that fails leaves its neighbours in the bundle failing too."""
        where, reason = "its rules", fault
        with self.engine.get_connection() as connection:
            for rule in rules:
                connection.rollback()
                try:
                    connection.exec_driver_sql(rule.count_sql(relation)).fetchall()
                except Exception as error:  # noqa: BLE001 - any engine error is the reason sought
                    where, reason = f"rule {rule.name}", str(getattr(error, "orig", error))
                    break
        return BadConfiguration(
            f"data_contracts/{contract.table}.odcs.yaml: {where} cannot be evaluated on "
            f"{relation}: {reason.strip().splitlines()[0]}; correct the rule"
        )


@contextmanager
def _opened(database: Path) -> Iterator[_Source]:
    if not database.is_file():
        raise NotPublished(f"there is no working file {database}; run the stage that makes it")
    import great_expectations
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    from orchestration.checks import expectations as _registered  # noqa: F401

    context: Any = great_expectations.get_context(mode="ephemeral", project_config=_nothing_kept())
    context._save_project_config = lambda: None  # nobody reads it, and it is written for each asset
    try:
        datasource = context.data_sources.add_sql(
            "working_file",
            connection_string=f"duckdb:///{database.resolve()}",
            kwargs={"connect_args": {"read_only": True}},
        )
    except TestConnectionError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise Busy(
            f"{database} cannot be opened for reading ({reason}); close what writes to it"
        ) from error
    engine = datasource.get_execution_engine()
    try:
        yield _Source(datasource, engine)
    finally:
        # Either of them keeps the file open, and an open file keeps its writer out.
        engine.close()
        datasource.get_engine().dispose()


def _nothing_kept() -> Any:
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    return DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        progress_bars=ProgressBarsConfig(globally=False),
    )


def _expectation(rule: Rule) -> Any:
    from orchestration.checks.expectations import (
        ExpectEveryRowToSatisfy,
        ExpectQueryToFindNothing,
    )

    meta = {"rule": rule.name}
    severity: Any = _GX_SEVERITY[rule.severity]
    if rule.kind == "row":
        return ExpectEveryRowToSatisfy(predicate=rule.sql, meta=meta, severity=severity)
    return ExpectQueryToFindNothing(
        unexpected_rows_query=_batch_query(rule.sql), meta=meta, severity=severity
    )


def _batch_query(sql: str) -> str:
    r"""A rule's SELECT as Great Expectations wants it: braces doubled, colons not parameters.

    >>> print(_batch_query("select '{x}', a::date, '12:30' from ${table}"))
    select '{{x}}', a::date, '12\:30' from {batch}
    """
    parts = (part.replace("{", "{{").replace("}", "}}") for part in sql.split(_TABLE))
    return re.sub(r"(?<!:):(?=\w)", r"\\:", "{batch}".join(parts))


def _first_exception(outcomes: Any) -> str | None:
    for outcome in outcomes:
        info = outcome.exception_info or {}
        for entry in (info, *(value for value in info.values() if isinstance(value, dict))):
            if entry.get("raised_exception"):
                return str(entry.get("exception_message"))
    return None
