"""What the checks of a run found, as the rows of the published table ``contract_results``.

Here belongs laying kept outcomes out as rows; nothing is judged again. Keeping outcomes is
``outcomes``, reading the table back from a published run is ``orchestration.published_checks``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from orchestration.checks.implied_rules import KEY_RULE, SHAPE_RULES, content_rules
from orchestration.contracts import Rule, load_contract

_COUNTS = ("rows_checked", "rows_failed")


def results_frame(stage: str, outcomes: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for every rule that a run was held to.

    Args:
        stage: the stage run.
        outcomes: as ``outcomes`` keeps them; the table's own contract is judged after it is made,
            so a result of it, from an earlier try, is left out.
    """
    columns = load_contract("contract_results").column_names
    rows = [
        {"stage": stage, **row}
        for outcome in outcomes
        if outcome["table"] != "contract_results"
        for row in _rows(outcome)
    ]
    frame = pd.DataFrame(rows, columns=list(columns), dtype=object)
    return frame.astype(dict.fromkeys(_COUNTS, "Int64"))


def _rows(outcome: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "contract_version" in outcome:
        yield from _contract_rows(outcome)
        return
    for rule in outcome["rules"]:
        yield {
            "table_name": rule.get("table", outcome["table"]),
            "rule_name": rule["name"],
            "kind": rule.get("kind", outcome["kind"]),
            "severity": rule.get("severity", "error"),
            "sentence": rule["sentence"],
            "contract_version": rule.get("contract_version"),
            "outcome": _outcome(rule),
            "rows_checked": rule.get("rows"),
            "rows_failed": rule["failed_rows"],
            "sample": sample_text(rule.get("sample", ())),
        }


def _contract_rows(outcome: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    contract = load_contract(outcome["table"])
    known = {rule.name: rule for rule in (*SHAPE_RULES, *content_rules(contract))}
    for result in outcome["rules"]:
        rule = known[result["name"]]
        yield {
            "table_name": contract.table,
            "rule_name": rule.name,
            "kind": _kind(rule),
            "severity": rule.severity,
            "sentence": rule.sentence,
            "contract_version": outcome["contract_version"],
            "outcome": _outcome(result),
            "rows_checked": outcome["rows"],
            "rows_failed": result["failed_rows"],
            "sample": sample_text(result.get("sample", ())),
        }


def _kind(rule: Rule) -> str:
    if rule in SHAPE_RULES:
        return "shape"
    return "key" if rule.name == KEY_RULE else rule.kind


def _outcome(result: Mapping[str, Any]) -> str:
    if not result.get("judged", True):
        return "not_judged"
    return "passed" if result["passed"] else "failed"


def sample_text(rows: Sequence[Mapping[str, str]]) -> str | None:
    r"""Rows as JSON text, None if there are none.

    Characters beyond ASCII are escaped, so that nothing in the text turns its direction or hides.

    >>> sample_text([{"seller_id": "a\u202eb", "round": "1"}])
    '[{"seller_id": "a\\u202eb", "round": "1"}]'
    >>> sample_text([]) is None
    True
    """
    return json.dumps([dict(row) for row in rows]) if rows else None
