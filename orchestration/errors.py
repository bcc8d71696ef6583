"""The errors people meet, and the exit code that each one ends the command line with.

Here belongs the family only. A message is one sentence that names the thing, the place and the
remedy; it is written where the fault is found. Programming errors stay ordinary exceptions.
"""

from __future__ import annotations

from typing import ClassVar


class FbacapError(Exception):
    """A failure that its message explains; anything else is a bug.

    Exit code 1 is left to bugs and to a verification that found a difference, 2 to wrong use of the
    command line.
    """

    exit_code: ClassVar[int] = 1


class BadUsage(FbacapError):  # noqa: N818 - reads as what happened
    """A command's words are wrong; it says which ones are right."""

    exit_code = 2


class BadInput(FbacapError):  # noqa: N818
    """A delivered file cannot be taken in; nothing of the delivery was."""

    exit_code = 3


class ContractBroken(FbacapError):  # noqa: N818
    """Data between two stages breaks its contract; the stages after it did not run."""

    exit_code = 4


class NotPublished(FbacapError):  # noqa: N818
    """Something that another stage should have published is not there."""

    exit_code = 5


class Busy(FbacapError):  # noqa: N818
    """Another process holds what this one needs; trying again later helps."""

    exit_code = 6


class Corrupted(FbacapError):  # noqa: N818
    """Stored bytes are not the bytes that were stored."""

    exit_code = 7


class BadConfiguration(FbacapError):  # noqa: N818
    """A policy, contract or setting of this project is wrong."""

    exit_code = 8


class Superseded(FbacapError):  # noqa: N818
    """A settlement run would take back what a run that knew more has posted."""

    exit_code = 9


class NotStored(FbacapError):  # noqa: N818
    """What had to be written could not be: the disk is full, or a folder is closed to writing."""

    exit_code = 10


class Differs(FbacapError):  # noqa: N818
    """A published figure, hash or row is not what its second computation gives."""

    exit_code = 1
