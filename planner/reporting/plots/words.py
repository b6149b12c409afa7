"""Pictures in words, for people who do not see them."""

from typing import Final

import numpy as np

from planner.domain.calendar import iso
from planner.domain.plan import Plan
from planner.domain.rules import Mode, Verdict
from planner.engine.deadlines import Deadlines
from planner.engine.distribution import Distribution
from planner.engine.timeline import Timeline
from planner.reporting.plots import comparison, distribution, modes, network, rollout, slips, waves
from planner.reporting.plots.style import counted
from planner.risk.result import Risk
from planner.tracking.compare import Comparison

NAMES: Final = ("modes", "deadlines", "gantt", "fleet", "waves", "comparison", "leads")


def alternative_text(name: str, value: object) -> str:
    """Say in two or three sentences what a picture shows, with its key numbers.

    Parameters
    ----------
    name
        One of `modes`, `deadlines`, `gantt`, `fleet`, `waves`, `comparison`, `leads`.
    value
        What the picture was drawn from.

    Raises
    ------
    ValueError
        If there is no such picture of the value.
    """
    match name, value:
        case "modes", Timeline():
            return _of_modes(value)
        case "deadlines", Deadlines():
            return _of_deadlines(value)
        case "gantt", Plan():
            return _of_gantt(value)
        case "fleet", Timeline():
            return _of_fleet(value)
        case "waves", Distribution():
            return _of_waves(value)
        case "comparison", Comparison():
            return (
                f"Lines show how many sessions of {value.fleet.name} two plans leave in plain "
                f"text, and refuse, on every day. {comparison.numbers(value)}"
            )
        case "leads", Risk():
            return (
                f"Bars show for how many imports of {value.plan.fleet.name} each lead is enough "
                f"when upgrades and imports slip. {slips.numbers(value)}"
            )
        case _:
            kind = type(value).__name__
            raise ValueError(f"{name!r} is no picture of a {kind}; use one of {', '.join(NAMES)}")


def _of_modes(timeline: Timeline) -> str:
    fleet = timeline.plan.fleet
    return (
        f"Stacked areas show how many sessions of {fleet.name} are in each security mode on every "
        f"day from {iso(fleet.start)} to {iso(fleet.end - 1)}. {modes.numbers(timeline)} "
        f"In short, {_most(timeline, fleet.start)}, and {_most(timeline, fleet.end - 1)}."
    )


def _most(timeline: Timeline, day: int) -> str:
    """Say which mode most sessions are in on a day."""
    if not timeline.n_sessions:
        return f"on {iso(day)} there are none"
    counts = np.bincount(timeline.mode_on(day), minlength=len(Mode))
    mode = Mode(int(np.argmax(counts)))
    sessions = counted(int(counts[mode]), "session")
    return f"on {iso(day)} the commonest mode is {mode.label} with {sessions}"


def _of_deadlines(deadlines: Deadlines) -> str:
    fleet = deadlines.timeline.plan.fleet
    to_make = ~deadlines.has_verdict(Verdict.IN_PLACE)
    text = (
        f"The chart shows by which day each certificate must be imported in {fleet.name}, and when "
        f"it is planned. In words: {distribution.numbers(deadlines)}"
    )
    if not to_make.any():
        return text
    first, last = deadlines.latest_safe[to_make].min(), deadlines.latest_safe[to_make].max()
    return f"{text} The latest safe days run from {iso(int(first))} to {iso(int(last))}."


def _of_gantt(plan: Plan) -> str:
    fleet = plan.fleet
    n_freezes = sum(
        freeze.start < fleet.end and freeze.end > fleet.start for freeze in fleet.calendar.freezes
    )
    freezes = {0: "No freeze falls", 1: "One freeze falls"}.get(
        n_freezes, f"{n_freezes} freezes fall"
    )
    return (
        f"The chart shows on which days servers and clients of {fleet.name} are upgraded and "
        f"certificates are imported. In words: {rollout.numbers(plan)} "
        f"{freezes} into the horizon from {iso(fleet.start)} to {iso(fleet.end - 1)}."
    )


def _of_fleet(timeline: Timeline) -> str:
    fleet = timeline.plan.fleet
    day = fleet.end - 1
    before = network.numbers(timeline, fleet.start)
    return (
        f"Ribbons join the clients of {fleet.name} to its servers, coloured by the security mode "
        f"of their sessions on {iso(day)}. On that day: {network.numbers(timeline, day)} "
        f"On the first day, {iso(fleet.start)}: {before}"
    )


def _of_waves(distribution: Distribution) -> str:
    fleet = distribution.deadlines.timeline.plan.fleet
    capacity = fleet.capacity.imports_per_week
    text = (
        f"Bars show how many certificates of {fleet.name} are imported each week, and how they get "
        f"there. In words: {waves.numbers(distribution)}"
    )
    if capacity is None:
        return f"{text} No capacity is given."
    over = sum(sum(counts.values()) > capacity for _, counts in distribution.weeks())
    return f"{text} The capacity is {capacity:,} a week, with {counted(over, 'week')} above it."
