"""Every constraint of a rollout order: the calendar's, the capacity's, and the order rules.

Rules come from three places: rules.csv, the dates that a given plan has approved or done, and the
kinds of the fleet's sessions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.domain.calendar import NEVER, Calendar, Capacity, Freeze, Window
from planner.domain.fleet import Fleet, SessionKind
from planner.domain.levels import LevelFact
from planner.domain.options import SSL
from planner.domain.order_rules import OrderRule, RuleKind
from planner.domain.plan import UPGRADES, Action, Plan

SETTLED: Final = ("approved", "done")
"""Values of `status` whose dates nobody moves any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What an order must keep; each entry can be left out, to find out which ones are in conflict.

    Parameters
    ----------
    has_lead
        Whether every import must be in place its lead before it is needed.
    """

    freezes: tuple[Freeze, ...]
    windows: tuple[Window, ...]
    holidays: frozenset[int]
    capacity: Capacity
    rules: tuple[OrderRule, ...]
    has_lead: bool = True

    def may_upgrade(self, fleet: Fleet, site: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether endpoints of a site may be upgraded, for each day of the horizon."""
        calendar = Calendar(
            holidays=self.holidays, freezes=self.freezes, windows=self.windows, lead_days=0
        )
        return np.array(
            [
                day not in self.holidays
                and calendar.freeze_on(day) is None
                and calendar.is_in_window(day, site)
                for day in range(fleet.start, fleet.end)
            ],
            dtype=np.bool_,
        )


def constraints_of(fleet: Fleet, initial: Plan | None = None) -> Constraints:
    """Return all constraints of a fleet, and of the dates that a plan has approved or done."""
    calendar = fleet.calendar
    return Constraints(
        freezes=calendar.freezes,
        windows=calendar.windows,
        holidays=calendar.holidays,
        capacity=fleet.capacity,
        rules=(*fleet.rules, *_settled_dates(fleet, initial), *derived_rules(fleet)),
    )


def is_settled(plan: Plan, row: int) -> bool:
    """Whether a row of a plan is approved or done."""
    return plan.vocabulary.texts[plan.status[row]].strip().casefold() in SETTLED


def upgraded_endpoint(plan: Plan, row: int) -> int:
    """Endpoint that a row upgrades or installs; -1 for none that the fleet has."""
    fleet, action = plan.fleet, plan.action[row]
    if action == Action.UPGRADE_SERVER:
        server = int(plan.server[row])
        return server + len(fleet.clients) if 0 <= server < len(fleet.servers) else -1
    client = int(plan.client[row])
    return client if action in UPGRADES and 0 <= client < len(fleet.clients) else -1


def _settled_dates(fleet: Fleet, initial: Plan | None) -> Iterator[OrderRule]:
    """Dates of installations, and of what the given plan has approved or done."""
    clients = fleet.clients
    for client in np.flatnonzero((clients.level < 0) & (clients.upgrade != NEVER)).tolist():
        yield OrderRule(
            kind=RuleKind.FIXED,
            first=client,
            day=int(clients.upgrade[client]),
            reason="a new client is installed on its day",
            file="clients.csv",
            line=int(clients.line[client]),
        )
    if initial is None:
        return
    for row in range(len(initial)):
        endpoint = upgraded_endpoint(initial, row)
        if endpoint < 0 or not is_settled(initial, row):
            continue
        if endpoint < len(clients) and clients.level[endpoint] < 0:
            continue
        action = initial.row(row)
        yield OrderRule(
            kind=RuleKind.FIXED,
            first=endpoint,
            day=action.day,
            reason=f"the plan has it {action.status}",
            file=action.file,
            line=action.line,
        )


def derived_rules(fleet: Fleet) -> tuple[OrderRule, ...]:
    """Return the order rules that follow from the sessions of a fleet.

    Notes
    -----
    A replication source and the hub of the Operations Center open sessions of kind `server`: they
    come no later than their targets (APAR IT47767). A library manager comes no later than its
    library clients. A storage agent goes on the day of its own server, the first that it names.
    Hosts that share an account go on one day, as the first of them turns the account strict.
    A client below 6.3 with SSL cannot talk to a new server, so it comes no later.
    """
    return (*_between_servers(fleet), *_storage_agents(fleet), *_shared_accounts(fleet))


