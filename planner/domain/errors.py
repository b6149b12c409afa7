"""Errors: the program cannot do what was asked. A fault of a plan is a Finding, not an error."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MOST_FAULTS: Final = 10_000
"""Most faults of one input that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in an input: where it is, what is wrong, and what to do."""

    file: str
    line: int | None = None
    what: str
    cure: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.what}; {self.cure}"


class Faults(list[Fault]):
    """Faults as they are found; above `MOST_FAULTS` one more says that there are others.

    Whatever a file holds, its faults take little memory, and somebody can read them.
    """

    def append(self, fault: Fault) -> None:
        """Add a fault."""
        if len(self) < MOST_FAULTS:
            super().append(fault)
        elif len(self) == MOST_FAULTS:
            what, cure = "further faults are not listed", "correct these first"
            super().append(Fault(file=fault.file, what=what, cure=cure))

    def extend(self, faults: Iterable[Fault]) -> None:
        """Add faults, in order."""
        for fault in faults:
            self.append(fault)


class PlannerError(Exception):
    """Base of every error that the kit raises on purpose."""


class MissingExtraError(PlannerError):
    """A library that comes with an extra of the package and is not installed."""


class FaultyInputError(PlannerError):
    """An input that could not be used, with every fault that was found in it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InventoryError(FaultyInputError):
    """A fleet folder, or another export, that could not be used."""


class PlanError(FaultyInputError):
    """A plan that could not be read, or an edit that no plan can hold."""


class InfeasibleError(FaultyInputError):
    """No order keeps every constraint: the fewest that are in conflict, in words."""


class CertificateError(FaultyInputError):
    """A certificate file that could not be read."""


class PrivateKeyError(CertificateError):
    """A file that holds a private key: nothing of it is read."""
