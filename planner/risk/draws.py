"""Which action slips by how much in which run: drawn by counting, so that order does not matter.

A draw is a hash of seed, run and what the action is - not of its place or day. So two plans get
the same slips for the same actions, and any share of the runs or of the fleet gives the same
numbers.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import NEVER, Calendar, Days
from planner.domain.fleet import Fleet, Numbers
from planner.domain.plan import Action, Plan
from planner.risk.delays import LONGEST, MAY_SLIP, NO_DELAY, Slip, usual_or
from planner.risk.kernel import delays, mixed_columns
from planner.risk.model import Slipping, guide_of

_DONE: Final = "done"
_SEARCHED: Final = 4 * LONGEST
"""Days behind the horizon on which what slips may land [days]."""
_DIGITS: Final = 6
"""Bytes of a hash: as many as `planner.risk.kernel` mixes."""


class Draws(NamedTuple):
    """The actions that may slip, by their rows in the plan, and all that decides by how much."""

    row: Numbers
    slipping: Slipping


def draws_of(plan: Plan, slips: Sequence[Slip], seed: int) -> Draws:
    """Find the actions of a plan that may slip: not what is done, or dated before the first day.

    Linear in actions; for each the first of `slips` that fits counts.
    """
    fleet = plan.fleet
    endpoint = endpoints_of(plan)
    sites, owners = _folded_places(fleet)
    site, owner = sites[endpoint], owners[endpoint]
    is_done = np.array([text.casefold() == _DONE for text in plan.vocabulary.texts])[plan.status]
    is_open = np.isin(plan.action, MAY_SLIP) & (plan.day >= fleet.start) & ~is_done
    table = np.full(len(plan), -1, dtype=np.int32)
    for number, slip in enumerate(slips):
        fits = is_open & (table < 0)
        if slip.action is not None:
            fits &= plan.action == slip.action
        if slip.site:
            fits &= site == slip.site.casefold()
        if slip.owner:
            fits &= owner == slip.owner.casefold()
        table[fits] = number
    for number, slip in enumerate(slips):
        if slip.delay == NO_DELAY:
            table[table == number] = -1
    row = np.flatnonzero(table >= 0).astype(np.int32)
    is_upgrade = plan.action[row] != Action.IMPORT_CERTIFICATE
    windows = ["", *dict.fromkeys(window.site.casefold() for window in fleet.calendar.windows)]
    window_of = {name: number for number, name in enumerate(windows)}
    window = np.array([window_of.get(name, 0) for name in site[row].tolist()], dtype=np.int32)
    steps = [slip.delay.shares_done() for slip in slips]
    step_first = np.cumsum([0, *map(len, steps)], dtype=np.int32)
    step = np.concatenate([np.zeros(0), *steps])
    first_day = fleet.start
    days = range(first_day, max(fleet.end, int(plan.day.max(initial=0)) + 1) + _SEARCHED)
    working = np.array([fleet.calendar.is_working(day) for day in days])
    slipping = Slipping(
        day=plan.day[row],
        is_upgrade=is_upgrade,
        identity=_identities(plan, seed)[row],
        table=table[row],
        window=np.where(is_upgrade, window, 0).astype(np.int32),
        step_first=step_first,
        step=step,
        guide=guide_of(step_first, step),
        first_day=first_day,
        n_working=np.cumsum(working).astype(np.int32),
        working=np.array(days, dtype=np.int32)[working],
        allowed=np.stack([_allowed(fleet.calendar, days, name) for name in windows]),
    )
    return Draws(row, slipping)


def slipped(plan: Plan, *, run: int, seed: int, slips: Sequence[Slip] | None = None) -> Plan:
    """Return the plan of one run: that with the delays which `planner.slip` gave it.

    Parameters
    ----------
    run
        Its number, from 0 on.
    seed, slips
        As for `planner.slip`.
    """
    draws = draws_of(plan, usual_or(slips), seed)
    days = plan.day.copy()
    days[draws.row] = delays(draws.slipping, run)[1]
    return replace(plan, day=days)


def endpoints_of(plan: Plan) -> Numbers:
    """Endpoint of each action: its client, else its server; one behind the last for none."""
    fleet = plan.fleet
    n_clients, n = len(fleet.clients), fleet.n_endpoints
    of_server = np.where(
        (plan.server >= 0) & (plan.server < len(fleet.servers)), n_clients + plan.server, n
    )
    of_client = np.where(plan.client < n, plan.client, n)
    is_of_client = (plan.client >= 0) & (plan.action != Action.UPGRADE_SERVER)
    endpoints: Numbers = np.where(is_of_client, of_client, of_server).astype(np.int32)
    return endpoints


def _folded_places(fleet: Fleet) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Site and owner of each endpoint, without letter case; empty ones behind the last."""
    sites = [site.casefold() for site in (*fleet.clients.site, *fleet.servers.site, "")]
    owners = [owner.casefold() for owner in fleet.clients.owner]
    owners += [""] * (len(fleet.servers) + 1)
    return np.array(sites, dtype=np.object_), np.array(owners, dtype=np.object_)


def _allowed(calendar: Calendar, days: range, site: str) -> Days:
    """First open day in the window of a site from each day on; the day itself for none."""
    found = np.array(days, dtype=np.int32)
    following = NEVER
    for place in reversed(range(len(days))):
        if calendar.is_open(days[place]) and calendar.is_in_window(days[place], site):
            following = days[place]
        if following != NEVER:
            found[place] = following
    return found


def _identities(plan: Plan, seed: int) -> NDArray[np.int64]:
    """Hash of the seed and of all of each action but its day."""
    fleet, words = plan.fleet, plan.vocabulary
    columns = (
        (plan.action, (action.label for action in Action)),
        (plan.client, chain(fleet.clients.name, fleet.servers.name, words.clients)),
        (plan.server, chain(fleet.servers.name, words.servers)),
        (plan.key_database, chain(fleet.key_database_names, words.key_databases)),
        (plan.certificate, chain(fleet.certificates.name, words.certificates)),
        (plan.value, words.texts),
    )
    result = np.full(len(plan), _hash(str(seed)), dtype=np.int64)
    for numbers, names in columns:
        result = mixed_columns(result ^ _hashes(names)[numbers])
    return result


def _hashes(names: Iterable[str]) -> NDArray[np.int64]:
    """Hash of each name, and one behind them, for -1, of the default."""
    return np.array([*map(_hash, names), _hash("default")], dtype=np.int64)


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.casefold().encode(), digest_size=_DIGITS).digest()
    return int.from_bytes(digest, "little")


def restricted(draws: Draws, places: Numbers) -> Draws:
    """Return the draws of some of the actions."""
    taken = draws.slipping
    return Draws(
        draws.row[places],
        taken._replace(
            day=taken.day[places],
            is_upgrade=taken.is_upgrade[places],
            identity=taken.identity[places],
            table=taken.table[places],
            window=taken.window[places],
        ),
    )
