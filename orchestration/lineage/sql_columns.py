"""Which columns a SELECT reads for each column it gives, and for the rows it has.

Here belongs reading one query with sqlglot. Which queries there are, and what their tables are
made of in turn, is ``dbt_models``. A query that cannot be resolved whole is an error: half a
lineage reads like a whole one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from orchestration.errors import BadConfiguration

Columns: TypeAlias = frozenset[tuple[str, str]]
"""(relation, column) pairs, a relation as ``facts.weekly_demand``."""

Schema: TypeAlias = Mapping[str, Mapping[str, Mapping[str, str]]]
"""schema → table → column → type."""


@dataclass(frozen=True)
class QueryColumn:
    """One column that a query gives.

    Attributes:
        sources: the columns its value is worked out from, conditions included.
        expression: the SQL that works it out, or None where it is one column as it is.
    """

    sources: Columns
    expression: str | None


@dataclass(frozen=True)
class QueryColumns:
    """All columns of a query, in its order, and what decides which rows it has.

    ``rows`` are the columns of joins, filters, groups and distinct selections.
    """

    columns: Mapping[str, QueryColumn]
    rows: Columns


def columns_of_query(sql: str, schema: Schema, name: str) -> QueryColumns:
    """Resolve every column of a query to the tables that it reads.

    A count of rows reads no column, so it has the sources of its rows.

    Args:
        sql: one SELECT in DuckDB's dialect.
        schema: every table that it may read.
        name: what the query is, for errors.

    Raises:
        BadConfiguration: it does not parse, reads what the schema does not have, or a column of it
            comes from nowhere.

    >>> found = columns_of_query(
    ...     "with a as (select k, sum(x) as total from t.sales group by k) select * from a",
    ...     {"t": {"sales": {"k": "varchar", "x": "int"}}}, "totals")
    >>> {name: sorted(column.sources) for name, column in found.columns.items()}
    {'k': [('t.sales', 'k')], 'total': [('t.sales', 'x')]}
    >>> sorted(found.rows), found.columns["total"].expression
    ([('t.sales', 'k')], 'SUM(sales.x)')
    """
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.scope import build_scope

    try:
        scope = build_scope(_qualified(sql, schema))
    except SqlglotError as error:
        reason = str(error).splitlines()[0]
        raise BadConfiguration(f"the lineage of {name} cannot be worked out: {reason}") from error
    if scope is None:
        raise BadConfiguration(f"the lineage of {name} cannot be worked out: it is no SELECT")
    _refuse_unknown_tables(scope, schema, name)
    resolver = _Resolver(name)
    query: Any = scope.expression
    names = [str(column) for column in query.named_selects]
    columns = {
        column: QueryColumn(resolver.sources(scope, column), resolver.expression(scope, column))
        for column in names
    }
    for column, found in columns.items():
        if not found.sources:
            raise BadConfiguration(
                f"the lineage of {name}.{column} is empty: it reads no column of any table"
            )
    return QueryColumns(columns, resolver.rows(scope))


def _qualified(sql: str, schema: Schema) -> Any:
    """The query with every star spelt out and every column given its table."""
    import sqlglot
    from sqlglot.optimizer.qualify import qualify

    return qualify(
        sqlglot.parse_one(sql, dialect="duckdb"),
        schema=cast("dict[str, object]", schema),
        dialect="duckdb",
        validate_qualify_columns=True,
        identify=False,
        quote_identifiers=False,
    )


def _refuse_unknown_tables(scope: Any, schema: Schema, name: str) -> None:
    from sqlglot import exp

    for inner in scope.traverse():
        for source in inner.sources.values():
            if isinstance(source, exp.Table) and source.name not in schema.get(source.db, {}):
                raise BadConfiguration(
                    f"the lineage of {name} cannot be worked out: it reads "
                    f"{source.db}.{source.name}, which is no source, model or stage's table"
                )


class _Resolver:
    """Follows columns through the scopes (CTEs, subqueries, unions) of one query."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._sources: dict[tuple[int, str], Columns] = {}
        self._rows: dict[int, Columns] = {}

    def sources(self, scope: Any, column: str) -> Columns:
        """The table columns that the value of a scope's column is worked out from."""
        key = (id(scope), column)
        if key not in self._sources:
            if scope.set_operation_scopes:
                place = list(scope.expression.named_selects).index(column)
                branches = [
                    self.sources(branch, str(list(branch.expression.named_selects)[place]))
                    for branch in scope.set_operation_scopes
                ]
                self._sources[key] = frozenset().union(*branches)
            else:
                projection = _projection(scope, column)
                found = self._read(scope, projection)
                counted = self.rows(scope) if _counts_rows(projection) else frozenset()
                self._sources[key] = found | counted
        return self._sources[key]

    def rows(self, scope: Any) -> Columns:
        """The table columns that decide which rows a scope has, those of its inputs included."""
        if id(scope) not in self._rows:
            if scope.set_operation_scopes:
                parts = [self.rows(branch) for branch in scope.set_operation_scopes]
                # A distinct union compares every column.
                if scope.expression.args.get("distinct"):
                    names = scope.expression.named_selects
                    parts += [self.sources(scope, str(name)) for name in names]
            else:
                parts = [self._read(scope, clause) for clause in _row_clauses(scope)]
                parts += [self.rows(inner) for inner in _inner_scopes(scope)]
            self._rows[id(scope)] = frozenset().union(*parts)
        return self._rows[id(scope)]

    def expression(self, scope: Any, column: str) -> str | None:
        """The SQL of a column where it is last worked out; None where it is passed on only."""
        from sqlglot import exp

        if scope.set_operation_scopes:
            branches = [
                self.expression(branch, str(list(branch.expression.named_selects)[place]))
                for branch in scope.set_operation_scopes
                for place in [list(scope.expression.named_selects).index(column)]
            ]
            written = list(dict.fromkeys(branch for branch in branches if branch))
            return " or, of other rows, ".join(written) or None
        projected = _projection(scope, column).unalias()
        if not isinstance(projected, exp.Column):
            return str(projected.sql(dialect="duckdb", comments=False))
        source = scope.sources.get(projected.table)
        return None if isinstance(source, exp.Table) else self.expression(source, projected.name)

    def _read(self, scope: Any, expression: Any) -> Columns:
        """The table columns that an expression of a scope reads; not what a count counts."""
        from sqlglot import exp

        found: Columns = frozenset()
        for column in expression.find_all(exp.Column):
            found |= self._column(scope, column)
        return found

    def _column(self, scope: Any, column: Any) -> Columns:
        from sqlglot import exp

        source = scope.sources.get(column.table)
        if source is None:
            raise BadConfiguration(
                f"the lineage of {self._name} cannot be worked out: column "
                f"{column.sql(dialect='duckdb')} belongs to none of its tables"
            )
        if isinstance(source, exp.Table):
            return frozenset({(f"{source.db}.{source.name}", str(column.name))})
        return self.sources(source, str(column.name))


def _projection(scope: Any, column: str) -> Any:
    for projection in scope.expression.selects:
        if projection.alias_or_name == column:
            return projection
    raise KeyError(column)


def _counts_rows(projection: Any) -> bool:
    from sqlglot import exp

    return any(star.find_ancestor(exp.Count) for star in projection.find_all(exp.Star))


def _row_clauses(scope: Any) -> Iterator[Any]:
    """The parts of a SELECT that decide which rows it has."""
    select = scope.expression
    for name in ("where", "group", "having", "qualify"):
        if select.args.get(name) is not None:
            yield select.args[name]
    for join in select.args.get("joins") or []:
        if join.args.get("on") is not None:
            yield join.args["on"]
    if select.args.get("distinct") is not None:
        yield from select.selects


def _inner_scopes(scope: Any) -> Iterator[Any]:
    """The scopes that a scope selects from: CTEs and subqueries, not plain tables."""
    from sqlglot.optimizer.scope import Scope

    for _, source in scope.selected_sources.values():
        if isinstance(source, Scope):
            yield source
