"""Who paid what: net dues, credits by method, settlement runs, the ledger.

Here belong sums of settlements over sellers; the rules behind them are in ``fbacap_logic``.
"""

from __future__ import annotations

from orchestration.report.document import (
    Block,
    Column,
    Figure,
    Folded,
    Prose,
    Section,
    Table,
)
from orchestration.report.reading import Reading, Row
from orchestration.statements.words import (
    Currency,
    count,
    instant,
    percent,
    signed,
    visible,
    volume,
)

_BANDS = (
    (3, "all of it: nothing to pay"),
    (2, "half or more"),
    (1, "less than half"),
    (0, "none"),
)
_METHODS = {
    "usage_layer": "usage layer",
    "capacity_share": "capacity share",
    "forecast_uplift": "forecast uplift",
}
_ACCOUNTS = {
    "seller_receivable": "seller receivable",
    "reservation_fee_revenue": "reservation fee revenue",
    "performance_credit_expense": "performance credit expense",
}


def payments_section(reading: Reading) -> Section:
    """Winners by how much of their fee credits paid, and those with the largest fees."""
    heading = "Who paid what"
    if not reading.is_settled:
        return Section(heading, (Prose(f"Nothing is settled yet. {_when(reading)}"),))
    rows = reading.rows["offsets"]
    if not rows:
        return Section(heading, (Prose("Nobody won extra space, so nobody owes a fee."),))
    free = sum(int(row["winners"]) for row in rows if row["band"] == 3)
    whole = sum(int(row["winners"]) for row in rows)
    blocks: list[Block] = [
        Prose(
            f"{free:,} of {count(whole, 'winner', 'winners')} paid net zero "
            f"({percent(free * 1_000 // whole * 10)}). A winner is a seller in one market."
        ),
        *(_offsets(reading, marketplace) for marketplace in _marketplaces(reading, "offsets")),
        Folded("The largest fees, by seller: not for publication", (_largest(reading),)),
    ]
    return Section(heading, tuple(blocks))


def credits_section(reading: Reading) -> Section:
    """What each method of counting extra sales gives, and which pays."""
    heading = "Credits by method"
    rows = reading.rows["methods"]
    if not rows:
        return Section(heading, (Prose(f"No credit is worked out yet. {_when(reading)}".strip()),))
    terms = reading.policy.settlement
    return Section(
        heading,
        (
            Prose(
                f"A credit is {percent(terms.credit_rate_bp)} of the sales that the extra space "
                f"made, up to {percent(terms.credit_cap_bp)} of the fee. Three methods count those "
                "sales; one pays, the others stand beside it."
            ),
            *(_methods(reading, marketplace) for marketplace in _marketplaces(reading, "methods")),
        ),
    )


def settlements_section(reading: Reading) -> Section:
    """Every settlement run with what it changed, and what all of them have posted."""
    heading = "Settlement runs"
    if not reading.is_settled:
        return Section(heading, (Prose(f"None is published. {_when(reading)}"),))
    blocks: list[Block] = [
        _runs(reading, marketplace) for marketplace in _marketplaces(reading, "runs")
    ]
    blocks += [
        Prose(f"{run.stage} (run {run.run}) was directed, because: {visible(run.reason)}")
        for run in reading.runs
        if run.reason is not None
    ]
    blocks += [_ledger(reading, place) for place in _marketplaces(reading, "ledger")]
    return Section(heading, tuple(blocks))


def _marketplaces(reading: Reading, query: str) -> list[str]:
    return sorted({str(row["marketplace_id"]) for row in reading.rows[query]})


def _of(reading: Reading, query: str, marketplace: str) -> list[Row]:
    return [row for row in reading.rows[query] if row["marketplace_id"] == marketplace]


def _when(reading: Reading) -> str:
    settles = [stage for stage in reading.to_come if stage.kind == "settle"]
    if not settles:
        return ""
    day = instant(settles[0].cutoff_at.replace(tzinfo=None))
    return f"The {settles[0].name} run settles what was received before {day}."


def _place(reading: Reading, query: str, marketplace: str) -> str:
    several = len(_marketplaces(reading, query)) > 1
    return f", {visible(marketplace)}" if several else ""


