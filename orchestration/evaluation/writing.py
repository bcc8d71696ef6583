"""An evaluation as files: every figure as CSV and JSON, and the picture.

Here belongs writing; measuring is ``measure``, drawing is ``picture``. The same evaluation gives
the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from orchestration.evaluation.picture import draw

CSV_NAME, JSON_NAME, PICTURE_NAME = "attribution.csv", "attribution.json", "attribution.png"


def document(measured: pd.DataFrame, arguments: dict[str, Any]) -> dict[str, Any]:
    """The evaluation as one JSON document: what was asked, and every row; NaN becomes null."""
    rows = [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in measured.to_dict(orient="records")
    ]
    return {"arguments": arguments, "currency": "USD", "rows": rows}


def write_evaluation(
    measured: pd.DataFrame, arguments: dict[str, Any], folder: Path
) -> tuple[Path, ...]:
    """Write the three files into a folder, made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    table, text, picture = (folder / name for name in (CSV_NAME, JSON_NAME, PICTURE_NAME))
    measured.to_csv(table, index=False, lineterminator="\n")
    found = json.dumps(document(measured, arguments), indent=2, ensure_ascii=False)
    text.write_text(found + "\n", encoding="utf-8")
    picture.write_bytes(draw(measured))
    return table, text, picture
