"""Each market of a quarter: demand against supply, its rounds, its fees, its repricing.

Here belong the sections of single markets. Figures over all markets are ``headline`` and
``money_sections``.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestration.report.charts import FeePicture, RoundPicture, demand_chart, fee_chart
from orchestration.report.document import (
    Block,
    Charts,
    Column,
    Figure,
    Prose,
    Section,
    Table,
    command,
)
from orchestration.report.reading import Market, Reading, Row
from orchestration.statements.words import (
    NOTHING,
    Currency,
    count,
    visible,
    volume,
)

_HIGHEST_FEE_SHOWN = 3  # times the highest clearing fee: a bid far above leaves the rest flat
_DEMAND_KEYS = (
    ("demand", "demand, in cells of three sellers or more, each drawn at its lowest fee"),
    ("supply", "supply of the round"),
    ("fee", "clearing fee"),
    ("granted", "granted"),
)
_FEE_KEYS = (
    ("cleared", "clearing fee of the round"),
    ("final", "what its winners pay in the end"),
)


def markets_section(reading: Reading) -> Section:
    """Every market, and what was received for them."""
    blocks: tuple[Block, ...] = (_bases(reading),)
    if reading.rows["requests"]:
        blocks += (_requests(reading),)
    return Section("Markets", blocks, tuple(_market(reading, market) for market in reading.markets))


def _bases(reading: Reading) -> Figure:
    rows = tuple(
        (
            visible(row["marketplace_id"]),
            visible(row["storage_type"]),
            f"{row['sellers']:,}",
            volume(int(row["demand_milli_ft3"])),
            volume(int(row["base_milli_ft3"])),
            volume(int(row["pool_milli_ft3"])),
            f"{row['scaled_down']:,}",
        )
        for row in reading.rows["markets"]
    )
    columns = (
        Column("Marketplace", "text"), Column("Storage type", "text"), Column("Sellers"),
        Column("Forecast demand, ft³"), Column("Base space, ft³"), Column("Pool, ft³"),
        Column("Scaled down to fit"),
    )  # fmt: skip
    return Figure(Table("Base allocations by market", columns, rows), "markets")


def _requests(reading: Reading) -> Figure:
    rows = tuple(
        (
            visible(row["marketplace_id"] or NOTHING),
            visible(row["storage_type"] or NOTHING),
            "accepted" if row["is_accepted"] else "rejected",
            NOTHING if row["is_accepted"] else str(row["reason"]).replace("_", " "),
            f"{row['requests']:,}",
        )
        for row in reading.rows["requests"]
    )
    whole = sum(int(row["requests"]) for row in reading.rows["requests"])
    columns = (
        Column("Marketplace", "text"), Column("Storage type", "text"), Column("Judgement", "text"),
        Column("Reason", "text"), Column("Requests"),
    )  # fmt: skip
    return Figure(
        Table(
            "Requests received, every revision counted",
            columns,
            (*rows, ("All", "", "", "", f"{whole:,}")),
            total=True,
        ),
        "requests",
    )


def _market(reading: Reading, market: Market) -> Section:
    place = reading.name(market)
    rounds = reading.of("rounds", market)
    heading = place[:1].upper() + place[1:]
    if not rounds:
        return Section(heading, (Prose("No round of this market has closed."),))
    currency = reading.currency(market[0])
    blocks: list[Block] = [
        _demand_charts(reading, market, place, currency)
        if reading.of("curves", market)
        else Prose(_no_curve(rounds)),
        _round_table(rounds, currency),
    ]
    if any(row["clearing_fee_minor_per_ft3"] is not None for row in rounds):
        blocks += _fees(reading, market, place, currency)
    else:
        blocks.append(Prose("Nothing was granted in this market, so there is no clearing fee."))
    return Section(heading, tuple(blocks))


def _no_curve(rounds: Sequence[Row]) -> str:
    if not any(row["demanded_milli_ft3"] for row in rounds):
        return "Nobody asked for space in this market."
    return (
        "Fewer than three sellers asked for space in each round, so no demand curve is published; "
        f"{command('fbacap curve')} shows it to the operator with --exact."
    )


def _demand_charts(reading: Reading, market: Market, place: str, currency: Currency) -> Charts:
    curves = reading.of("curves", market)
    rounds = reading.of("rounds", market)
    shown = [
        RoundPicture(
            int(row["round"]),
            tuple(
                (int(cell["from_fee_minor_per_ft3"]), int(cell["cumulative_demanded_milli_ft3"]))
                for cell in curves
                if cell["round"] == row["round"]
            ),
            int(row["supply_milli_ft3"]),
            int(row["demanded_milli_ft3"]),
            int(row["granted_milli_ft3"]),
            row["clearing_fee_minor_per_ft3"],
        )
        for row in rounds
    ]
    furthest = max(max(each.supply_milli_ft3, each.demanded_milli_ft3) for each in shown)
    largest = (furthest * 21 // 20, _highest_fee(shown))
    asked = max(each.steps[0][0] for each in shown if each.steps)
    cut = f"; fees above {currency.number(largest[1])} cut off" if asked > largest[1] else ""
    return Charts(
        f"Demand against supply, round by round, on one scale (across: ft³; up: "
        f"{currency.per_ft3}{cut})",
        tuple(demand_chart(place, each, largest, currency) for each in shown),
        _DEMAND_KEYS,
        "curves",
    )


def _highest_fee(shown: Sequence[RoundPicture]) -> int:
    asked = max((each.steps[0][0] for each in shown if each.steps), default=0)
    cleared = max(each.clearing_fee_minor_per_ft3 or 0 for each in shown)
    reached = min(asked, cleared * _HIGHEST_FEE_SHOWN) if cleared else asked
    return max(reached, cleared) * 21 // 20 + 1


def _round_table(rounds: Sequence[Row], currency: Currency) -> Figure:
    rows = tuple(
        (
            str(row["round"]),
            volume(row["supply_milli_ft3"]),
            volume(row["demanded_milli_ft3"]),
            volume(row["granted_milli_ft3"]),
            volume(row["unsold_milli_ft3"]),
            _fee(row["clearing_fee_minor_per_ft3"], currency),
            _decimals(row["cover_ratio_bp"], 4),
            _decimals(row["marginal_fill_bp"], 2),
            f"{row['requests']:,}",
            f"{row['winners']:,}",
        )
        for row in rounds
    )
    columns = (
        Column("Round", "text"), Column("Supply, ft³"), Column("Demanded, ft³"),
        Column("Granted, ft³"), Column("Unsold, ft³"),
        Column(f"Clearing fee, {currency.per_ft3}"), Column("Cover ratio"),
        Column("Marginal fill, %"), Column("Requests"), Column("Winners"),
    )  # fmt: skip
    return Figure(Table("Rounds", columns, rows), "rounds")


def _fees(reading: Reading, market: Market, place: str, currency: Currency) -> list[Block]:
    fees = reading.of("fees", market)
    final = {int(row["round"]): (row["least_final_fee"], row["most_final_fee"]) for row in fees}
    pictures = [
        FeePicture(
            int(row["round"]), row["clearing_fee_minor_per_ft3"], final.get(int(row["round"]))
        )
        for row in reading.of("rounds", market)
    ]
    chart = Charts(
        f"Fees over the rounds (across: round; up: {currency.per_ft3})",
        (fee_chart(place, pictures, currency),),
        _FEE_KEYS,
        "fees",
    )
    return [chart, _fee_table(fees, currency), *_repricing(reading.of("steps", market), currency)]


def _fee_table(fees: Sequence[Row], currency: Currency) -> Figure:
    rows = [
        (
            str(row["round"]),
            f"{row['grants']:,}",
            volume(int(row["granted_milli_ft3"])),
            _span(row["least_round_fee"], row["most_round_fee"], currency),
            _span(row["least_final_fee"], row["most_final_fee"], currency),
            f"{row['repriced']:,}",
            currency.number(int(row["fee_minor"])),
        )
        for row in fees
    ]
    rows.append(
        (
            "All",
            f"{sum(int(row['grants']) for row in fees):,}",
            volume(sum(int(row["granted_milli_ft3"]) for row in fees)),
            "",
            "",
            f"{sum(int(row['repriced']) for row in fees):,}",
            currency.number(sum(int(row["fee_minor"]) for row in fees)),
        )
    )
    columns = (
        Column("Round", "text"), Column("Grants"), Column("Granted, ft³"),
        Column(f"Round fee, {currency.per_ft3}"), Column(f"Final fee, {currency.per_ft3}"),
        Column("Grants repriced"), Column(f"Fees{currency.heading}"),
    )  # fmt: skip
    return Figure(Table("Fees by the round that granted", columns, tuple(rows), total=True), "fees")


def _repricing(steps: Sequence[Row], currency: Currency) -> list[Block]:
    if not steps:
        return [Prose("No later round cleared lower: nothing was repriced.")]
    lowered = [
        f"round {row['repriced_in_round']} lowered "
        f"{count(int(row['grants']), 'grant', 'grants')} of round {row['round']} to "
        f"{currency.number(int(row['least_fee_after']))} from "
        f"{currency.number(int(row['most_fee_before']))}"
        for row in steps
    ]
    text = "; ".join(lowered)
    return [Prose(f"Repricing, {currency.per_ft3}: {text}.")]


def _decimals(share_bp: int | None, digits: int) -> str:
    """A ratio or a percentage with all its decimals, for columns.

    >>> _decimals(22_863, 4), _decimals(8_140, 2), _decimals(None, 2)
    ('2.2863', '81.40', '–')
    """
    return NOTHING if share_bp is None else Currency(None, digits).number(share_bp)


def _fee(fee_minor_per_ft3: int | None, currency: Currency) -> str:
    return NOTHING if fee_minor_per_ft3 is None else currency.number(fee_minor_per_ft3)


def _span(least: int, most: int, currency: Currency) -> str:
    """One fee, or under ``pay_as_bid`` the least and the most."""
    texts = dict.fromkeys((currency.number(least), currency.number(most)))
    return " to ".join(texts)
