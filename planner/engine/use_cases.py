"""Which of the primary document's eight use cases each session is: `semantics.md` section 5."""

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER, Days
from planner.domain.fleet import Flags
from planner.domain.levels import LevelFact
from planner.domain.options import SSL
from planner.engine import kernel
from planner.engine.program import facts_before, not_installed
from planner.engine.timeline import Timeline

NO_CASE = 0


def use_cases(timeline: Timeline) -> NDArray[np.uint8]:
    """Use case 1 to 8 of each session, `NO_CASE` where none fits; shape `(n_sessions,)`."""
    fleet = timeline.plan.fleet
    sessions = fleet.sessions
    n_clients = len(fleet.clients)
    absent = not_installed(timeline.plan)
    was_new = facts_before(timeline.plan) & LevelFact.NEW != 0
    first_new = np.where(was_new, np.int32(ALWAYS), timeline.compiled.program.level_first_new)
    install = _first_installed(timeline)
    installed_new = absent & (install != NEVER) & _is_new_on(timeline, install)
    client, server = sessions.client, sessions.server + n_clients

    u, v = first_new[client], first_new[server]
    is_new_install = installed_new[client]
    has_case = ~is_new_install & (u != NEVER) & ~(was_new[client] & was_new[server])
    is_later = has_case & (v > u)
    ssl_day = np.where(is_new_install, install[client], np.maximum(u - 1, fleet.start))
    ssl_day = np.where(was_new[client], fleet.start, ssl_day)
    ssl = _ssl_on(timeline, ssl_day, has_case | is_new_install)

    case = np.full(len(sessions), NO_CASE, dtype=np.uint8)
    case[has_case] = 1 + ssl[has_case]
    case[is_later] = 3 + ssl[is_later]
    case[is_later & _has_different_days(timeline, is_later, v)] = 5
    installs = np.flatnonzero(is_new_install)
    facts = kernel.facts_on(timeline.compiled.program, server[installs], ssl_day[installs])
    case[installs] = np.where(facts & LevelFact.NEW != 0, 6, np.where(ssl[installs], 7, 8))
    return case


def _first_installed(timeline: Timeline) -> Days:
    """First day of the horizon on which each endpoint is installed, `NEVER` where none."""
    program = timeline.compiled.program
    is_installed = program.level_facts & LevelFact.INSTALLED != 0
    day = np.where(is_installed, program.level_day, np.int32(NEVER))
    return np.minimum.reduceat(day, program.level_first[:-1]) if len(day) else day


def _is_new_on(timeline: Timeline, day: Days) -> Flags:
    """Whether each endpoint is new on a day of its own that begins one of its levels."""
    program = timeline.compiled.program
    endpoint = np.repeat(np.arange(len(day)), np.diff(program.level_first))
    new = (program.level_facts & LevelFact.NEW != 0) & (program.level_day == day[endpoint])
    return np.logical_or.reduceat(new, program.level_first[:-1]) if len(new) else new


def _ssl_on(timeline: Timeline, day: Days, wanted: Flags) -> Flags:
    """Whether SSL is Yes for each wanted session on a day of its own, after its actions."""
    ask = np.where(wanted, day, timeline.plan.fleet.start).astype(np.int32)
    options = kernel.options_on(timeline.compiled.program, ask)
    ssl: Flags = wanted & (options & SSL.mask != 0)
    return ssl


def _has_different_days(timeline: Timeline, is_later: Flags, server_new: Days) -> Flags:
    """Whether a session's client reaches servers that become new later, on different days."""
    fleet = timeline.plan.fleet
    client = fleet.sessions.client
    soonest = np.full(fleet.n_endpoints, NEVER, dtype=np.int32)
    latest = np.full(fleet.n_endpoints, ALWAYS, dtype=np.int32)
    np.minimum.at(soonest, client[is_later], server_new[is_later])
    np.maximum.at(latest, client[is_later], server_new[is_later])
    return (soonest < latest)[client]
