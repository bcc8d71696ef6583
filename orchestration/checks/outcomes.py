"""What the checks of a run gave, kept in its working folder until the manifest records it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = "checks"


def record_outcome(folder: Path, name: str, outcome: dict[str, Any]) -> None:
    """Keep the outcome of one contract or set of invariants under its name."""
    target = folder / _FOLDER
    target.mkdir(exist_ok=True)
    text = json.dumps(outcome, sort_keys=True, ensure_ascii=False)
    (target / f"{name}.json").write_text(text, encoding="utf-8")


def outcomes_of(folder: Path) -> list[dict[str, Any]]:
    """Every outcome kept so far, by name."""
    paths = sorted((folder / _FOLDER).glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]
