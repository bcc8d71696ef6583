"""All lineage as one HTML file: no network, one script allowed by its hash, every text escaped.

Here belongs filling the template. The graph is ``graph``; what the page does is in
``templates/lineage.js``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from orchestration.lineage.graph import Lineage, LineageTable

_LAYERS = {
    "marts": ("Marts", "What people read: facts and dimensions over the published tables."),
    "market": ("Published tables", "What the market's stages make, and every quarter publishes."),
    "facts": ("Facts", "Business facts as of a run's cut-off."),
    "staging": ("Staging", "Input tables typed, and of each row the last version received."),
    "history": ("From earlier runs", "Published tables of before, as this run reads them."),
    "landing": ("As received", "The operator's files, before anything is made of them."),
    "run": ("The run", "What the run is: quarter, cut-off, calendar, currencies."),
    "policy": ("Policy", "The parameters that govern the quarter."),
}


@dataclass(frozen=True)
class _Layer:
    heading: str
    about: str
    tables: tuple[LineageTable, ...]


def html_of(lineage: Lineage) -> str:
    """The page as a self-contained HTML document; the same bytes for the same lineage."""
    script = files("orchestration.lineage").joinpath("templates/lineage.js").read_text("utf-8")
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    layers = [
        _Layer(heading, about, tuple(t for t in lineage.tables.values() if t.layer == layer))
        for layer, (heading, about) in _LAYERS.items()
    ]
    return _template().render(
        layers=layers,
        label=lineage.label,
        columns=len(lineage.column_names),
        tables=len(lineage.tables),
        graph=Markup(_script_json(_document(lineage))),  # noqa: S704 - escaped as JSON there
        script=Markup(script),  # noqa: S704 - a file of this package
        script_hash=base64.b64encode(digest).decode("ascii"),
    )


def _document(lineage: Lineage) -> dict[str, object]:
    """What the page's script reads; sources are places in the list of columns."""
    place = {name: index for index, name in enumerate(lineage.column_names)}
    columns = []
    for name in lineage.column_names:
        column, table = lineage.column(name), lineage.table_of(name)
        contract = table.contract_version
        columns.append(
            {
                "name": lineage.label(name),
                "text": column.description,
                "formula": column.formula,
                "reason": column.reason,
                "unit": column.unit,
                "type": column.physical_type,
                "rule": column.rule,
                "by": table.made_by,
                "contract": f"{table.name} {contract}" if contract else None,
                "earlier": table.earlier,
                "note": table.earlier or {"landing": "as received"}.get(table.layer),
                "from": [place[source] for source in column.sources],
            }
        )
    return {"columns": columns}


def _script_json(document: object) -> str:
    r"""JSON that may stand in a script element: no text can end it.

    >>> _script_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("orchestration.lineage"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("lineage.html.jinja")
