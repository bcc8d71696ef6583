"""What the checks of a run found, as a table that is published with it."""

import dagster as dg

from orchestration.checks.outcomes import outcomes_of
from orchestration.checks.results_table import results_frame
from orchestration.contracts import load_contract
from orchestration.descriptions.formulas import formula_of
from orchestration.descriptions.groups import group_of
from orchestration.descriptions.specs import (
    COLUMN_SCHEMA,
    OWNERS,
    column_schema,
    description,
    rule_metadata,
)
from orchestration.partitions import QUARTERS
from orchestration.resources import Market
from orchestration.stages import PUBLICATIONS, RESULTS_TABLE, published_tables

CONTRACT = load_contract(RESULTS_TABLE)
FORMULA = formula_of(RESULTS_TABLE)
# After every table that a run may publish, and so after the blocking checks of all of them.
_JUDGED = dict.fromkeys(
    table for kind in PUBLICATIONS for table in published_tables(kind) if table != RESULTS_TABLE
)


@dg.asset(
    key=RESULTS_TABLE,
    deps=[dg.AssetKey(table) for table in _JUDGED],
    partitions_def=QUARTERS,
    group_name=group_of("published"),
    owners=OWNERS,
    kinds={"python", "duckdb"},
    code_version=CONTRACT.version,
    description=description(CONTRACT.description, CONTRACT.grain, FORMULA),
    metadata={
        COLUMN_SCHEMA: column_schema(CONTRACT),
        **rule_metadata(FORMULA.rule),
        "contract_version": CONTRACT.version,
    },
)
def contract_results(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """Lay out what this run's checks have found."""
    outcomes = outcomes_of(market.folder(context))
    with market.open(context) as opened:
        frame = results_frame(opened.run.stage.name, outcomes)
        figures = {
            "rules_passed": int((frame["outcome"] == "passed").sum()),
            "rules_failed": int((frame["outcome"] == "failed").sum()),
            "rules_not_judged": int((frame["outcome"] == "not_judged").sum()),
        }
        return opened.write(RESULTS_TABLE, frame, figures)
