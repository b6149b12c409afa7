"""Errors: the program cannot do what was asked. A fault of a plan is a Finding, not an error."""

from collections.abc import Iterable
from dataclasses import dataclass


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
