"""What others wrote, as it may stand in a sentence: values, names of files and of columns.

Here belongs making a text harmless to read, not judging it; HTML and CSV have escapes of their own.
"""

from __future__ import annotations

_LONGEST_VALUE = 60


def shown(value: object) -> str:
    r"""A value as it may stand in a sentence: short, on one line, whatever a seller wrote in it.

    >>> shown("a" + chr(27) + "[31m")
    "'a\\x1b[31m'"
    """
    text = str(value)
    return repr(text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…")


def printable(text: str) -> str:
    r"""A text on one line, with what a terminal would obey written out.

    >>> printable("Größe" + chr(27) + "[31m" + chr(0x202E))
    'Größe\\x1b[31m\\u202e'
    """
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
