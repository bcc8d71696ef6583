"""The report's three charts: demand against supply, fees by round, how sellers are spread.

Here belong what is drawn and its description in words. Pieces of SVG are ``svg``; colours and line
styles are the stylesheet's. Volumes come in milli cubic feet, fees in minor units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestration.report.document import Picture
from orchestration.report.svg import Point, Scale, axes, box, dot, line, path, words
from orchestration.statements.words import Currency, count, cubic_feet

WIDTH, HEIGHT = 230, 160
_LEFT, _RIGHT, _TOP, _BOTTOM = 390, 2_220, 90, 1_360


@dataclass(frozen=True)
class RoundPicture:
    """What a demand chart shows of a round. ``steps``: fee and volume wanted at it or above."""

    round: int
    steps: tuple[tuple[int, int], ...]
    supply_milli_ft3: int
    demanded_milli_ft3: int
    granted_milli_ft3: int
    clearing_fee_minor_per_ft3: int | None


@dataclass(frozen=True)
class FeePicture:
    """A round's clearing fee and the least and most that its winners pay in the end."""

    round: int
    clearing_fee_minor_per_ft3: int | None
    final_fees_minor_per_ft3: tuple[int, int] | None


def short_volume(volume_milli_ft3: int) -> str:
    """A volume of whole cubic feet on an axis; finer ones with their decimals.

    >>> short_volume(1_500_000), short_volume(200_000_000), short_volume(500)
    ('1,500', '200,000', '0.5')
    """
    return cubic_feet(volume_milli_ft3).removesuffix(" ft³")


def demand_chart(place: str, shown: RoundPicture, largest: Point, currency: Currency) -> Picture:
    """Demand against supply of one round; ``largest``: volume and fee that the axes reach."""
    across = Scale(max(largest[0], 1), _LEFT, _RIGHT)
    up = Scale(max(largest[1], 1), _BOTTOM, _TOP)
    fee = shown.clearing_fee_minor_per_ft3
    drawn = []
    if fee is not None:
        top, right = up.at(min(fee, up.largest)), across.at(shown.granted_milli_ft3)
        drawn.append(box("granted", (_LEFT, top), (right - _LEFT, _BOTTOM - top)))
    drawn += axes(across, up, short_volume, _fee_text(currency))
    drawn.append(path("demand", _stairs(shown.steps, across, up)))
    supply = across.at(shown.supply_milli_ft3)
    drawn.append(line("supply", (supply, _TOP), (supply, _BOTTOM)))
    if fee is not None and fee <= up.largest:
        drawn.append(line("fee", (_LEFT, up.at(fee)), (_RIGHT, up.at(fee))))
    return _picture(
        f"Round {shown.round}",
        f"Demand against supply, {place}, round {shown.round}",
        _demand_words(shown, up.largest, currency),
        drawn,
    )


def _stairs(steps: Sequence[tuple[int, int]], across: Scale, up: Scale) -> list[Point]:
    points = []
    reached = 0
    for fee, wanted in steps:
        y = up.at(min(fee, up.largest))
        points += [(across.at(reached), y), (across.at(wanted), y)]
        reached = wanted
    return [*points, (across.at(reached), up.at(0))] if points else []


def _demand_words(shown: RoundPicture, highest_fee: int, currency: Currency) -> str:
    said = [
        f"Wanted {cubic_feet(shown.demanded_milli_ft3)}",
        f"supply {cubic_feet(shown.supply_milli_ft3)}",
        f"granted {cubic_feet(shown.granted_milli_ft3)}",
    ]
    fee = shown.clearing_fee_minor_per_ft3
    said.append("no clearing fee" if fee is None else f"clearing fee {currency.amount(fee)}")
    if not shown.steps:
        why = "nobody asked" if shown.demanded_milli_ft3 == 0 else "fewer than three sellers asked"
        return f"{', '.join(said)}. No demand curve: {why}."
    top = shown.steps[0][0]
    cut = f" Fees above {currency.amount(highest_fee)} are cut off." if top > highest_fee else ""
    half = next(step for step in shown.steps if step[1] * 2 >= shown.demanded_milli_ft3)
    return (
        f"{', '.join(said)}. Half of what was wanted was wanted at {currency.amount(half[0])} "
        f"per ft³ or more.{cut}"
    )


