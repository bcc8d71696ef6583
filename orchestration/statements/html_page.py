"""A statement's page as one HTML file: no network, no scripts, for screen, paper and readers aloud.

Here belongs filling the template; every text is escaped by the engine. What is said is ``page``.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from orchestration.statements.document import Page


def html_of(page: Page) -> str:
    """The page as a self-contained HTML document.

    >>> from orchestration.statements.document import Fact
    >>> page = Page("Statement", "<script>", "as of today", (Fact("Fee", "0.00"),), (), ())
    >>> "<script>" in html_of(page), "&lt;script&gt;" in html_of(page)
    (False, True)
    """
    return _template().render(page=page)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("orchestration.statements"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("statement.html.jinja")
