"""The plan: dated actions on one fleet, as read-only columns in the order in which they act.

Rows are sorted by day, then kind of action, then as given; a later row of one kind wins.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from planner.domain import views
from planner.domain.calendar import Days, iso
from planner.domain.columns import freeze_columns
from planner.domain.fleet import Codes, Fleet, LabelledEnum, Numbers
from planner.domain.names import NameRegister, Names
from planner.domain.options import OPTIONS, option_code

if TYPE_CHECKING:
    import pandas as pd


class Action(LabelledEnum):
    """The only ways in which anything changes, in the order in which they act within a day."""

    UPGRADE_SERVER = 0
    UPGRADE_CLIENT = 1
    INSTALL_CLIENT = 2
    RETIRE_CLIENT = 3
    IMPORT_CERTIFICATE = 4
    REMOVE_CERTIFICATE = 5
    SET_OPTION = 6
    REPLACE_CERTIFICATE = 7
    SET_SESSION_SECURITY = 8
    SET_AUTHENTICATION = 9


UPGRADES: Final = (Action.UPGRADE_SERVER, Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT)
"""Actions that bring a level."""
ACTION_LABELS: Final = {action.label: action for action in Action}


class SessionSecurity(IntEnum):
    """Values of `set-session-security`."""

    TRANSITIONAL = 0
    STRICT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAction:
    """One row of a plan in words; `option` is an option's name or empty."""

    day: int
    action: Action
    client: str = ""
    server: str = ""
    account: str = ""
    key_database: str = ""
    certificate: str = ""
    option: str = ""
    value: str = ""
    wave: str = ""
    status: str = ""
    note: str = ""
    file: str = "plan.csv"
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Names that a plan uses and its fleet does not know; they are numbered after the fleet's."""

    clients: Names = Names()
    servers: Names = Names()
    accounts: Names = Names()
    key_databases: Names = Names()
    certificates: Names = Names()
    texts: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plan:
    """Dated actions on one fleet.

    Parameters
    ----------
    day, action
        Shape `(n,)`: when, and an `Action`.
    client, server, account, key_database, certificate
        Shape `(n,)`: endpoint, server, account-name, key-database-name and certificate numbers;
        -1 where empty. A number behind the fleet's last is a name of `vocabulary`.
    option
        Shape `(n,)`: place in `OPTIONS`, -1 for none.
    value, wave, status, note, file
        Shape `(n,)`: places in `vocabulary.texts`.
    line
        Shape `(n,)`: line of the file that the action came from, 0 for none.
    """

    fleet: Fleet
    day: Days
    action: Codes
    client: Numbers
    server: Numbers
    account: Numbers
    key_database: Numbers
    certificate: Numbers
    option: Numbers
    value: Numbers
    wave: Numbers
    status: Numbers
    note: Numbers
    file: Numbers
    line: Numbers
    vocabulary: Vocabulary

    def __post_init__(self) -> None:
        for name in COLUMNS:
            if len(getattr(self, name)) != len(self.day):
                raise ValueError(f"Plan.{name}: {len(getattr(self, name))} rows")
        day, action = self.day, self.action
        is_later = day[1:] > day[:-1]
        if not np.all(is_later | (day[1:] == day[:-1]) & (action[1:] >= action[:-1])):
            order = np.lexsort((action, day))
            for name in COLUMNS:
                object.__setattr__(self, name, getattr(self, name)[order])
        freeze_columns(self)

    @classmethod
    def of(cls, fleet: Fleet, actions: Iterable[PlannedAction]) -> "Plan":
        """Make a plan of actions in words; names that the fleet does not know are kept."""
        registers = (
            NameRegister(EndpointNames(fleet)),
            NameRegister(fleet.servers.name),
            NameRegister(fleet.account_names),
            NameRegister(fleet.key_database_names),
            NameRegister(fleet.certificates.name),
        )
        known = [len(register) for register in registers]
        # Free texts differ by letter case, unlike names.
        texts: dict[str, int] = {"": 0}
        rows: list[tuple[int, ...]] = []
        for row in actions:
            names = (row.client, row.server, row.account, row.key_database, row.certificate)
            numbers = (
                register.number(name) if name else -1
                for register, name in zip(registers, names, strict=True)
            )
            option = option_code(row.option) if row.option else None
            free = (row.value, row.wave, row.status, row.note, row.file)
            rows.append(
                (
                    row.day,
                    row.action,
                    *numbers,
                    -1 if option is None else option,
                    *(texts.setdefault(text, len(texts)) for text in free),
                    row.line,
                )
            )
        table = np.array(rows, dtype=np.int32).reshape(len(rows), len(COLUMNS))
        columns = {
            name: np.ascontiguousarray(
                table[:, place], dtype=np.uint8 if name == "action" else None
            )
            for place, name in enumerate(COLUMNS)
        }
        new = [register.names(start) for register, start in zip(registers, known, strict=True)]
        return cls(
            fleet=fleet,
            vocabulary=Vocabulary(
                clients=new[0],
                servers=new[1],
                accounts=new[2],
                key_databases=new[3],
                certificates=new[4],
                texts=tuple(texts),
            ),
            **columns,
        )

    def __len__(self) -> int:
        return len(self.day)

    def rows(self) -> Iterator[PlannedAction]:
        """Return the actions in words, in their order."""
        return (self.row(number) for number in range(len(self)))

    def row(self, number: int) -> PlannedAction:
        """One action in words."""
        fleet, words, texts = self.fleet, self.vocabulary, self.vocabulary.texts
        option = int(self.option[number])
        return PlannedAction(
            day=int(self.day[number]),
            action=Action(self.action[number]),
            client=_word(int(self.client[number]), EndpointNames(fleet), words.clients),
            server=_word(int(self.server[number]), fleet.servers.name, words.servers),
            account=_word(int(self.account[number]), fleet.account_names, words.accounts),
            key_database=_word(
                int(self.key_database[number]), fleet.key_database_names, words.key_databases
            ),
            certificate=_word(
                int(self.certificate[number]), fleet.certificates.name, words.certificates
            ),
            option=OPTIONS[option].name if option >= 0 else "",
            value=texts[self.value[number]],
            wave=texts[self.wave[number]],
            status=texts[self.status[number]],
            note=texts[self.note[number]],
            file=texts[self.file[number]],
            line=int(self.line[number]),
        )

    def where(self, **cells: str) -> Numbers:
        """Row numbers of the actions with the given texts, in any letter case.

        Examples
        --------
        `plan.where(action="import-certificate", client="db1")`
        """
        wanted = {name: text.casefold() for name, text in cells.items()}
        unknown = wanted.keys() - {"date", *(field.name for field in fields(PlannedAction))}
        if unknown:
            raise ValueError(f"a plan has no column {', '.join(sorted(unknown))}")
        return np.array(
            [
                number
                for number, row in enumerate(self.rows())
                if all(_cell(row, name).casefold() == text for name, text in wanted.items())
            ],
            dtype=np.int32,
        )

    def with_actions(self, actions: Iterable[PlannedAction]) -> "Plan":
        """Return this plan and further actions."""
        return Plan.of(self.fleet, [*self.rows(), *actions])

    def without(self, rows: Numbers) -> "Plan":
        """Return this plan without the actions of the given row numbers."""
        return self._picked(np.delete(np.arange(len(self)), rows))

    def moved(self, rows: Numbers, day: int) -> "Plan":
        """Return this plan with the given actions on another day."""
        days = self.day.copy()
        days[rows] = day
        return replace(self, day=days)

    def _picked(self, rows: Numbers) -> "Plan":
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})

    def __repr__(self) -> str:
        if not len(self):
            return "Plan(0 actions)"
        return f"Plan({len(self)} actions, {iso(self.day[0])}..{iso(self.day[-1])})"

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of schedule.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


COLUMNS: Final = tuple(
    field.name for field in fields(Plan) if field.name not in {"fleet", "vocabulary"}
)


def _cell(row: PlannedAction, column: str) -> str:
    match column:
        case "date":
            return iso(row.day)
        case "action":
            return row.action.label
        case _:
            return str(getattr(row, column))


def _word(number: int, known: "Names | tuple[str, ...] | EndpointNames", more: Names) -> str:
    if number < 0:
        return ""
    return known[number] if number < len(known) else more[number - len(known)]


class EndpointNames:
    """The names of a fleet's endpoints by number: clients, then servers."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def __len__(self) -> int:
        return self._fleet.n_endpoints

    def __getitem__(self, endpoint: int) -> str:
        return self._fleet.endpoint_name(endpoint)

    def __iter__(self) -> Iterator[str]:
        fleet = self._fleet
        yield from fleet.clients.name
        yield from fleet.servers.name
