"""The planning board: weeks as columns, servers and groups of clients as cards."""

from datetime import date
from pathlib import Path
from typing import Final

import anywidget
import ipywidgets
import pandas as pd
import traitlets

from planner.domain.calendar import iso, monday_of, to_day
from planner.domain.findings import Severity
from planner.domain.fleet import Fleet
from planner.domain.plan import Plan
from planner.domain.rules import Verdict
from planner.engine.cards import Card, Consequence, cards, consequences, move, realigned, weeks_of
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.findings import check_deadlines
from planner.engine.measures import measures
from planner.engine.timeline import simulate
from planner.inventory.writing import write_file
from planner.reporting import tables
from planner.reporting.cells import csv_bytes
from planner.reporting.colours import MODE_COLOURS, MODE_LETTERS, STACKING, text_on
from planner.reporting.plots.style import counted
from planner.reporting.schedule import schedule
from planner.widgets.download import DownloadButton
from planner.widgets.panel import STATIC

MARKS: Final = {"R": "sessions refused", "D": "deadlines broken", "C": "outside the calendar"}
"""Letters of marked cards, gravest first."""


class BoardView(anywidget.AnyWidget):
    """The board as the page shows it; it holds no state that is not the plan's."""

    _esm = STATIC / "board.js"
    _css = STATIC / "board.css"
    state = traitlets.Dict().tag(sync=True)


class PlanningBoard:
    """A plan as a board: move a card to another week, and see at once what follows.

    The history of the board is a list of plans, and what it shows is always one of them. Imports
    stay where they are planned, until `realign` dates those anew that a move has made unsafe.

    Attributes
    ----------
    deck
        The cards, fixed when the board is made.
    view, download
        The board on the page, and the button below it.
    """

    def __init__(self, plan: Plan, *, path: str | Path | None = None) -> None:
        self.deck = cards(plan)
        self._path = None if path is None else Path(path)
        self._plans = [plan]
        self._place = 0
        self.view = BoardView()
        self.view.on_msg(self._on_message)
        self.download = DownloadButton(self._schedule, "schedule.csv")
        self.widget = ipywidgets.VBox([self.view, self.download])
        self._step(0, "")

    @property
    def value(self) -> Plan:
        """The plan that the board shows."""
        return self._plans[self._place]

    @property
    def deadlines(self) -> Deadlines:
        """The deadlines of that plan; they lead to its timeline."""
        return self._found

    def move(self, card: int, week: date) -> None:
        """Move the card of a number to the ISO week of a day.

        Raises
        ------
        IndexError
            If there is no such card.
        ValueError
            If the week lies outside the horizon.
        """
        chosen = self.deck[card]
        monday = monday_of(to_day(week))
        if monday == weeks_of(self.value, [chosen])[0]:
            return
        self._take(move(self.value, chosen, monday), f"{chosen.name} moved to {iso(monday)}")

    def realign(self) -> None:
        """Date the imports anew that are not safe, and add those that are missing."""
        self._take(realigned(self.value), "imports dated anew")

    def reset(self) -> None:
        """Go back to the plan with which the board was made; this too can be undone."""
        if self._place:
            self._take(self._plans[0], "back to the first plan")

    def undo(self) -> None:
        """Go back by one step, if there is one."""
        self._step(self._place - 1, "undone")

    def redo(self) -> None:
        """Take back an undo, if there is one."""
        self._step(self._place + 1, "done again")

    def save(self, path: str | Path) -> None:
        """Write the plan as schedule.csv, whole or not at all; it reads back as this plan."""
        path = Path(path)
        write_file(path, csv_bytes(self._schedule()))

    def _take(self, plan: Plan, says: str) -> None:
        del self._plans[self._place + 1 :]
        self._plans.append(plan)
        self._step(self._place + 1, says)

    def _step(self, place: int, says: str) -> None:
        if 0 <= place < len(self._plans):
            self._place = place
            self._found = deadlines(simulate(self.value))
            self._marks = consequences(self._found, self.deck)
            self._show(says)

    def _schedule(self) -> pd.DataFrame:
        return schedule(self.value, self._found)

    def _on_message(self, _: object, content: object, __: object) -> None:
        """Do what a click, a drop or a key asks for; anything else is not from our page."""
        match content:
            case {"do": "move", "card": int(card), "week": str(week)} if card in range(
                len(self.deck)
            ):
                self.move(card, date.fromisoformat(week))
            case {"do": "undo"}:
                self.undo()
            case {"do": "redo"}:
                self.redo()
            case {"do": "reset"}:
                self.reset()
            case {"do": "realign"}:
                self.realign()
            case {"do": "save"} if self._path is not None:
                self.save(self._path)
                self._show(f"saved as {self._path.name}")
            case _:
                pass

    def _show(self, says: str) -> None:
        found, plan = self._found, self.value
        weeks = weeks_of(plan, self.deck)
        self.view.state = {
            "says": f"{says}. {self.summary}" if says else "",
            "weeks": _weeks(plan.fleet, tables.weeks(found.timeline)),
            "cards": [
                {"number": number, "week": iso(week), **_card(card, mark)}
                for number, (card, mark, week) in enumerate(
                    zip(self.deck, self._marks, weeks, strict=True)
                )
            ],
            "totals": _totals(found),
            "legend": _legend(),
            "can": {
                "undo": self._place > 0,
                "redo": self._place + 1 < len(self._plans),
                "reset": self._place > 0,
                "realign": True,
                **({"save": True} if self._path else {}),
            },
        }

    @property
    def summary(self) -> str:
        """The key numbers in a line."""
        marked = sum(bool(mark.reasons) for mark in self._marks)
        refused = measures(self._found).refused_session_days
        return f"{counted(refused, 'refused session-day')}, {counted(marked, 'marked card')}"

    def __repr__(self) -> str:
        return f"PlanningBoard({len(self.deck)} cards: {self.summary})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        bundle: dict[str, object] = self.widget._repr_mimebundle_()
        return {**bundle, "text/plain": repr(self)}


