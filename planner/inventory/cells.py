"""Cells of CSV and TOML files into values; a cell that is none is a fault with its cure."""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from planner.domain.calendar import to_day
from planner.domain.errors import Fault
from planner.domain.levels import Level
from planner.domain.names import Names
from planner.domain.options import Option
from planner.inventory.csv_tables import Table
from planner.inventory.hints import did_you_mean, nearest, quoted

LARGEST_WEIGHT: Final = 1_000_000
_MOST_COMPARISONS: Final = 100_000
"""After so many comparisons no nearest name is looked for: two seconds at worst."""

T = TypeVar("T")


class CellError(Exception):
    """A cell that holds no value of its column: what is wrong, and what to do."""

    def __init__(self, what: str, cure: str) -> None:
        self.what, self.cure = what, cure
        super().__init__(f"{what}; {cure}")


def parse_day(text: str) -> int:
    """Return the day number of `YYYY-MM-DD`.

    Raises
    ------
    CellError
        If the text is no such date.
    """
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        try:
            return to_day(datetime.date.fromisoformat(text))
        except ValueError:
            pass
    raise CellError("is not a date", f"write it as {_nearest_date(text)}")


def _nearest_date(text: str) -> str:
    """Return the date that a text probably means, else an example."""
    separated = re.fullmatch(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})", text, re.ASCII)
    german = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text, re.ASCII)
    packed = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text, re.ASCII)
    stamp = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})[T ].{1,20}", text, re.ASCII)
    found = separated or packed or stamp
    parts = found.groups() if found else german.groups()[::-1] if german else ("0", "0", "0")
    year, month, day = map(int, parts)
    if year == 0 or not 1 <= month <= 12 or not 1 <= day <= 31:
        return "2027-01-31"
    while True:  # 30 February is meant as the month's last day
        try:
            return datetime.date(year, month, day).isoformat()
        except ValueError:
            day -= 1


def parse_level(text: str) -> Level:
    """Return a product level.

    Raises
    ------
    CellError
        If the text is none.
    """
    try:
        return Level.parse(text)
    except ValueError:
        numbers = re.findall(r"\d+", text, re.ASCII)
        example = "8.1.13 or 8.1.13.2"
        # "V8.1.13" and "8,1,13" are clear; in "8.1.x" a number is missing.
        is_clear = len(text) <= 20 and not re.search(r"[x*?]", text) and 3 <= len(numbers) <= 4
        if is_clear and all(len(number) <= 4 for number in numbers):
            example = ".".join(numbers)
        raise CellError("is not a product level", f"write it as {example}") from None


def parse_port(text: str) -> int:
    """Return a port.

    Raises
    ------
    CellError
        If the text is none.
    """
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or not 0 < int(text) < 65536:
        raise CellError("is not a port", "write a number from 1 to 65535")
    return int(text)


def parse_weight(text: str) -> float:
    """Return a weight [1], from 0 to a million.

    Raises
    ------
    CellError
        If the text is no such number.
    """
    if re.fullmatch(r"(\d{1,10}(\.\d{0,20})?|\.\d{1,20})(e[+-]?\d{1,2})?", text, re.ASCII | re.I):
        weight = float(text)
        if weight <= LARGEST_WEIGHT:
            return weight
    example = text.replace(",", ".") if re.fullmatch(r"\d{1,6},\d{1,9}", text, re.ASCII) else "2.5"
    raise CellError(
        "is not a weight", f"write a number from 0 to {LARGEST_WEIGHT}, such as {example}"
    )


def _parse_name(text: str) -> str:
    if not text.isprintable():
        cure = "write the name without it"
        raise CellError("holds a character that cannot be printed", cure)
    return text


class Choices:
    """A closed set of values, found in any letter case, with any separator, or abbreviated.

    Parameters
    ----------
    codes
        What each value stands for, by the value as it is written.
    shortest
        The least that may be written of a value, where it may be abbreviated.
    takes_longer
        Whether a value may go on after its abbreviation in another way than its own.
    """

    def __init__(
        self,
        codes: Mapping[str, int],
        *,
        shortest: Mapping[str, str] | None = None,
        takes_longer: bool = False,
    ) -> None:
        self._codes = dict(codes)
        self._shortest = {value: _squeezed((shortest or {}).get(value, value)) for value in codes}
        self._takes_longer = takes_longer

    @classmethod
    def of_option(cls, option: Option) -> "Choices":
        """Return the values of an option."""
        codes = {choice: code for code, choice in enumerate(option.choices)}
        shortest = dict(zip(option.choices, option.choice_abbreviations, strict=True))
        return cls(codes, shortest=shortest, takes_longer=option.takes_longer)

    def value(self, text: str) -> str:
        """Return a value in its own spelling.

        Raises
        ------
        CellError
            If the text is no value.
        """
        squeezed = _squeezed(text)
        for value, shortest in self._shortest.items():
            is_prefix = self._takes_longer or _squeezed(value).startswith(squeezed)
            if squeezed and is_prefix and squeezed.startswith(shortest):
                return value
        near = nearest(text, self._codes)
        hint = f"did you mean {near!r}? " if near else ""
        raise CellError("is not known", f"{hint}use one of {', '.join(self._codes)}")

    def code(self, text: str) -> int:
        """Return what a value stands for.

        Raises
        ------
        CellError
            If the text is no value.
        """
        return self._codes[self.value(text)]


def _squeezed(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text.casefold())


YES_NO: Final = Choices({"Yes": 1, "No": 0}, shortest={"Yes": "Y", "No": "N"})


class Cells:
    """Turns columns of tables into values and collects the faults, one for each wrong cell."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        self._comparisons_left = _MOST_COMPARISONS

    def fault(self, table: Table, row: int, what: str, cure: str) -> None:
        """Record a fault of a row."""
        self.faults.append(table.fault(row, what, cure))

    def parsed(
        self,
        table: Table,
        column: str,
        parse: Callable[[str], T],
        empty: T,
        *,
        is_required: bool = False,
    ) -> list[T]:
        """Return the value of each cell of a column; `empty` where it is empty or wrong.

        Each distinct text is parsed once.
        """
        texts = table[column]
        values: dict[str, T] = {"": empty}
        errors: dict[str, tuple[str, str]] = {}
        if is_required:
            errors[""] = (f"{column} is empty", "fill it in")
        for text in dict.fromkeys(texts):
            if text:
                try:
                    values[text] = parse(text)
                except CellError as error:
                    values[text] = empty
                    errors[text] = (f"{column} {quoted(text)} {error.what}", error.cure)
        if errors:
            for row, text in enumerate(texts):
                if text in errors:
                    self.fault(table, row, *errors[text])
        return [values[text] for text in texts]

    def names(self, table: Table, column: str, *, is_required: bool = False) -> list[str]:
        """Return a column of names; control characters are no part of a name."""
        return self.parsed(table, column, _parse_name, "", is_required=is_required)

    def did_you_mean(self, text: str, names: Names, otherwise: str) -> str:
        """Return the cure for a name that is unknown; a wrong file is not compared for hours."""
        known = names if self._comparisons_left > 0 else ()
        self._comparisons_left -= len(known)
        return did_you_mean(text, known, otherwise)