def _sums(rows: list[Row], currency: Currency, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(currency.number(sum(int(row[name]) for row in rows)) for name in columns)


def _offsets(reading: Reading, marketplace: str) -> Figure:
    held = _of(reading, "offsets", marketplace)
    currency = reading.currency(marketplace)
    amounts = ("fee_minor", "credit_minor", "net_due_minor")
    rows = []
    for storage_type in sorted({str(row["storage_type"]) for row in held}):
        for band, name in _BANDS:
            mine = [r for r in held if r["storage_type"] == storage_type and r["band"] == band]
            if mine:
                winners = f"{sum(int(row['winners']) for row in mine):,}"
                rows.append((visible(storage_type), name, winners, *_sums(mine, currency, amounts)))
    winners = f"{sum(int(row['winners']) for row in held):,}"
    rows.append(("All", "", winners, *_sums(held, currency, amounts)))
    columns = (
        Column("Storage type", "text"), Column("Credits paid", "text"), Column("Winners"),
        Column(f"Fees{currency.heading}"), Column(f"Credits{currency.heading}"),
        Column(f"Net due{currency.heading}"),
    )  # fmt: skip
    caption = f"How much of the fee credits paid{_place(reading, 'offsets', marketplace)}"
    return Figure(Table(caption, columns, tuple(rows), total=True), "offsets")


def _largest(reading: Reading) -> Figure:
    rows = []
    for row in reading.rows["largest"]:
        currency = reading.currency(row["marketplace_id"])
        rows.append(
            (
                visible(row["seller_id"]),
                visible(row["marketplace_id"]),
                visible(row["storage_type"]),
                volume(int(row["granted_milli_ft3"])),
                *(
                    currency.amount(int(row[name]))
                    for name in ("fee_minor", "credit_minor", "net_due_minor")
                ),
            )
        )
    columns = (
        Column("Seller", "code"), Column("Marketplace", "text"), Column("Storage type", "text"),
        Column("Granted, ft³"), Column("Fee"), Column("Credit"), Column("Net due"),
    )  # fmt: skip
    return Figure(Table("Winners with the largest fees", columns, tuple(rows)), "largest")


def _methods(reading: Reading, marketplace: str) -> Figure:
    currency = reading.currency(marketplace)
    rows = tuple(
        (
            _METHODS.get(str(row["method"]), str(row["method"])),
            "pays" if row["pays"] else "shown beside it",
            currency.number(int(row["sales_minor"])),
            currency.number(int(row["credit_minor"])),
        )
        for row in _of(reading, "methods", marketplace)
    )
    columns = (
        Column("Method", "text"), Column("Use", "text"),
        Column(f"Incremental sales{currency.heading}"), Column(f"Credits{currency.heading}"),
    )  # fmt: skip
    caption = f"Credits by method{_place(reading, 'methods', marketplace)}"
    return Figure(Table(caption, columns, rows), "methods")


def _runs(reading: Reading, marketplace: str) -> Figure:
    currency = reading.currency(marketplace)
    held = _of(reading, "runs", marketplace)
    cut_offs = {run.run: instant(run.cutoff_at.replace(tzinfo=None)) for run in reading.runs}
    amounts = ("fee_minor", "credit_minor", "net_due_minor")
    deltas = tuple(f"delta_{name}" for name in amounts)
    rows = [
        (
            f"{row['run']} ({row['stage']})",
            cut_offs[int(row["run"])],
            f"{row['grants']:,}",
            *_sums([row], currency, amounts),
            *map(signed, _sums([row], currency, deltas)),
        )
        for row in held
    ]
    changes = _sums(held, currency, deltas)
    rows.append(("Sum of the changes", "", "", "", "", "", *changes))
    columns = (
        Column("Run", "text"), Column("Cut-off, UTC", "text"), Column("Grants"),
        Column(f"Fees{currency.heading}"), Column(f"Credits{currency.heading}"),
        Column(f"Net due{currency.heading}"), Column("Change of fees"),
        Column("Change of credits"), Column("Change of net due"),
    )  # fmt: skip
    caption = (
        f"Settlement runs{_place(reading, 'runs', marketplace)}: each stands beside the ones "
        "before it, with what it changed"
    )
    return Figure(Table(caption, columns, tuple(rows), total=True), "runs")


def _ledger(reading: Reading, marketplace: str) -> Figure:
    currency = reading.currency(marketplace)
    held = _of(reading, "ledger", marketplace)
    rows: list[tuple[str, ...]] = [
        (
            _ACCOUNTS.get(str(row["account"]), str(row["account"])),
            f"{row['entries']:,}",
            currency.number(int(row["amount_minor"])),
        )
        for row in held
    ]
    entries = f"{sum(int(row['entries']) for row in held):,}"
    rows.append(("Balance", entries, *_sums(held, currency, ("amount_minor",))))
    columns = (
        Column("Account", "text"), Column("Entries"), Column(f"Debit less credit{currency.heading}")
    )  # fmt: skip
    caption = f"Ledger{_place(reading, 'ledger', marketplace)}, all settlement runs together"
    return Figure(Table(caption, columns, tuple(rows), total=True), "ledger")
