"""The certificate: one page that says what was verified of a quarter.

Here belongs the page only. It holds no clock and no path, so that the same published bytes give the
same certificate anywhere.
"""

from __future__ import annotations

from orchestration.verification.findings import Comparison
from orchestration.verification.quarter import QuarterVerification

_DERIVED = (
    "round_requests", "cleared_allocations", "market_rounds", "repriced_fees", "repricing_steps",
    "incremental_sales_days", "incremental_sales", "settlements", "ledger_entries",
)  # fmt: skip
_BYTES = ("manifest", "inputs", "files")


def certificate(verified: QuarterVerification) -> str:
    """The page, as Markdown."""
    policy = verified.runs[-1].manifest.document
    verdict = "verified: nothing differs" if verified.holds else "NOT verified"
    lines = [
        f"# {verified.quarter}: {verdict}",
        "",
        f"Policy {policy.get('policy_version')}, SHA-256 {policy.get('policy_sha256')}.",
        "",
        "| run | stage | files | rows | differing | SHA-256 of the manifest |",
        "|---:|---|---:|---:|---:|---|",
    ]
    for run in verified.runs:
        differing = sum(each.differing_rows for each in run.comparisons)
        lines.append(
            f"| {run.manifest.run} | {run.manifest.stage} | {len(run.manifest.tables)} "
            f"| {run.rows:,} | {differing:,} | {run.manifest_sha256} |"
        )
    for title, names in (
        ("re-derived in SQL, row by row", _DERIVED),
        ("bytes: hashes, row counts, columns, inputs", _BYTES),
        ("conserved, balanced, unchanged", None),
    ):
        lines += ["", f"| {title} | runs | rows | differing |", "|---|---:|---:|---:|"]
        lines += _counts(verified.comparisons, names)
    sentences = verified.sentences()
    if sentences:
        lines += ["", "Differences:", ""]
        lines += [f"- {sentence}" for sentence in sentences]
    return "\n".join(lines) + "\n"


def _counts(comparisons: list[Comparison], names: tuple[str, ...] | None) -> list[str]:
    """A line for each comparison by name, over all runs; without names, those not named above."""
    held = {each.name for each in comparisons}
    rest = dict.fromkeys(each.name for each in comparisons if each.name not in (*_DERIVED, *_BYTES))
    lines = []
    for name in rest if names is None else [each for each in names if each in held]:
        mine = [each for each in comparisons if each.name == name]
        rows = sum(each.rows for each in mine)
        differing = sum(each.differing_rows for each in mine)
        lines.append(f"| {name} | {len(mine)} | {rows:,} | {differing:,} |")
    return lines
