"""Rollout orders tried one after the other, each beside another one."""

import contextvars
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import ipywidgets
import pandas as pd

from planner.domain.calendar import iso
from planner.domain.errors import PlannerError
from planner.domain.plan import Plan
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.measures import measures
from planner.engine.policies import under_policy
from planner.engine.timeline import simulate
from planner.inventory.writing import write_file
from planner.ordering.optimise import optimise, order
from planner.ordering.result import Progress, Result
from planner.ordering.stopping import Stop
from planner.ordering.strategies import STRATEGIES
from planner.reporting import plots, tables
from planner.reporting.cells import csv_bytes
from planner.reporting.plots.style import counted
from planner.reporting.schedule import schedule
from planner.tracking.compare import Comparison, compare
from planner.widgets.download import DownloadButton
from planner.widgets.panel import WHOLE_LABEL, Drawing, Panel, seed_field, weekly_limit

SEARCH: Final = "optimised"
"""The choice that searches for the best order."""
GIVEN: Final = "the given plan"
BEFORE: Final = "the order before"

_PAUSE: Final = 0.2
"""Shortest time between two words about a search [s]."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Order:
    """An order that was tried: its name, and the deadlines of its plan.

    `gap` is how far it may be above the best possible under the limits with which it was made [1].
    """

    name: str
    deadlines: Deadlines
    gap: float | None = None


class OrderExplorer:
    """Try rollout orders, and see each one beside the given plan or the order before it.

    Every order is made under the chosen limits and shown on the fleet as it is. The search runs
    beside the page, which stays usable: it says how far it is, and `cancel` takes the best so far.

    Attributes
    ----------
    strategy
        How the order is made; `optimised` searches for the least exposure.
    clients_per_week, servers_per_week, imports_per_week
        Size of a wave and of its work; 0 is unlimited.
    windows, freezes
        Whether the windows of the sites, and the freezes, hold.
    seconds, seed
        When a search stops at the latest [s], and its random numbers.
    against
        What the order is compared with.
    """

    def __init__(self, plan: Plan, *, path: str | Path | None = None) -> None:
        capacity = plan.fleet.capacity
        self._path = None if path is None else Path(path)
        self._orders = [Order(name=GIVEN, deadlines=deadlines(simulate(plan)))]
        self._place = 0
        self._says = ""
        self._thread: threading.Thread | None = None
        self._is_cancelled = threading.Event()
        self.strategy = ipywidgets.Dropdown(
            description="Order", options=[*STRATEGIES, SEARCH], style=WHOLE_LABEL
        )
        self.clients_per_week = weekly_limit("Clients", capacity.clients_per_week)
        self.servers_per_week = weekly_limit("Servers", capacity.servers_per_week)
        self.imports_per_week = weekly_limit("Imports", capacity.imports_per_week)
        self.windows = ipywidgets.Checkbox(description="Site windows hold", value=True)
        self.freezes = ipywidgets.Checkbox(description="Freezes hold", value=True)
        self.seconds = ipywidgets.BoundedFloatText(
            description="Seconds at most", value=30.0, min=0.1, max=36_000, style=WHOLE_LABEL
        )
        self.seed = seed_field()
        self.against = ipywidgets.Dropdown(
            description="Compare with", options=[GIVEN, BEFORE], style=WHOLE_LABEL
        )
        actions = {
            "Make the order": self.make,
            "Cancel": self.cancel,
            "Undo": self.undo,
            "Redo": self.redo,
            "Reset": self.reset,
            **({} if self._path is None else {"Save": self._save}),
        }
        self.buttons = {name: _button(name, action) for name, action in actions.items()}
        self.download = DownloadButton(self._schedule, "schedule.csv")
        rows = (
            (self.strategy, self.clients_per_week, self.servers_per_week, self.imports_per_week),
            (self.windows, self.freezes, self.seconds, self.seed),
            tuple(self.buttons.values()),
        )
        above = [ipywidgets.HBox(row, layout={"flex_flow": "row wrap"}) for row in rows]
        self.panel = Panel([self.against], self._draw, above=above, below=[self.download])
        self._settle("")

    @property
    def order(self) -> Order:
        """The order that is shown."""
        return self._orders[self._place]

    @property
    def value(self) -> Plan:
        """Its plan, for the fleet as it is."""
        return self.order.deadlines.timeline.plan

    @property
    def comparison(self) -> Comparison:
        """The order against what it is compared with."""
        return compare(self._beside.deadlines.timeline, self.order.deadlines.timeline)

    @property
    def is_searching(self) -> bool:
        """Whether an order is being made."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def summary(self) -> str:
        """The key numbers in a line."""
        order, found = self.order, measures(self.order.deadlines)
        gap = "" if order.gap is None else f", at most {order.gap:.1%} above the best"
        return (
            f"{order.name}: exposure {found.exposure:,.0f}{gap}, "
            f"{counted(found.refused_session_days, 'refused session-day')}, "
            f"finish {iso(found.finish) or 'never'}"
        )

    def make(self) -> None:
        """Begin to make the chosen order, unless one is being made; `wait` waits for it."""
        if self.is_searching:
            return
        self._is_cancelled.clear()
        # What the search tells goes to the page that asked for it: that is known by the context.
        context = contextvars.copy_context()
        arguments = (self._search, *self._chosen())
        self._thread = threading.Thread(target=context.run, args=arguments, daemon=True)
        self._enable(is_searching=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the order is made."""
        if self._thread is not None:
            self._thread.join()

    def cancel(self) -> None:
        """Stop the search; the best order so far is taken."""
        self._is_cancelled.set()

    def undo(self) -> None:
        """Go back by one order, if there is one."""
        self._step(self._place - 1, "undone")

    def redo(self) -> None:
        """Take back an undo, if there is one."""
        self._step(self._place + 1, "done again")

    def reset(self) -> None:
        """Go back to the given plan; this too can be undone."""
        if self._place and not self.is_searching:
            self._take(self._orders[0], "back to the given plan")

    def save(self, path: str | Path) -> None:
        """Write the plan as schedule.csv, whole or not at all; it reads back as this plan."""
        write_file(Path(path), csv_bytes(self._schedule()))

    def _save(self) -> None:
        if self._path is not None:
            self.save(self._path)
            self._settle(f"saved as {self._path.name}")

    def _chosen(self) -> tuple[Plan, str, Stop, int]:
        given = self._orders[0].deadlines.timeline.plan
        limited = under_policy(
            given,
            clients_per_week=self.clients_per_week.value,
            servers_per_week=self.servers_per_week.value,
            imports_per_week=self.imports_per_week.value,
            freezes=self.freezes.value,
            windows=self.windows.value,
        )
        # The planner limits time; how many iterations that makes is no matter.
        stop = Stop(iterations=sys.maxsize, seconds=self.seconds.value)
        return limited, self.strategy.value, stop, self.seed.value

    def _search(self, limited: Plan, strategy: str, stop: Stop, seed: int) -> None:
        """Make an order, and show it; runs beside the page."""
        tell = self._teller(strategy, stop)
        made, says = None, f"no order {strategy}: the program failed; its log says why"
        try:
            if strategy == SEARCH:
                found = optimise(
                    limited.fleet, stop=stop, seed=seed, initial=limited, observer=tell
                )
            else:
                found = order(
                    limited.fleet, strategy=strategy, stop=stop, initial=limited, observer=tell
                )
            made = self._order_of(found, limited)
            says = "cancelled: the best so far" if self._is_cancelled.is_set() else ""
        except PlannerError as error:
            says = f"no order {strategy}: {error}"
        finally:
            if made is None:
                self._settle(says)
            else:
                self._take(made, says)

    def _teller(self, strategy: str, stop: Stop) -> Callable[[Progress], None]:
        told = time.monotonic()

        def tell(now: Progress) -> None:
            nonlocal told
            if self._is_cancelled.is_set():
                raise KeyboardInterrupt  # the search takes it as it takes Ctrl-C
            if time.monotonic() - told > _PAUSE:
                told = time.monotonic()
                bound = "" if now.bound is None else f", no order is below {now.bound:,.0f}"
                self.panel.view.headline = (
                    f"making {strategy}: {now.value:,.0f} after {now.iteration} iterations{bound}; "
                    f"{now.seconds:.0f} of {stop.seconds:.0f} s"
                )

        return tell

    def _order_of(self, found: Result, limited: Plan) -> Order:
        own = self._orders[0].deadlines.timeline.plan.fleet
        limits = limited.fleet.capacity
        size = "any number" if limits.clients_per_week is None else f"{limits.clients_per_week}"
        return Order(
            name=f"{found.method}, {size} a week",
            deadlines=deadlines(simulate(replace(found.best, fleet=own))),
            gap=found.gap,
        )

    @property
    def _beside(self) -> Order:
        is_given = self.against.value == GIVEN
        return self._orders[0 if is_given else max(0, self._place - 1)]

    def _take(self, order: Order, says: str) -> None:
        del self._orders[self._place + 1 :]
        self._orders.append(order)
        self._place += 1
        self._settle(says)

    def _step(self, place: int, says: str) -> None:
        if 0 <= place < len(self._orders) and not self.is_searching:
            self._place = place
            self._settle(says)

    def _settle(self, says: str) -> None:
        """Show the order of the place, and which buttons do something."""
        self._says = says
        self._enable(is_searching=False)
        self.panel.redraw()

    def _enable(self, *, is_searching: bool) -> None:
        can = {
            "Make the order": not is_searching,
            "Cancel": is_searching,
            "Undo": self._place > 0 and not is_searching,
            "Redo": self._place + 1 < len(self._orders) and not is_searching,
            "Reset": self._place > 0 and not is_searching,
            "Save": not is_searching,
        }
        for name, button in self.buttons.items():
            button.disabled = not can[name]

    def _schedule(self) -> pd.DataFrame:
        return schedule(self.value, self.order.deadlines)

    def _draw(self) -> Drawing:
        found, beside = self.comparison, self._beside
        refused, safe = len(found.newly_refused), len(found.newly_safe)
        says = f"{self._says}. " if self._says else ""
        return Drawing(
            headline=f"{says}{self.summary}",
            ax=plots.orders(
                {beside.name: beside.deadlines, f"shown: {self.order.name}": self.order.deadlines}
            ),
            title=f"Against {beside.name}: {counted(refused, 'session')} newly refused, {safe:,} "
            f"newly safe; {found.lines()[2]}",
            table=tables.comparison(found),
        )

    def __repr__(self) -> str:
        return f"OrderExplorer({self.summary})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return self.panel.bundle(repr(self))


def _button(name: str, action: Callable[[], None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=name)
    button.on_click(lambda _: action())
    return button
