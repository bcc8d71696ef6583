"""Declared lineage is true: what changes when an input changes is what the contracts say."""

import pytest
from lineage_changes import KEYS, ROWS, observed
from lineage_market import POLICIES

from orchestration.contracts import load_contract
from orchestration.stages import STAGES, Stage

# Which policies bring out what: pay_as_bid and prorated fees read what the default does not.
POLICIES_OF = {
    "round_requests": ("default", "highest rejected"),
    "repriced_fees": ("default", "pay as bid"),
}


def declared(stage: Stage) -> dict[str, tuple[str, ...]]:
    """Every output column's sources as declared, and every table's row sources."""
    found = {}
    for table in stage.tables:
        contract = load_contract(table)
        found[f"market.{table}{ROWS}"] = contract.row_sources
        for column in contract.columns:
            found[f"market.{table}.{column.name}"] = column.origin.sources
    return found


def reached(target: str, declared_: dict[str, tuple[str, ...]]) -> set[str]:
    """What a target may depend on: its sources, through tables that the same stage makes.

    Where a value is compared with other rows of such a table, which rows it has matters too.
    """
    found: set[str] = set()
    waiting = [target]
    while waiting:
        for source in declared_[waiting.pop()]:
            rows_of = source.rpartition(".")[0] + ROWS
            for name in (source, rows_of) if source in declared_ else (source,):
                if name not in found:
                    found.add(name)
                    if name in declared_:
                        waiting.append(name)
    return found


@pytest.fixture(scope="module", params=[stage.name for stage in STAGES])
def seen(request):
    stage = next(stage for stage in STAGES if stage.name == request.param)
    found: dict[str, set[str]] = {}
    for name in POLICIES_OF.get(stage.name, ("default",)):
        for target, sources in observed(stage, POLICIES[name]).items():
            found.setdefault(target, set()).update(sources)
    return stage, found


def test_no_source_is_missing_from_what_is_declared(seen):
    stage, found = seen
    promised = declared(stage)
    missing = {
        target: sorted(extra)
        for target, sources in sorted(found.items())
        if (extra := sources - reached(target, promised))
    }
    assert missing == {}


def test_no_declared_source_is_idle(seen):
    stage, found = seen
    idle = []
    for target, sources in declared(stage).items():
        for source in sources:
            relation, _, column = source.rpartition(".")
            if relation in stage.reads and column not in KEYS:
                # A key's own change makes it another row.
                rows = target.rpartition(".")[0] + ROWS
                of_key = target.rpartition(".")[2] in KEYS | {"repriced_in_round"}
                shown = found.get(target, set()) | (found.get(rows, set()) if of_key else set())
                if source not in shown:
                    idle.append(f"{target} <- {source}")
    assert idle == []
