"""What checking a table against its contract found.

Here belong the outcome's values and their rendering for people. Finding out is ``contract_run``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.contract_rules import Severity

_MARKDOWN_SPECIAL = str.maketrans(
    {character: f"\\{character}" for character in "\\`*_{}[]()#+-!|~"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": " ", "\r": " "}
)


@dataclass(frozen=True)
class RuleResult:
    """One rule's outcome. ``sample``: the first rows that break it, in key order, as text.

    ``checked_rows`` counts the table's rows; ``failed_rows`` what the rule's query counts, which
    for rules about groups is groups.
    """

    name: str
    sentence: str
    severity: Severity
    passed: bool
    checked_rows: int
    failed_rows: int
    sample: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class ContractResult:
    """One table's outcome. ``passed``: no rule of severity error is broken or left unjudged.

    ``unjudged`` names the rules that could not be asked because columns are missing or mistyped.
    """

    table: str
    version: str
    passed: bool
    rules: tuple[RuleResult, ...]
    unjudged: tuple[str, ...] = ()

    @property
    def checked_rows(self) -> int:
        """Rows of the table; 0 when its columns are not as agreed."""
        return 0 if self.unjudged else self.rules[-1].checked_rows

    @property
    def broken(self) -> tuple[RuleResult, ...]:
        """The rules that do not hold, errors first."""
        failed = (rule for rule in self.rules if not rule.passed)
        return tuple(sorted(failed, key=lambda rule: rule.severity != "error"))

    @property
    def summary(self) -> str:
        """One sentence: that all holds, or the first broken rule, how often, and an example."""
        if not self.broken:
            return f"all {len(self.rules)} rules hold for {self.checked_rows} rows"
        first, *others = self.broken
        times = "once" if first.failed_rows == 1 else f"{first.failed_rows} times"
        example = ", ".join(f"{name} {value}" for name, value in first.sample[0].items())
        more = f"; also broken: {_listed([rule.name for rule in others])}" if others else ""
        return f"{first.name} fails {times}: {first.sentence} First at {example}{more}"

    def as_document(self) -> dict[str, Any]:
        """The outcome as plain values; what rules say is in the contract."""
        return {
            "table": self.table,
            "contract_version": self.version,
            "passed": self.passed,
            "rows": self.checked_rows,
            "rules": [
                {
                    "name": rule.name,
                    "severity": rule.severity,
                    "passed": rule.passed,
                    "failed_rows": rule.failed_rows,
                    **({} if rule.passed else {"sample": [dict(row) for row in rule.sample]}),
                }
                for rule in self.rules
            ],
            "unjudged": list(self.unjudged),
        }

    def rules_markdown(self) -> str:
        """Every rule's outcome as a Markdown table, broken rules first."""
        passed = (rule for rule in self.rules if rule.passed)
        lines = ["| | rule | what must hold | failed |", "|---|---|---|---|"]
        for rule in (*self.broken, *passed):
            mark = "✓" if rule.passed else ("✗" if rule.severity == "error" else "!")
            cells = (mark, escaped(rule.name), escaped(rule.sentence), str(rule.failed_rows))
            lines.append(f"| {' | '.join(cells)} |")
        lines.extend(
            f"| ? | {escaped(name)} | not judged: columns are not as agreed | |"
            for name in self.unjudged
        )
        return "\n".join(lines)

    def samples_markdown(self) -> str:
        """The first rows that break each broken rule, as Markdown tables; empty if none."""
        return "\n\n".join(
            f"**{escaped(rule.name)}**\n\n{rows_markdown(rule.sample)}"
            for rule in self.broken
            if rule.sample
        )


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest


def escaped(text: str) -> str:
    r"""Text that no Markdown or HTML renderer takes for markup (ids come from sellers).

    >>> print(escaped("<script>|x"))
    &lt;script&gt;\|x
    """
    return text.translate(_MARKDOWN_SPECIAL)


def rows_markdown(rows: Sequence[Mapping[str, str]]) -> str:
    r"""Rows as a Markdown table, every cell escaped; empty if there are none.

    >>> print(rows_markdown([{"seller_id": "<b>", "round": "1"}]))
    | seller\_id | round |
    |---|---|
    | &lt;b&gt; | 1 |
    """
    if not rows:
        return ""
    header = list(rows[0])
    lines = [f"| {' | '.join(map(escaped, header))} |", f"|{'---|' * len(header)}"]
    lines.extend(f"| {' | '.join(escaped(row[name]) for name in header)} |" for row in rows)
    return "\n".join(lines)