def _between_servers(fleet: Fleet) -> Iterator[OrderRule]:
    sessions, n_clients = fleet.sessions, len(fleet.clients)
    facts = fleet.level_facts()
    seen = set()
    # Few sessions are picked: those between servers, and those of clients below 6.3.
    is_below = (facts[sessions.client] & LevelFact.BELOW_63 != 0) & (
        sessions.options & SSL.mask != 0
    )
    kinds = np.isin(sessions.kind, (SessionKind.SERVER, SessionKind.LIBRARY))
    for row in np.flatnonzero(kinds | is_below).tolist():
        client, server = int(sessions.client[row]), n_clients + int(sessions.server[row])
        kind = SessionKind(sessions.kind[row])
        if kind is SessionKind.LIBRARY:
            first, then, reason = server, client, "a library manager before its library clients"
        elif kind is SessionKind.SERVER:
            first, then, reason = client, server, "a source or hub before its target or spoke"
        else:
            first, then, reason = client, server, "a client below 6.3 with SSL before its server"
        if first != then and (first, then) not in seen:
            seen.add((first, then))
            yield _derived(fleet, RuleKind.BEFORE, first, then, reason, row)


def _storage_agents(fleet: Fleet) -> Iterator[OrderRule]:
    sessions, n_clients = fleet.sessions, len(fleet.clients)
    seen = set()
    for row in np.flatnonzero(sessions.kind == SessionKind.STORAGE_AGENT).tolist():
        agent, server = int(sessions.client[row]), n_clients + int(sessions.server[row])
        if agent not in seen and agent != server:
            seen.add(agent)
            reason = "a storage agent with its server"
            yield _derived(fleet, RuleKind.TOGETHER, agent, server, reason, row)


def _shared_accounts(fleet: Fleet) -> Iterator[OrderRule]:
    sessions, accounts, n_clients = fleet.sessions, fleet.accounts, len(fleet.clients)
    is_new = fleet.level_facts() & LevelFact.NEW != 0
    is_installed = np.ones(fleet.n_endpoints, dtype=np.bool_)
    is_installed[:n_clients] = fleet.clients.level >= 0
    is_new &= is_installed
    rows = np.flatnonzero(fleet.account_is_shared[sessions.account])
    rows = rows[np.argsort(sessions.account[rows], kind="stable")]
    shared, first = np.unique(sessions.account[rows], return_index=True)
    seen = set()
    for account, own in zip(shared.tolist(), np.split(rows, first[1:]), strict=False):
        users = {int(sessions.client[row]): row for row in own[::-1].tolist()}
        old = [user for user in users if not is_new[user] and is_installed[user]]
        server = n_clients + int(accounts.server[account])
        reason = (
            f"hosts of one account, {accounts.name[account]} on {fleet.endpoint_name(server)}, "
            "which turns strict with the first of them"
        )
        for other in old[1:]:
            if (old[0], other) not in seen:
                seen.add((old[0], other))
                yield _derived(fleet, RuleKind.TOGETHER, old[0], other, reason, users[other])
        # One that is new already, or new from its installation on, turns the account strict alone.
        for user, row in users.items():
            leader = server if is_new[user] else user
            if user in old or not old or old[0] == leader or (old[0], leader) in seen:
                continue
            seen.add((old[0], leader))
            yield _derived(fleet, RuleKind.BEFORE, old[0], leader, reason, row)


def _derived(
    fleet: Fleet, kind: RuleKind, first: int, then: int, reason: str, session: int
) -> OrderRule:
    return OrderRule(
        kind=kind,
        first=first,
        then=then,
        reason=reason,
        file="sessions.csv",
        line=int(fleet.sessions.line[session]),
    )
