"""The read-only UI as an auditor's browser shows it."""

from __future__ import annotations

import re

from orchestration.stages import STAGES

PARTITION = "2025-10-01"
SETTLEMENTS = f"/assets/settlements?view=partitions&partition={PARTITION}"
LAUNCH = """
mutation($given: ExecutionParams!) { launchRun(executionParams: $given) { __typename } }
"""
LAUNCHED = {
    "selector": {
        "repositoryName": "__repository__",
        "repositoryLocationName": "orchestration.definitions",
        "jobName": "announce",
    },
    "mode": "default",
}
ASK = """async ([query, given]) => {
  const answer = await fetch("/graphql", {method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify({query, variables: {given}})});
  return await answer.text();
}"""


def figures_of(page) -> dict[str, str]:
    """The metadata table on show: label and value."""
    page.get_by_text("policy_version", exact=True).first.wait_for()
    rows = page.locator("tr").filter(has=page.locator("td:nth-child(2)")).all_inner_texts()
    cells = [[cell.strip() for cell in row.split("\t")] for row in rows]
    return {cell[0]: cell[1] for cell in cells if len(cell) > 1}


def test_the_asset_graph_has_every_stage_as_a_group_in_their_order(ui, watch):
    watch.page.goto(f"{ui}/asset-groups")
    groups = watch.page.get_by_text(re.compile(r"^\d+_[a-z_]+$"))
    groups.first.wait_for()
    names = [re.sub(r"^\d+_", "", text) for text in groups.all_inner_texts()]
    stages = [stage.name for stage in STAGES]
    assert len(stages) == 6
    assert [name for name in dict.fromkeys(names) if name in stages] == stages


def test_a_group_opens_to_the_tables_of_its_stage(ui, watch):
    watch.page.goto(f"{ui}/asset-groups")
    watch.page.get_by_text(re.compile(r"^\d+_settlements$")).first.click()
    watch.page.keyboard.press("ArrowRight")
    watch.page.get_by_text("ledger_entries", exact=True).first.wait_for()


def test_a_quarter_of_settlements_tells_its_figures_policy_and_reason(ui, watch, settled_market):
    from orchestration.catalogue import query

    watch.page.goto(ui + SETTLEMENTS)
    shown = figures_of(watch.page)
    [(rows, sellers)] = query(
        settled_market,
        "select count(*), count(distinct (marketplace_id, storage_type, seller_id)) "
        "from settlements",
    )[1]
    assert shown["dagster/row_count"] == str(rows)
    assert shown["grants"] == str(rows)
    assert shown["winners"] == str(sellers)
    assert shown["policy_version"] == "default-1"
    assert shown["stage"] == "rerun-1"
    assert shown["reason"].endswith("<b>")
    for place, due in query(
        settled_market,
        "select marketplace_id, sum(net_due_minor) from settlements group by 1 order by 1",
    )[1]:
        assert shown[f"{place}: net_due_minor"] == str(due)


def test_the_picture_of_a_partition_is_drawn(ui, watch):
    watch.page.goto(ui + SETTLEMENTS)
    row = watch.page.locator("tr").filter(has_text=re.compile(r"^credits"))
    row.get_by_text("Show Markdown").click()
    picture = watch.page.locator("img[src^='data:image/']")
    picture.wait_for()
    assert (
        picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") > 0
    )


def test_no_launch_can_be_pressed(ui, watch):
    for path in (SETTLEMENTS, "/asset-groups"):
        watch.page.goto(ui + path)
        button = watch.page.get_by_role("button").filter(has_text="Materialize")
        button.first.wait_for()
        assert [each.is_disabled() for each in button.all()] == [True]


def test_a_launch_asked_for_from_the_page_is_refused(ui, watch):
    watch.page.goto(ui + SETTLEMENTS)
    answer = watch.page.evaluate(ASK, [LAUNCH, LAUNCHED])
    assert "UnauthorizedError" in answer


def test_every_request_of_the_ui_stays_on_this_machine(ui, watch):
    for path in ("/overview", "/asset-groups", SETTLEMENTS, "/runs"):
        watch.page.goto(ui + path)
        watch.page.wait_for_load_state("networkidle")
    asked = [url for url in watch.requested if url.startswith("http")]
    assert len(asked) > 20
    assert all(url.startswith(f"{ui}/") for url in asked)


def test_a_request_that_would_leave_the_machine_is_stopped_and_on_record(browser):
    from watched import Watch

    context = browser.new_context()
    watch = Watch(context.new_page())
    watch.page.goto("about:blank")
    watch.page.set_content("<img src='https://elsewhere.invalid/x.png'>")
    watch.page.wait_for_load_state("networkidle")
    context.close()
    assert watch.outside == ["https://elsewhere.invalid/x.png"]