def _card(card: Card, mark: Consequence) -> dict[str, object]:
    size = len(card.endpoints)
    detail = card.site if card.is_server else counted(size, "client")
    return {
        "name": card.name,
        "kind": "server" if card.is_server else "clients",
        "detail": f"{detail}, again" if card.turn else detail,
        "mark": _mark(mark),
        "reasons": list(mark.reasons),
    }


def _mark(mark: Consequence) -> str:
    """Return the letter of the gravest thing that a card brings; empty for nothing."""
    if mark.refused:
        return "R"
    if mark.not_safe:
        return "D"
    return "C" if mark.is_off_calendar else ""


def _weeks(fleet: Fleet, weeks: pd.DataFrame) -> list[dict[str, object]]:
    capacity = fleet.capacity
    limits = (
        ("servers", capacity.servers_per_week),
        ("clients", capacity.clients_per_week),
        ("imports", capacity.imports_per_week),
    )
    return [
        {
            "week": row["week"],
            "freeze": row["freeze"],
            "bars": [{"name": name, "used": row[name], "limit": limit} for name, limit in limits],
            "modes": [row[mode.label] for mode in STACKING],
        }
        for row in weeks.to_dict("records")
    ]


def _totals(found: Deadlines) -> list[list[str]]:
    """Return what the whole plan comes down to, as names and values."""
    plan_measures = measures(found)
    safe = found.count(Verdict.OK) + found.count(Verdict.IN_PLACE)
    errors = check_deadlines(found).count(Severity.ERROR)
    return [
        ["refused session-days", f"{plan_measures.refused_session_days:,}"],
        ["imports not safe", f"{len(found) - safe:,}"],
        ["errors", f"{errors:,}"],
        ["exposure", f"{plan_measures.exposure:,.0f}"],
        ["busiest week", counted(plan_measures.peak_imports_per_week, "import")],
        ["finish", iso(plan_measures.finish) or "never"],
    ]


def _legend() -> dict[str, object]:
    return {
        "marks": [[letter, meaning] for letter, meaning in MARKS.items()],
        "modes": [
            [MODE_LETTERS[mode], mode.label, MODE_COLOURS[mode], text_on(MODE_COLOURS[mode])]
            for mode in STACKING
        ],
    }
