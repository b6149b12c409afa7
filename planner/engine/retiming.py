"""A plan compiled once, and its program on other days.

Many runs of one plan differ in the days of its upgrades and imports alone. What days do not decide
is compiled once; `retimed` lays out the rest anew, with the same loops as `compile_plan`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import Days
from planner.domain.fleet import Codes, Numbers
from planner.domain.plan import Action, Plan
from planner.engine import entries, timelines
from planner.engine.compiled import compiled
from planner.engine.program import (
    Active,
    Compiled,
    Program,
    active_rows,
    facts_before,
    facts_of_texts,
    key_databases_of,
    level_actions,
)
from planner.engine.timelines import Facts

_NOWHERE = np.zeros(0, dtype=np.int32)


class Retimable(NamedTuple):
    """What of a plan's program days do not decide, and the actions that they do.

    Parameters
    ----------
    program
        As planned; `retimed` replaces its columns of levels, servers and trust.
    facts_before
        By endpoint: `LevelFact` before any action.
    servers
        What servers present and do, their levels aside.
    level_first, level_action, level_value, level_facts
        The actions on levels by endpoint, in the plan's order: where those of each endpoint
        begin, kinds, their own numbers, and the facts that each brings.
    """

    program: Program
    facts_before: Facts
    servers: timelines.ServerInputs
    level_first: Numbers
    level_action: Codes
    level_value: Numbers
    level_facts: Facts


class Rows(NamedTuple):
    """The plan's row behind each action on levels, and behind each entry of `Program.trust_*`.

    -1 for what no action of the plan has brought.
    """

    of_level: Numbers
    of_trust: Numbers


def retimable(plan: Plan, compiled_plan: Compiled) -> tuple[Retimable, Rows]:
    """Take apart a compiled plan; linear in sessions and actions."""
    active, program = active_rows(plan), compiled_plan.program
    first, row = level_actions(plan, active)
    taken = Retimable(
        program,
        facts_before(plan),
        compiled_plan.servers,
        first,
        plan.action[row],
        np.arange(len(row), dtype=np.int32),
        facts_of_texts(plan, active)[plan.value[row]],
    )
    return taken, Rows(row, _rows_of_trust(plan, active, program))


def _rows_of_trust(plan: Plan, active: Active, program: Program) -> Numbers:
    """Row of the import behind each entry of `Program.trust_*`; equal ones in any order."""
    fleet, start = plan.fleet, plan.fleet.start
    rows = active.of(Action.IMPORT_CERTIFICATE)
    database = key_databases_of(plan, rows)
    has_effect = (database >= 0) & (plan.certificate[rows] >= 0)
    rows, database = rows[has_effect], database[has_effect]
    counts = np.diff(program.trust_first)
    database_of_entry = np.repeat(np.arange(len(counts)), counts)
    entries = np.flatnonzero(program.trust_held & (program.trust_day >= start))
    n_certificates = int(max(program.trust_certificate.max(initial=0), 0)) + 1

    def keys(of: NDArray[np.int64], certificate: Numbers, day: Days) -> NDArray[np.int64]:
        found: NDArray[np.int64] = (of * n_certificates + certificate) * fleet.n_days + (
            day.astype(np.int64) - start
        )
        return found

    wanted = keys(database.astype(np.int64), plan.certificate[rows], plan.day[rows])
    known = keys(
        database_of_entry[entries], program.trust_certificate[entries], program.trust_day[entries]
    )
    by_wanted, by_known = np.argsort(wanted, kind="stable"), np.argsort(known, kind="stable")
    wanted, known = wanted[by_wanted], known[by_known]
    of_key = np.arange(len(wanted)) - np.searchsorted(wanted, wanted)
    found = np.full(len(program.trust_day), -1, dtype=np.int32)
    found[entries[by_known[np.searchsorted(known, wanted) + of_key]]] = rows[by_wanted]
    return found


@compiled
def retimed(r: Retimable, level_day: Days, trust_day: Days) -> Program:
    """Return the program with other days for the actions on levels, and the entries of trust.

    What comes at the end of the horizon or later has no effect.
    """
    p = r.program
    n = len(r.facts_before)
    first = np.zeros(n + 1, dtype=np.int32)
    row = np.empty(len(level_day), dtype=np.int32)
    size = 0
    for endpoint in range(n):
        begin = size
        for k in range(r.level_first[endpoint], r.level_first[endpoint + 1]):
            if p.start <= level_day[k] < p.end:
                # In the order in which they act: by day, then kind, then as they stand.
                place = size
                while place > begin and (
                    level_day[row[place - 1]] > level_day[k]
                    or (
                        level_day[row[place - 1]] == level_day[k]
                        and r.level_action[row[place - 1]] > r.level_action[k]
                    )
                ):
                    row[place] = row[place - 1]
                    place -= 1
                row[place] = k
                size += 1
        first[endpoint + 1] = size
    level_first, day_of_level, level_facts, first_new, _ = timelines.level_timelines(
        p.start,
        r.facts_before,
        first,
        row[:size],
        level_day,
        r.level_action,
        r.level_value,
        r.level_facts,
        False,
    )
    server_first, server_day, server_facts, server_state, presented = timelines.server_timelines(
        r.servers, p.start, p.end, level_first[p.n_clients :], day_of_level, level_facts
    )
    known_first, known_certificate = timelines.known_certificates(
        r.servers, server_first, presented
    )
    server_anchor = r.servers.anchor[presented]
    client_state = timelines.client_states(
        level_first,
        level_facts,
        first_new,
        p.option_first,
        p.option_day,
        p.option_row,
        p.option_mask,
        p.option_bits,
    )
    packed = np.empty(len(trust_day), dtype=np.int64)
    for k in range(len(packed)):
        packed[k] = entries.packed_entry(trust_day[k], p.trust_held[k], p.trust_certificate[k])
    entries.sort_entries(p.trust_first, packed)
    day_of_trust, trust_certificate, trust_held = entries.unpacked(packed)
    return Program(
        p.start,
        p.end,
        p.n_clients,
        p.removes,
        p.lookup,
        p.session_client,
        p.session_server,
        p.session_account,
        p.session_key_database,
        p.session_kind,
        p.session_options,
        p.session_port,
        level_first,
        day_of_level,
        level_facts,
        first_new,
        client_state,
        server_first,
        server_day,
        server_facts,
        server_state,
        server_anchor,
        timelines.has_one(server_anchor, server_first),
        timelines.has_one(server_state & timelines.SERVER_LDAP, server_first),
        p.server_tls12,
        p.server_tcpport,
        p.server_ssltcpport,
        known_first,
        known_certificate,
        p.option_first,
        p.option_day,
        p.option_row,
        p.option_mask,
        p.option_bits,
        p.plan_server,
        p.plan_account,
        p.plan_key_database,
        p.account_name,
        p.key_database_name,
        p.trust_first,
        day_of_trust,
        trust_certificate,
        trust_held,
        p.account_state,
        p.reset_account,
        p.reset_day,
        p.reset_strict,
        p.authentication_account,
        p.authentication_day,
        p.authentication_ldap,
    )


class Members(NamedTuple):
    """What belongs to a part of a fleet, by its numbers in the whole, ascending.

    `endpoints` are clients, then all servers. No session outside shares an account or a key
    database with one inside.
    """

    sessions: Numbers
    endpoints: Numbers
    accounts: Numbers
    databases: Numbers


def part_of(whole: Retimable, members: Members) -> Retimable:
    """Restrict a compiled plan to a part of its fleet, whose members are numbered anew.

    The part's columns of levels and servers are empty until it is `retimed`.
    """
    p = whole.program
    sessions, endpoints, accounts, databases = members
    n_servers = len(whole.facts_before) - p.n_clients
    option_first, options = groups_of(p.option_first, endpoints)
    trust_first, trust = groups_of(p.trust_first, databases)
    level_first, levels = groups_of(whole.level_first, endpoints)
    option_row = p.option_row[options]
    of_some = np.unique(option_row[option_row >= 0])
    reset = np.isin(p.reset_account, accounts)
    changed = np.isin(p.authentication_account, accounts)
    program = p._replace(
        n_clients=len(endpoints) - n_servers,
        session_client=numbered(p.session_client[sessions], endpoints),
        session_server=p.session_server[sessions],
        session_account=numbered(p.session_account[sessions], accounts),
        session_key_database=numbered(p.session_key_database[sessions], databases),
        session_kind=p.session_kind[sessions],
        session_options=p.session_options[sessions],
        session_port=p.session_port[sessions],
        level_first=_NOWHERE,
        level_day=_NOWHERE,
        level_facts=_NOWHERE.astype(np.uint16),
        level_first_new=_NOWHERE,
        client_state=_NOWHERE.astype(np.uint8),
        server_first=_NOWHERE,
        server_day=_NOWHERE,
        server_facts=_NOWHERE.astype(np.uint16),
        server_state=_NOWHERE.astype(np.uint8),
        server_anchor=_NOWHERE,
        server_has_one_anchor=_NOWHERE.astype(np.bool_),
        server_is_steady=_NOWHERE.astype(np.bool_),
        known_first=_NOWHERE,
        known_certificate=_NOWHERE,
        option_first=option_first,
        option_day=p.option_day[options],
        option_row=np.where(option_row < 0, -1, numbered(option_row, of_some)).astype(np.int32),
        option_mask=p.option_mask[options],
        option_bits=p.option_bits[options],
        plan_server=p.plan_server[of_some],
        plan_account=p.plan_account[of_some],
        plan_key_database=p.plan_key_database[of_some],
        account_name=p.account_name[accounts],
        key_database_name=p.key_database_name[databases],
        trust_first=trust_first,
        trust_day=p.trust_day[trust],
        trust_certificate=p.trust_certificate[trust],
        trust_held=p.trust_held[trust],
        account_state=p.account_state[accounts],
        reset_account=numbered(p.reset_account[reset], accounts),
        reset_day=p.reset_day[reset],
        reset_strict=p.reset_strict[reset],
        authentication_account=numbered(p.authentication_account[changed], accounts),
        authentication_day=p.authentication_day[changed],
        authentication_ldap=p.authentication_ldap[changed],
    )
    return Retimable(
        program,
        whole.facts_before[endpoints],
        whole.servers,
        level_first,
        whole.level_action[levels],
        np.arange(len(levels), dtype=np.int32),
        whole.level_facts[levels],
    )


def groups_of(first: Numbers, groups: Numbers) -> tuple[Numbers, Numbers]:
    """Return where the rows of some groups begin among themselves, and their rows in the whole."""
    counts = (first[1:] - first[:-1])[groups]
    begin = np.zeros(len(groups) + 1, dtype=np.int32)
    np.cumsum(counts, out=begin[1:])
    rows = np.arange(begin[-1], dtype=np.int32) + np.repeat(first[groups] - begin[:-1], counts)
    return begin, rows.astype(np.int32)


def numbered(numbers: Numbers, members: Numbers) -> Numbers:
    """Place of each number among the members."""
    return np.searchsorted(members, numbers).astype(np.int32)


_READ_ONLY = (
    *(name for name in Program._fields if name.startswith(("session_", "plan_"))),
    *("lookup", "server_tls12", "server_tcpport", "server_ssltcpport"),
    *("account_name", "key_database_name"),
    *("ldap", "certificate", "recorded_server", "kind", "issuer"),
)


def as_compiled(taken: Retimable) -> Retimable:
    """Make read-only what `compile_plan` takes from the fleet as it is: the same machine code."""
    for columns in (taken.program, taken.servers):
        for name in _READ_ONLY:
            if hasattr(columns, name):
                getattr(columns, name).setflags(write=False)
    return taken
