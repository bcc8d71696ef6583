"""What comes after a settlement run was published and verified: the quarter's report.

Here belongs making it within a stage run; what it says is ``report``. It stands outside the
published zone: it is derived, and ``fbacap report`` makes it again.
"""

import dagster as dg

from orchestration.descriptions.formulas import formula_of
from orchestration.descriptions.groups import group_of
from orchestration.descriptions.specs import OWNERS, description, rule_metadata
from orchestration.partitions import QUARTERS
from orchestration.report.making import make_report
from orchestration.resources import Market
from orchestration.stages import PUBLICATIONS

KEY = "quarter_report"
FORMULA = formula_of(KEY)


@dg.asset(
    key=KEY,
    deps=[dg.AssetKey(PUBLICATIONS["settle"])],
    partitions_def=QUARTERS,
    group_name=group_of("reports"),
    owners=OWNERS,
    kinds={"html"},
    description=description(
        "One page a quarter for operator and auditor: headline figures, each market's demand "
        "against supply and fees, who paid what, contracts, the second computation, hashes.\n\n"
        "Made from published runs alone; the same runs give the same bytes.",
        "one page a quarter",
        FORMULA,
    ),
    metadata=rule_metadata(FORMULA.rule),
)
def quarter_report(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """The report of the run's quarter, as it stands published now."""
    run = market.stage_run(context)
    made = make_report(run.data, run.quarter)
    return dg.MaterializeResult(
        metadata={
            "report": dg.MetadataValue.path(str(made.path)),
            "link": dg.MetadataValue.url(made.path.as_uri()),
            "bytes": made.size,
            "sha256": made.sha256,
        }
    )
