"""The market's invariants (rules §8) as blocking asset checks on the last stage of a run.

Here belongs running them on a working file; what they say is ``fbacap_logic.invariants``.
"""

from collections.abc import Iterator, Mapping

import dagster as dg
import pandas as pd

from fbacap_logic.calendar import StageKind
from fbacap_logic.invariants import (
    EARLIER_ALLOCATIONS,
    EARLIER_ROUNDS,
    INVARIANTS,
    Invariant,
)
from orchestration.checks.contract_result import rows_markdown
from orchestration.checks.outcomes import record_outcome
from orchestration.descriptions.run_metadata import of_which_run
from orchestration.resources import Market, OpenStage

LAST_TABLE: dict[StageKind, str] = {"round": "repriced_fees", "settle": "settlements"}
_SAMPLE = 5
_RELATIONS = {
    EARLIER_ALLOCATIONS: "history.earlier_cleared_allocations",
    EARLIER_ROUNDS: "history.earlier_market_rounds",
    "judged_requests": "facts.judged_requests",
}


def invariant_checks() -> list[dg.AssetChecksDefinition]:
    """One step a kind of stage run, with a check for every invariant that it can judge."""
    return [_checks_of(kind) for kind in LAST_TABLE]


def _checks_of(kind: StageKind) -> dg.AssetChecksDefinition:
    asset = dg.AssetKey(LAST_TABLE[kind])
    held = [invariant for invariant in INVARIANTS if kind in invariant.stage_kinds]
    specs = [
        dg.AssetCheckSpec(
            invariant.name,
            asset=asset,
            blocking=True,
            additional_deps=_assets_read(invariant, asset),
            description=f"{invariant.sentence} (rules §8.{invariant.number})",
        )
        for invariant in held
    ]

    @dg.multi_asset_check(specs=specs, name=f"invariants_{kind}")
    def check(
        context: dg.AssetCheckExecutionContext, market: Market
    ) -> Iterator[dg.AssetCheckResult]:
        with market.open(context) as opened:
            tables = _tables(opened, held)
            policy = opened.run.policy
        breaches = [invariant.breaches(tables, policy) for invariant in held]
        name = f"invariants_{kind}"
        record_outcome(market.folder(context), name, _outcome(name, held, breaches))
        for invariant, found in zip(held, breaches, strict=True):
            yield _result(asset, invariant, found, of_which_run(context.run.tags))

    return check


def _assets_read(invariant: Invariant, asset: dg.AssetKey) -> list[dg.AssetKey]:
    names = [name for name in invariant.tables if name not in (EARLIER_ALLOCATIONS, EARLIER_ROUNDS)]
    return [dg.AssetKey(name) for name in names if dg.AssetKey(name) != asset]


def _tables(opened: OpenStage, held: list[Invariant]) -> dict[str, pd.DataFrame]:
    names = dict.fromkeys(name for invariant in held for name in invariant.tables)
    return {name: opened.frame(_RELATIONS.get(name, f"market.{name}")) for name in names}


def _outcome(name: str, held: list[Invariant], breaches: list[pd.DataFrame]) -> dict[str, object]:
    rules = [
        {
            "name": invariant.name,
            "sentence": invariant.sentence,
            "passed": found.empty,
            "failed_rows": len(found),
        }
        for invariant, found in zip(held, breaches, strict=True)
    ]
    passed = all(rule["passed"] for rule in rules)
    return {"table": name, "kind": "invariant", "passed": passed, "rules": rules}


def _result(
    asset: dg.AssetKey, invariant: Invariant, found: pd.DataFrame, about: Mapping[str, str]
) -> dg.AssetCheckResult:
    sample = [
        {str(name): str(value) for name, value in row.items()}
        for row in found.head(_SAMPLE).to_dict(orient="records")
    ]
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=invariant.name,
        passed=found.empty,
        severity=dg.AssetCheckSeverity.ERROR,
        description=invariant.sentence if found.empty else f"{invariant.sentence} {sample[0]}",
        metadata={
            **about,
            "failing_rows": len(found),
            **({"sample": dg.MetadataValue.md(rows_markdown(sample))} if sample else {}),
        },
    )
