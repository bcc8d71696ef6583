"""The top of a report: the strip of headline figures, and what happened in plain words.

Here belong figures over all markets, against the quarter before where there is one. Markets one by
one are ``market_sections``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestration.report.document import Fact
from orchestration.report.reading import Reading, Row
from orchestration.statements.words import (
    Currency,
    count,
    cubic_feet,
    instant,
    percent,
    signed,
    visible,
)

STRIP_QUERIES = ("bases", "grants", "settled")
_NAMED = 5


def facts_of(reading: Reading) -> tuple[Fact, ...]:
    """The strip of figures, as far as the quarter has come."""
    facts = [
        _count(reading, "Sellers", "bases", "sellers"),
        _volume(reading, "Base space", "bases"),
    ]
    if reading.rows["rounds"]:
        facts += [_volume(reading, "Extra space granted", "grants"), _money(reading, "Fees")]
    if reading.is_settled:
        facts += [_money(reading, "Credits"), _money(reading, "Net due"), _offset(reading)]
    return tuple(facts)


def summary_of(reading: Reading) -> str:
    """One paragraph that says what happened, and what comes when."""
    label = reading.quarter.label
    sellers = _sum(_now(reading, "bases"), "sellers")
    base = _sum(_now(reading, "bases"), "base_milli_ft3")
    said = []
    if sellers:
        said.append(
            f"{label} gave {count(sellers, 'seller', 'sellers')} a base allocation, "
            f"{cubic_feet(base)} in {count(len(reading.rows['markets']), 'market', 'markets')}."
        )
        said += _scaled(reading)
    said += _rounds(reading)
    if reading.is_settled:
        said += _settled(reading)
    said += [*_to_come(reading), *_simulated(reading)]
    return " ".join(said)


def _scaled(reading: Reading) -> list[str]:
    tight = [row for row in reading.rows["markets"] if row["scaled_down"]]
    if not tight:
        return ["Every market had room for what its sellers were due."]
    sellers = sum(int(row["scaled_down"]) for row in tight)
    is_everywhere = len(tight) == len(reading.rows["markets"])
    names = "every market" if is_everywhere else _names(_market(reading, row) for row in tight)
    scaled = count(sellers, "allocation was", "allocations were")
    return [f"Space was short in {names}: {scaled} scaled down to fit."]


def _rounds(reading: Reading) -> list[str]:
    rounds = reading.rows["rounds"]
    if not rounds:
        return ["No round has closed yet."]
    closed = max(int(row["round"]) for row in rounds)
    received = sum(int(row["requests"]) for row in reading.rows["requests"])
    accepted = sum(int(row["requests"]) for row in reading.rows["requests"] if row["is_accepted"])
    grants = _now(reading, "grants")
    closed_words = count(closed, "round has", "rounds have")
    received_words = count(received, "request", "requests")
    winners_words = count(_sum(grants, "winners"), "winner", "winners")
    space_words = cubic_feet(_sum(grants, "granted_milli_ft3"))
    said = [
        f"{closed_words} closed; {accepted:,} of {received_words} were accepted, with revisions.",
        f"{winners_words} (a seller in a market) got {space_words} of extra space.",
    ]
    left = [row for row in rounds if int(row["round"]) == closed and row["unsold_milli_ft3"]]
    if left:
        names = _names(_market(reading, row) for row in left)
        said.append(f"After round {closed}, space was left unsold in {names}.")
    repriced = sum(int(row["repriced"]) for row in reading.rows["fees"])
    if repriced:
        said.append(
            f"Later rounds cleared lower and brought down the fee of "
            f"{count(repriced, 'grant', 'grants')}."
        )
    return said


def _settled(reading: Reading) -> list[str]:
    said = []
    stages = {str(row["settlement_run"]) for row in _now(reading, "settled")}
    for row in _now(reading, "settled"):
        currency = reading.currency(str(row["marketplace_id"]))
        where = visible(str(row["marketplace_id"]))
        offset, winners = int(row["winners_wholly_offset"]), int(row["winners"])
        said.append(
            f"In {where}, credits of {currency.amount(int(row['credit_minor']))} came off fees of "
            f"{currency.amount(int(row['fee_minor']))}, which leaves "
            f"{currency.amount(int(row['net_due_minor']))} due; {offset:,} of "
            f"{count(winners, 'winner', 'winners')} owe nothing."
        )
    return [*said, f"Figures are those of the {_names(sorted(stages))} run."]


def _simulated(reading: Reading) -> list[str]:
    simulated = reading.simulated
    read = {
        str(file["table"]) for run in reading.runs for file in run.manifest["inputs"]["landing"]
    }
    if not simulated:
        return []
    if read == set(simulated):
        return ["All input is simulated: no marketplace delivered it."]
    return [f"Simulated, not delivered by a marketplace: {_names(simulated)}."]


def _to_come(reading: Reading) -> list[str]:
    ahead = reading.to_come
    if not ahead:
        return []
    first, *others = ahead
    then = ", ".join(
        f"{each.name} {instant(each.cutoff_at.replace(tzinfo=None))}" for each in others
    )
    text = f"Next comes {first.name}, with what was received before "
    text += instant(first.cutoff_at.replace(tzinfo=None))
    return [f"{text}; then {then}." if then else f"{text}."]


def _count(reading: Reading, name: str, query: str, column: str) -> Fact:
    now, before = (_sum(rows, column) for rows in _pair(reading, query))
    return Fact(name, (f"{now:,}",), _change(reading, query, signed_count(now - before)))


def signed_count(difference: int) -> str:
    """A difference of counts with its sign.

    >>> signed_count(1200), signed_count(-3), signed_count(0)
    ('+1,200', '−3', '0')
    """
    return signed(f"{difference:,}".replace("-", "−"))


def _volume(reading: Reading, name: str, query: str) -> Fact:
    column = "base_milli_ft3" if query == "bases" else "granted_milli_ft3"
    now, before = (_sum(rows, column) for rows in _pair(reading, query))
    moved = cubic_feet(_whole(now) - _whole(before)).removesuffix(" ft³")
    change = _change(reading, query, f"{signed(moved)} ft³")
    return Fact(name, (cubic_feet(_whole(now)),), change)


def _whole(volume_milli_ft3: int) -> int:
    """Rounded to whole cubic feet where that still says something."""
    exact = volume_milli_ft3
    return (exact + 500) // 1_000 * 1_000 if exact >= 100_000 else exact


def _money(reading: Reading, name: str) -> Fact:
    query = "settled" if reading.is_settled else "grants"
    column = {"Fees": "fee_minor", "Credits": "credit_minor", "Net due": "net_due_minor"}[name]
    now, before = (_by_currency(reading, rows, column) for rows in _pair(reading, query))
    changes = [
        f"{signed(purse[0].number(value - before[purse]))} on {reading.quarter.previous.label}"
        for purse, value in now.items()
        if purse in before
    ]
    if len(now) == 1:
        [(purse, value)] = now.items()
        return Fact(f"{name}{purse[0].heading}", (purse[0].number(value),), tuple(changes))
    values = [
        f"{purse[0].number(value)} in {purse[1]}" if purse[1] else purse[0].amount(value)
        for purse, value in now.items()
    ]
    return Fact(name, tuple(values) or ("0",), tuple(changes))


def _offset(reading: Reading) -> Fact:
    now, before = _pair(reading, "settled")
    shares = [_share(rows) for rows in (now, before)]
    text = "–" if shares[0] is None else percent(shares[0])
    change: tuple[str, ...] = ()
    if shares[0] is not None and shares[1] is not None:
        points = signed(percent(abs(shares[0] - shares[1])).removesuffix(" %"))
        points = points.replace("+", "−") if shares[0] < shares[1] else points
        change = (f"{points} points on {reading.quarter.previous.label}",)
    return Fact("Winners wholly offset", (text,), change)


def _share(rows: Iterable[Row]) -> int | None:
    """The share of winners whose credits paid all of their fee, in basis points to one decimal."""
    held = list(rows)
    winners = _sum(held, "winners")
    return _sum(held, "winners_wholly_offset") * 1_000 // winners * 10 if winners else None


def _change(reading: Reading, query: str, text: str) -> tuple[str, ...]:
    return (f"{text} on {reading.quarter.previous.label}",) if _pair(reading, query)[1] else ()


def _pair(reading: Reading, query: str) -> tuple[list[Row], list[Row]]:
    before = reading.quarter.previous.label
    rows = reading.rows[query]
    return _now(reading, query), [row for row in rows if row["quarter"] == before]


def _now(reading: Reading, query: str) -> list[Row]:
    return [row for row in reading.rows[query] if row["quarter"] == reading.quarter.label]


def _sum(rows: Iterable[Row], column: str) -> int:
    return sum(int(row[column]) for row in rows)


def _by_currency(
    reading: Reading, rows: Iterable[Row], column: str
) -> Mapping[tuple[Currency, str], int]:
    """Sums by currency; marketplaces whose currency nothing names yet stay apart, by name."""
    sums: dict[tuple[Currency, str], int] = {}
    for row in rows:
        marketplace = str(row["marketplace_id"])
        currency = reading.currency(marketplace)
        purse = (currency, "" if currency.code else visible(marketplace))
        sums[purse] = sums.get(purse, 0) + int(row[column])
    return sums


def _market(reading: Reading, row: Row) -> str:
    return reading.name((str(row["marketplace_id"]), str(row["storage_type"])))


def _names(names: Iterable[str]) -> str:
    """Names in a sentence; of many the first, and how many more.

    >>> _names(["a"]), _names(["a", "b", "a"]), _names("abcdefg")
    ('a', 'a and b', 'a, b, c, d and 3 more')
    """
    held = list(dict.fromkeys(names))
    if len(held) > _NAMED:
        held = [*held[: _NAMED - 1], f"{len(held) - _NAMED + 1} more"]
    *first, last = held
    return f"{', '.join(first)} and {last}" if first else last
