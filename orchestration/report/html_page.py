"""A report as one HTML file: no network, no scripts, for screen, paper and readers aloud.

Here belongs filling the template; every text is escaped by the engine, and the only markup that it
takes as it is are the drawings of ``svg`` and the stylesheet, which the page's content security
policy names by hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from orchestration.report.document import COMMAND_BEGINS, COMMAND_ENDS, Page
from orchestration.report.page import Source

_PACKAGE = "orchestration.report"


def html_of(page: Page, sources: Mapping[str, Source]) -> str:
    """The page as a self-contained HTML document."""
    template, style = _template()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return template.render(page=page, sources=sources, style=style, style_digest=digest)


def with_commands(text: str) -> Markup:
    """A sentence with its commands set as code, everything escaped.

    >>> from orchestration.report.document import command
    >>> str(with_commands(f"run {command('fbacap verify <Q>')} & see `it`"))
    'run <code>fbacap verify &lt;Q&gt;</code> &amp; see `it`'
    """
    sentence, *rest = text.split(COMMAND_BEGINS)
    marked = [escape(sentence)]
    for part in rest:
        told, _, after = part.partition(COMMAND_ENDS)
        marked += [Markup("<code>"), escape(told), Markup("</code>"), escape(after)]
    return Markup("").join(marked)


@cache
def _template() -> tuple[Template, str]:
    loader = PackageLoader(_PACKAGE)
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["commands"] = with_commands
    style, _, _ = loader.get_source(environment, "report.css")
    return environment.get_template("report.html.jinja"), style.strip()
