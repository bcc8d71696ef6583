"""``fbacap lineage``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.app import Data, Json, app
from orchestration.cli.words import console, data_folder, print_json, quarter_of
from orchestration.errors import BadUsage

if TYPE_CHECKING:
    from rich.tree import Tree

    from orchestration.lineage.graph import Lineage, LineageTable
    from orchestration.lineage.tree import Branch


@app.command()
def lineage(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[TABLE[.COLUMN]]",
            help="As settlements or settlements.net_due_minor.",
            show_default=False,
        ),
    ] = None,
    downstream: Annotated[
        bool, typer.Option("--downstream", help="What it goes into, not what it comes from.")
    ] = False,
    depth: Annotated[
        int, typer.Option(min=1, help="Steps to show; what it rests on in the end is always said.")
    ] = 3,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write all lineage as one page.")
    ] = None,
    openlineage: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="Write OpenLineage events.")
    ] = None,
    quarter: Annotated[
        str | None,
        typer.Option(help="With --openlineage: the published runs of this quarter too."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what a published column is worked out from, back to the files as received."""
    if name is None and page is None and openlineage is None:
        raise BadUsage("name a table or a column, as settlements.net_due_minor, or give --page")
    if quarter is not None and openlineage is None:
        raise BadUsage("--quarter goes with --openlineage: it adds that quarter's runs to the file")
    from orchestration.lineage.build import whole_lineage

    graph = whole_lineage()
    if page is not None:
        from orchestration.lineage.page import html_of

        _write(page, html_of(graph))
    if openlineage is not None:
        from orchestration.lineage.openlineage import job_events, lines_of
        from orchestration.lineage.openlineage_runs import run_events

        events = list(job_events(graph))
        if quarter is not None:
            events += run_events(graph, data_folder(data).published, quarter_of(quarter))
        _write(openlineage, lines_of(events))
    if name is not None:
        _show(graph, name, downstream=downstream, depth=depth, as_json=as_json)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadUsage(
            f"{path} cannot be written: {error.strerror}; name a file in a folder that exists"
        ) from error
    typer.echo(f"wrote {path}", err=True)


def _show(graph: Lineage, name: str, *, downstream: bool, depth: int, as_json: bool) -> None:
    from orchestration.lineage.search import find
    from orchestration.lineage.tree import document_of, ends_of, paragraphs, tree_of

    found = find(graph, name)
    if not isinstance(found, str):
        _show_table(graph, found, as_json=as_json)
        return
    tree = tree_of(graph, found, downstream=downstream, depth=depth)
    ends = ends_of(graph, found, downstream=downstream)
    if as_json:
        print_json(document_of(graph, tree) | {"in_the_end": ends})
        return
    from rich.table import Table
    from rich.text import Text

    out = console()
    facts = Table.grid(padding=(0, 2))
    for heading, text in paragraphs(graph, found):
        facts.add_row(Text(heading, style="dim"), Text(text))
    out.print(Text(graph.label(found), style="bold"))
    out.print(facts)
    out.print(Text("goes into" if downstream else "comes from", style="dim"))
    out.print(_rich_tree(graph, tree))
    if ends:
        said = "it goes into" if downstream else "it rests on"
        out.print(Text(f"in the end, over all steps, {said}", style="dim"))
        rests = Table.grid(padding=(0, 2))
        for table, columns in ends.items():
            rests.add_row(Text(table, style="bold"), Text(", ".join(columns)))
        out.print(rests)


def _rich_tree(graph: Lineage, branch: Branch, parent: Tree | None = None) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    from orchestration.lineage.tree import line_of

    line, label = line_of(graph, branch, is_root=parent is None), graph.label(branch.full_name)
    text = Text.assemble((label, "bold"), line[len(label) :])
    node = Tree(text) if parent is None else parent.add(text)
    for each in branch.branches:
        _rich_tree(graph, each, node)
    return node


def _show_table(graph: Lineage, found: LineageTable, *, as_json: bool) -> None:
    from orchestration.lineage.tree import facts_of

    names = [f"{found.relation}.{column.name}" for column in found.columns]
    if as_json:
        print_json(
            {
                "table": found.name,
                "relation": found.relation,
                "description": found.description,
                "made_by": found.made_by,
                "contract_version": found.contract_version,
                "row_sources": list(found.row_sources),
                "columns": [
                    facts_of(graph, name) | {"sources": list(graph.sources(name))} for name in names
                ],
            }
        )
        return
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(Text(found.name, style="bold"))
    out.print(Text(f"{found.description} Made by {found.made_by}."))
    table = Table("column", "unit", "comes from", "how")
    for column, name in zip(found.columns, names, strict=True):
        sources = ", ".join(graph.label(each) for each in graph.sources(name))
        how = " ".join((column.formula or "").split()) or ("as it is" if sources else "")
        table.add_row(*(Text(cell) for cell in (column.name, column.unit or "", sources, how)))
    out.print(table)
    if found.row_sources:
        rows = ", ".join(graph.label(each) for each in found.row_sources)
        out.print(Text(f"Which rows there are is decided by {rows}."))