def fee_chart(place: str, rounds: Sequence[FeePicture], currency: Currency) -> Picture:
    """Each round's clearing fee, and what its winners pay after repricing."""
    fees = [each.clearing_fee_minor_per_ft3 or 0 for each in rounds]
    fees += [each.final_fees_minor_per_ft3[1] for each in rounds if each.final_fees_minor_per_ft3]
    up = Scale(max([*fees, 1]) * 21 // 20 + 1, _BOTTOM, _TOP)
    last = max(each.round for each in rounds)
    across = Scale(last * 2, _LEFT, _RIGHT)
    drawn = axes(across, up, None, _fee_text(currency))
    cleared: list[Point] = []
    marks, finals = [], []
    for each in rounds:
        x = across.at(each.round * 2 - 1)
        drawn.append(words(str(each.round), (x, _BOTTOM + 150), "middle"))
        fee, final = each.clearing_fee_minor_per_ft3, each.final_fees_minor_per_ft3
        if fee is not None:
            cleared.append((x, up.at(fee)))
            marks.append(dot("cleared", (x, up.at(fee)), 38))
        if final is not None:
            if fee is not None:
                finals.append(line("drop", (x, up.at(fee)), (x, up.at(final[0]))))
            finals += [dot("final", (x, up.at(value)), 52) for value in dict.fromkeys(final)]
    drawn += [path("feepath", cleared), *finals, *marks]
    return _picture("By round", f"Fees, {place}", _fee_words(rounds, currency), drawn)


def _fee_words(rounds: Sequence[FeePicture], currency: Currency) -> str:
    said = []
    for each in rounds:
        fee, final = each.clearing_fee_minor_per_ft3, each.final_fees_minor_per_ft3
        if fee is None:
            said.append(f"round {each.round}: nothing granted")
            continue
        paid = f"cleared at {currency.amount(fee)}"
        if final is not None:
            least, most = (currency.amount(value) for value in final)
            paid += f", its winners pay {least}" + ("" if least == most else f" to {most}")
        said.append(f"round {each.round} {paid}")
    text = "; ".join(said) + "."
    return text[0].upper() + text[1:]


def spread_chart(
    heading: str,
    title: str,
    bars: Sequence[tuple[str, int]],
    of_what: str,
    name_bars: Sequence[int] | None = None,
) -> Picture:
    """Bars of counts side by side; ``name_bars``: which of them are named below, default all."""
    up = Scale(max([number for _, number in bars] + [1]), _BOTTOM, _TOP)
    across = Scale(len(bars), _LEFT, _RIGHT)
    drawn = axes(across, up, None, lambda value: f"{value:,}")
    named = range(len(bars)) if name_bars is None else name_bars
    for place, (name, number) in enumerate(bars):
        left, right = across.at(place), across.at(place + 1)
        if number:
            top = min(up.at(number), _BOTTOM - 8)
            drawn.append(box("bar", (left + 10, top), (right - left - 20, _BOTTOM - top)))
        if place in named:
            drawn.append(words(name, (left, _BOTTOM + 150), "middle"))
    whole = sum(number for _, number in bars)
    filled = [place for place, (_, number) in enumerate(bars) if number]
    if not filled:
        return _picture(heading, title, f"No {of_what}.", drawn)
    most = max(filled, key=lambda place: (bars[place][1], -place))
    said = (
        f"{count(whole, *_one_and_many(of_what))}; the fullest class begins at {bars[most][0]} and "
        f"holds {bars[most][1]:,}; the highest with any begins at {bars[filled[-1]][0]}."
    )
    return _picture(heading, title, said, drawn)


def _one_and_many(of_what: str) -> tuple[str, str]:
    return of_what.removesuffix("s"), of_what


def _picture(heading: str, title: str, description: str, drawn: Sequence[str]) -> Picture:
    return Picture(heading, title, description, "".join(drawn), WIDTH, HEIGHT)


def _fee_text(currency: Currency) -> Callable[[int], str]:
    """Fees on an axis, without decimals where they are whole."""

    def text(fee_minor_per_ft3: int) -> str:
        whole, part = divmod(fee_minor_per_ft3, 10**currency.digits)
        return currency.number(fee_minor_per_ft3) if part else f"{whole:,}"

    return text
