"""Figures and received text as a reader sees them.

Here belong formats that all renderers share: amounts in their currency's decimals, volumes in cubic
feet, shares, and text made visible. Escaping for HTML or CSV is the renderers' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fbacap_logic.sentences import money
from fbacap_logic.units import BASIS_POINTS, MILLI_PER_FT3

MINUS = "−"
NOTHING = "–"


@dataclass(frozen=True)
class Currency:
    """A currency's code, None where nothing published names it, and its decimals."""

    code: str | None
    digits: int

    @property
    def heading(self) -> str:
        """What a column's heading ends with: the currency, where it is known."""
        return f", {self.code}" if self.code else ""

    @property
    def per_ft3(self) -> str:
        """The unit of fees.

        >>> Currency("BRL", 2).per_ft3, Currency(None, 2).per_ft3
        ('BRL per ft³', 'per ft³')
        """
        return f"{self.code} per ft³" if self.code else "per ft³"

    def amount(self, amount_minor: int) -> str:
        """An amount with its currency.

        >>> Currency("BRL", 2).amount(-123456), Currency("JPY", 0).amount(1500)
        ('−1,234.56 BRL', '1,500 JPY')
        """
        text = self.number(amount_minor)
        return f"{text} {self.code}" if self.code else text

    def number(self, amount_minor: int) -> str:
        """The same without its currency, for columns whose heading names it.

        >>> Currency("USD", 2).number(1234567)
        '12,345.67'
        """
        sign = MINUS if amount_minor < 0 else ""
        return sign + _grouped(money(abs(amount_minor), self.digits))

    def millionths(self, amount_micro_minor: int) -> str:
        """An amount of millionths of a minor unit, rounded half-even for reading.

        >>> Currency("USD", 2).millionths(12_500_000), Currency("USD", 2).millionths(-12_600_000)
        ('0.12', '−0.13')
        """
        whole, rest = divmod(amount_micro_minor, 1_000_000)
        up = rest > 500_000 or (rest == 500_000 and whole % 2 == 1)
        return self.number(whole + up)


def volume(volume_milli_ft3: int) -> str:
    """A volume in cubic feet with all its decimals, for columns.

    >>> volume(1_234_500), volume(-5)
    ('1,234.500', '−0.005')
    """
    sign = MINUS if volume_milli_ft3 < 0 else ""
    return sign + _grouped(money(abs(volume_milli_ft3), 3))


def cubic_feet(volume_milli_ft3: int) -> str:
    """A volume in cubic feet without needless zeros, for sentences.

    >>> cubic_feet(1_234_500), cubic_feet(80_000)
    ('1,234.5 ft³', '80 ft³')
    """
    whole, part = divmod(abs(volume_milli_ft3), MILLI_PER_FT3)
    text = f"{whole:,}.{part:03d}".rstrip("0").rstrip(".")
    return f"{MINUS if volume_milli_ft3 < 0 else ''}{text} ft³"


def percent(share_bp: int) -> str:
    """A share in per cent.

    >>> percent(1500), percent(1234)
    ('15 %', '12.34 %')
    """
    whole, part = divmod(share_bp, 100)
    return f"{whole:,}.{part:02d}".rstrip("0").rstrip(".") + " %"


def times(factor_bp: int) -> str:
    """A factor.

    >>> times(10_072), times(13_000)
    ('1.0072', '1.3')
    """
    whole, part = divmod(factor_bp, BASIS_POINTS)
    return f"{whole:,}.{part:04d}".rstrip("0").rstrip(".")


def signed(text: str) -> str:
    """A difference with its sign.

    >>> signed("5.00"), signed("−5.00"), signed("0.00")
    ('+5.00', '−5.00', '0.00')
    """
    is_change = text.strip("0.,") != "" and not text.startswith(MINUS)
    return f"+{text}" if is_change else text


def instant(moment: datetime) -> str:
    """A moment in UTC; midnights as days, since cut-offs are days.

    >>> instant(datetime(2017, 6, 3)), instant(datetime(2017, 6, 3, 8, 5, 9))
    ('2017-06-03', '2017-06-03 08:05:09')
    """
    text = f"{moment:%Y-%m-%d %H:%M:%S}"
    return text.removesuffix(" 00:00:00")


def count(number: int, one: str, many: str) -> str:
    """A number of things.

    >>> count(1, "day", "days"), count(1200, "day", "days")
    ('1 day', '1,200 days')
    """
    return f"{number:,} {one if number == 1 else many}"


def visible(text: str) -> str:
    r"""Received text on one line: what would not print, or turns what follows, as its escape.

    >>> visible("line\nbreak \x1b[31m red \u202e"), visible("café 倉庫")
    ('line\\nbreak \\x1b[31m red \\u202e', 'café 倉庫')
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _grouped(text: str) -> str:
    whole, dot, part = text.partition(".")
    return f"{int(whole):,}{dot}{part}"
