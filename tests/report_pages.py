"""Reading a report back: its page as a tree, its tables as text."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree.ElementTree import Element

import duckdb
import html5lib

from fbacap_logic.calendar import Quarter
from orchestration.paths import DataFolder
from orchestration.published import PublishedRun, published_runs


def parsed(page: str) -> Element:
    """The page's tree; anything that the HTML standard calls a parse error raises."""
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    for element in tree.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]  # drawings come in SVG's namespace
    return tree


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def tables_of(tree: Element, caption: str) -> list[list[list[str]]]:
    """The rows of every table whose caption starts with a text, headings left out."""
    return [
        [[text_of(cell) for cell in row if cell.tag in ("th", "td")] for row in table.iter("tr")][
            1:
        ]
        for table in tree.iter("table")
        if text_of(table.find("caption")).startswith(caption)
    ]


def strip_of(tree: Element) -> dict[str, list[str]]:
    """The headline figures by name, one a currency, without their changes."""
    strip = next(each for each in tree.iter("dl") if each.get("class") == "strip")
    return {
        text_of(each.find("dt")): [
            text_of(value) for value in each.iter("dd") if value.get("class") is None
        ]
        for each in strip.iter("div")
    }


def commands_of(tree: Element) -> dict[str, str]:
    """The page's queries as shell commands, by name."""
    return {
        each.get("id").removeprefix("query-"): "".join(each.find("pre").itertext())
        for each in tree.iter("div")
        if each.get("class") == "query"
    }


def number(text: str) -> int:
    """A figure without its decimal point: minor units, or milli cubic feet."""
    return int(re.sub(r"[^0-9−]", "", text).replace("−", "-"))


def copy_of(data: DataFolder, root: Path, *, runs: int | None = None) -> DataFolder:
    """The published zone by itself, of each quarter the first runs only if a number is given."""
    copied = DataFolder(root)
    shutil.copytree(data.published, copied.published)
    if runs is not None:
        for manifest in copied.published.glob("_manifests/*/run=*.json"):
            if int(manifest.stem.removeprefix("run=")) > runs:
                manifest.unlink()
    return copied


def rename_everywhere(data: DataFolder, quarter: Quarter, column: str, old: str, new: str) -> None:
    """Give a seller or a market another name in every published table of a quarter."""
    for run in published_runs(data.published, quarter):
        for table, entry in run.tables.items():
            if column in {each["name"] for each in entry["columns"]}:
                _rename(run.file(table), column, old, new)


def _rename(path: Path, column: str, old: str, new: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table content as from read_parquet(?)", [str(path)])
        connection.execute(f"update content set {column} = ? where {column} = ?", [new, old])
        path.unlink()
        connection.execute(f"copy content to '{path}' (format parquet)")


def break_first_rule(run: PublishedRun, severity: str, sample: list[dict[str, str]]) -> None:
    """Let a published run say that its first rule, by table and name, is broken by three rows."""
    path = run.file("contract_results")
    with duckdb.connect() as connection:
        connection.execute("create table content as from read_parquet(?)", [str(path)])
        connection.execute(
            "update content set outcome = 'failed', rows_failed = 3, severity = ?, sample = ? "
            "where rowid = (select rowid from content order by table_name, rule_name limit 1)",
            [severity, json.dumps(sample)],
        )
        path.unlink()
        connection.execute(f"copy content to '{path}' (format parquet)")
