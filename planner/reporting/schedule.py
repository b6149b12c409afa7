"""The schedule: a plan's actions with what to do, by when, and the exact command.

It is the main export and reads back as the same plan; the columns `use_case` to `command` are
derived from the deadlines and ignored by the reader.
"""

from pathlib import PurePosixPath
from typing import Final, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER
from planner.domain.certificates import CertificateKind
from planner.domain.fleet import AccountKind, ClientKind, Flags, Fleet, Groups, Numbers
from planner.domain.levels import LevelFact
from planner.domain.options import OPTIONS
from planner.domain.plan import Action, Plan, PlannedAction
from planner.domain.platforms import is_folder
from planner.engine.deadlines import Deadlines, level_facts_on
from planner.engine.deadlines import deadlines as find_deadlines
from planner.engine.program import key_databases_of
from planner.engine.timeline import Timeline, simulate
from planner.engine.timelines import Facts
from planner.engine.use_cases import use_cases
from planner.reporting import commands
from planner.reporting.cells import (
    TextColumn,
    dates,
    picked,
    ranks,
    text_column,
    texts,
    whole_numbers,
)

Keys = NDArray[np.int64]
Pairs = tuple[Numbers, Numbers]
"""Rows of the deadlines, and the sessions that ever need them."""

ACTIONS: Final = texts(action.label for action in Action)
_BY_CLIENT: Final = (Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT, Action.RETIRE_CLIENT)
_BY_SERVER: Final = (Action.UPGRADE_SERVER, Action.REPLACE_CERTIFICATE)
_BY_ACCOUNT: Final = (Action.SET_SESSION_SECURITY, Action.SET_AUTHENTICATION)
ABOUT: Final = (
    "client",
    "server",
    "account",
    "key_database",
    "certificate",
    "option",
    "value",
)
"""Columns that say what an action is about."""
_BY_DEADLINE: Final = (Action.IMPORT_CERTIFICATE, Action.REMOVE_CERTIFICATE)


def schedule(plan: Plan, deadlines: Deadlines | None = None) -> pd.DataFrame:
    """Return the table of schedule.csv, one row an action, in the order in which they act.

    Parameters
    ----------
    deadlines
        Those of this plan, where they have been computed already.

    Raises
    ------
    ValueError
        If the deadlines are those of another plan.

    Notes
    -----
    Linear in actions and sessions, apart from sorting.
    """
    if deadlines is None:
        deadlines = find_deadlines(simulate(plan))
    elif deadlines.timeline.plan is not plan:
        raise ValueError("the deadlines are those of another plan; compute them from this one")
    fleet, words = plan.fleet, plan.vocabulary
    free = texts(words.texts)
    row = deadline_rows(deadlines)
    row[plan.action != Action.IMPORT_CERTIFICATE] = -1
    matched = row >= 0
    needing = deadlines.needing()

    def of_row(days: NDArray[np.int32]) -> NDArray[np.int32]:
        return np.append(days, np.int32(NEVER))[row]

    latest_safe = of_row(deadlines.latest_safe)
    return pd.DataFrame(
        {
            "date": dates(plan.day),
            "action": picked(ACTIONS, plan.action),
            "client": picked(texts([*fleet.endpoint_names(), *words.clients]), plan.client),
            "server": picked(texts([*fleet.servers.name, *words.servers]), plan.server),
            "account": picked(texts([*fleet.account_names, *words.accounts]), plan.account),
            "key_database": picked(
                texts([*fleet.key_database_names, *words.key_databases]), plan.key_database
            ),
            "certificate": picked(
                texts([*fleet.certificates.name, *words.certificates]), plan.certificate
            ),
            "option": picked(texts(option.name for option in OPTIONS), plan.option),
            "value": picked(free, plan.value),
            "wave": picked(free, plan.wave),
            "use_case": _use_case_column(deadlines, needing),
            "needed": dates(of_row(deadlines.needed)),
            "latest_safe": dates(latest_safe),
            "slack_days": whole_numbers(
                np.where(matched, latest_safe - plan.day, 0), empty=~matched
            ),
            "command": _command_column(deadlines, needing),
            "status": picked(free, plan.status),
            "note": picked(free, plan.note),
        },
        copy=False,
    )


def deadline_rows(deadlines: Deadlines) -> Numbers:
    """Row of the deadlines that each import or removal of the plan is about; -1 for none."""
    plan = deadlines.timeline.plan
    is_trust = np.isin(plan.action, _BY_DEADLINE) & (plan.certificate >= 0)
    database = key_databases_of(plan, np.arange(len(plan), dtype=np.int32))
    n_certificates = len(deadlines.timeline.compiled.certificates)
    row = _find(
        _key(deadlines.key_database(), n_certificates, deadlines.anchor),
        _key(database, n_certificates, plan.certificate),
    )
    row[~is_trust | (database < 0)] = -1
    return row


def _key(high: Numbers | Keys | Flags, n_low: int, low: Numbers | Flags) -> Keys:
    """Two numbers in one, different for different pairs; either may be -1."""
    return (high.astype(np.int64) + 1) * (n_low + 1) + low + 1


def _find(keys: Keys, wanted: Keys) -> Numbers:
    """Place of each wanted key among distinct ones; -1 where there is none."""
    return pd.Index(keys).get_indexer(pd.Index(wanted)).astype(np.int32)


def _n_account_names(plan: Plan) -> int:
    return len(plan.fleet.account_names) + len(plan.vocabulary.accounts)


def _accounts(plan: Plan) -> Numbers:
    """Account that each action names with its server; -1 for none."""
    accounts = plan.fleet.accounts
    n_names = _n_account_names(plan)
    account = _find(
        _key(accounts.server, n_names, accounts.name_number),
        _key(plan.server, n_names, plan.account),
    )
    account[(plan.server < 0) | (plan.account < 0)] = -1
    return account


def _use_case_column(deadlines: Deadlines, needing: Pairs) -> TextColumn:
    """Use cases of the sessions that each action is about, as sets of bits until the last line."""
    timeline = deadlines.timeline
    plan, fleet = timeline.plan, timeline.plan.fleet
    sessions, n_servers = fleet.sessions, len(fleet.servers)
    case = use_cases(timeline)
    bits = np.where(case > 0, np.uint16(1) << case, 0).astype(np.uint16)

    def union(group: Numbers, n_groups: int, of: Facts) -> Facts:
        """Union over each group's members, and nothing for number -1."""
        found = np.zeros(n_groups + 1, dtype=np.uint16)
        np.bitwise_or.at(found, group, of)
        return found

    of_client = union(sessions.client, fleet.n_endpoints, bits)
    of_server = union(sessions.server, n_servers, bits)
    of_account = union(sessions.account, len(fleet.accounts), bits)
    row_of_pair, session_of_pair = needing
    of_deadline = union(row_of_pair, len(deadlines), bits[session_of_pair])

    client = np.where(plan.client < fleet.n_endpoints, plan.client, -1)
    server = np.where(plan.server < n_servers, plan.server, -1)
    row = deadline_rows(deadlines)
    found = np.zeros(len(plan), dtype=np.uint16)
    for actions, values in (
        (_BY_CLIENT, of_client[client]),
        (_BY_SERVER, of_server[server]),
        (_BY_ACCOUNT, np.where(plan.account < 0, of_server[server], of_account[_accounts(plan)])),
        (_BY_DEADLINE, np.where(row < 0, of_client[client], of_deadline[row])),
    ):
        chosen = np.isin(plan.action, actions)
        found[chosen] = values[chosen]
    action_of_pair, session_of_pair = _sessions_of_options(plan)
    np.bitwise_or.at(found, action_of_pair, bits[session_of_pair])
    return picked(
        texts(
            ";".join(str(number) for number in range(1, 9) if value >> number & 1)
            for value in range(1 << 9)
        ),
        found,
    )


def _sessions_of_options(plan: Plan) -> Pairs:
    """Pairs of a `set-option` action and a session that it changes."""
    fleet = plan.fleet
    sessions = fleet.sessions
    chosen = (plan.action == Action.SET_OPTION) & (plan.client >= 0)
    rows = np.flatnonzero(chosen & (plan.client < fleet.n_endpoints)).astype(np.int32)
    groups = Groups.by(sessions.client, fleet.n_endpoints)
    first = groups.first[plan.client[rows]]
    count = groups.first[plan.client[rows] + 1] - first
    action = np.repeat(rows, count)
    place = np.arange(len(action)) - np.repeat(np.cumsum(count) - count - first, count)
    session = groups.member[place]
    matches = np.ones(len(action), dtype=np.bool_)
    for wanted, given in (
        (plan.server, sessions.server),
        (plan.account, fleet.accounts.name_number[sessions.account]),
        (plan.key_database, fleet.key_databases.name_number[sessions.key_database]),
    ):
        matches &= (wanted[action] < 0) | (wanted[action] == given[session])
    return action[matches], session[matches]


def _uses_dsmcert(timeline: Timeline) -> Flags:
    """Whether each action's client imports with dsmcert on that day; it comes with new clients."""
    plan, fleet = timeline.plan, timeline.plan.fleet
    n_clients = len(fleet.clients)
    client = np.where(plan.client < n_clients, plan.client, np.int32(-1))
    has_none = np.append(fleet.clients.kind == ClientKind.STORAGE_AGENT, np.True_)
    is_new = level_facts_on(timeline, client, plan.day) & LevelFact.NEW != 0
    return np.asarray(is_new & ~has_none[client], dtype=np.bool_)


def name_servers(deadlines: Deadlines, needing: Pairs) -> Numbers:
    """Server under whose name each row's anchor is imported with dsmcert; -1: its own name.

    It is the first by name of those that need the anchor. A key database keeps one certificate
    under a name, so of several anchors of that server, as during a replacement, the one that is
    there first gets the name.
    """
    fleet = deadlines.timeline.plan.fleet
    rank = ranks(fleet.servers.name)
    server_of_rank = np.append(np.argsort(rank), -1).astype(np.int32)
    rows, sessions = needing
    best = np.full(len(deadlines), len(rank), dtype=np.int64)
    np.minimum.at(best, rows, rank[fleet.sessions.server[sessions]])
    database = deadlines.key_database()
    order = np.lexsort((deadlines.needed, deadlines.planned, best, database))
    is_taken = np.zeros(len(deadlines), dtype=np.bool_)
    before, after = order[:-1], order[1:]
    is_taken[after] = (database[before] == database[after]) & (best[before] == best[after])
    best[is_taken] = len(rank)
    return server_of_rank[best]


def kept_as(fleet: Fleet, server: int, certificate: str) -> str:
    """Return the name under which dsmcert keeps an anchor: its server's, else one of its own.

    A certificate that bears a server's name must not take that server's place.
    """
    if server >= 0:
        return fleet.servers.name[server]
    is_taken = fleet.servers.name.find(certificate) >= 0
    return f"{certificate}-certificate" if is_taken else certificate


def _command_column(deadlines: Deadlines, needing: Pairs) -> TextColumn:
    """Command of each action; equal ones are written once."""
    timeline = deadlines.timeline
    plan, fleet = timeline.plan, timeline.plan.fleet
    certificates = timeline.compiled.certificates
    n_certificates, n_texts = len(certificates), len(plan.vocabulary.texts)
    n_clients, n_servers = len(fleet.clients), len(fleet.servers)
    is_server = plan.client >= n_clients
    is_server &= plan.client < fleet.n_endpoints
    is_agent = np.append(fleet.clients.kind == ClientKind.STORAGE_AGENT, np.False_)
    of_server = is_server | is_agent[np.where(plan.client < n_clients, plan.client, -1)]
    is_center = np.append(fleet.clients.kind == ClientKind.OPERATIONS_CENTER, np.False_)
    of_center = is_center[np.where(plan.client < n_clients, plan.client, -1)]
    databases = (*fleet.key_database_names, *plan.vocabulary.key_databases, "")
    is_found = ~np.array([is_folder(name) for name in databases])[plan.key_database]
    uses_dsmcert = _uses_dsmcert(timeline) & is_found
    row_of_action = deadline_rows(deadlines)
    first_server = np.append(name_servers(deadlines, needing), np.int32(-1))[row_of_action]
    is_matched = row_of_action >= 0
    by_dsmcert = deadlines.uses_dsmcert() & (deadlines.planned != ALWAYS)
    was_by_dsmcert = np.append(by_dsmcert, np.False_)[row_of_action] & is_found
    account, kind = _accounts(plan), np.append(fleet.accounts.kind, np.uint8(AccountKind.NODE))
    overlaps = level_facts_on(
        timeline, np.where(plan.server >= 0, plan.server + n_clients, -1), plan.day
    )

    def import_certificate(row: int, words: PlannedAction) -> str:
        file = PurePosixPath(certificates.file[plan.certificate[row]]).name
        file = file or f"{words.certificate}.arm"
        name = words.certificate
        if uses_dsmcert[row] and is_matched[row]:
            name = kept_as(fleet, int(first_server[row]), name)
        if of_center[row]:
            return commands.import_by_keytool(name, file)
        if uses_dsmcert[row]:
            return commands.import_by_dsmcert(name, file)
        return commands.import_by_gsk8capicmd(words.certificate, file, database=database(row))

    def database(row: int) -> str:
        return commands.SERVER_DATABASE if of_server[row] else commands.CLIENT_DATABASE

    def command(row: int) -> str:
        words = plan.row(row)
        match words.action:
            case Action.IMPORT_CERTIFICATE:
                return import_certificate(row, words)
            case Action.REMOVE_CERTIFICATE:
                label = words.certificate
                if was_by_dsmcert[row]:
                    label = kept_as(fleet, int(first_server[row]), label)
                if of_center[row]:
                    return commands.remove_by_keytool(label)
                return commands.remove(label, database=database(row))
            case Action.SET_OPTION:
                option = plan.option[row]
                return commands.option_line(OPTIONS[option], words.value) if option >= 0 else ""
            case Action.REPLACE_CERTIFICATE:
                has_overlap = bool(overlaps[row] & LevelFact.OVERLAPS)
                is_own = certificates.kind[plan.certificate[row]] == CertificateKind.SELF_SIGNED
                label = words.certificate
                if is_own and not has_overlap:  # the server gave its own one this label
                    label = commands.SELF_SIGNED_LABEL
                return commands.present(label, overlaps=has_overlap)
            case Action.SET_SESSION_SECURITY:
                of_kind = AccountKind(kind[account[row]])
                return commands.set_session_security(of_kind, words.account, words.value)
            case Action.SET_AUTHENTICATION:
                of_kind = AccountKind(kind[account[row]])
                return commands.set_authentication(of_kind, words.account, words.value)
            case (
                Action.UPGRADE_SERVER
                | Action.UPGRADE_CLIENT
                | Action.INSTALL_CLIENT
                | Action.RETIRE_CLIENT
            ):
                return ""
            case _:
                assert_never(words.action)

    cells = np.full(len(plan), "", dtype=object)
    # What a command depends on, by kind of action.
    in_database = _key(of_server, n_certificates, plan.certificate)
    of_account = _key(_key(plan.server, _n_account_names(plan), plan.account), n_texts, plan.value)
    for action, key in (
        (
            Action.IMPORT_CERTIFICATE,
            _key(_key(_key(in_database, 2, uses_dsmcert), 2, is_matched), n_servers, first_server),
        ),
        (
            Action.REMOVE_CERTIFICATE,
            _key(_key(in_database, 2, was_by_dsmcert), n_servers, first_server),
        ),
        (Action.SET_OPTION, _key(plan.option, n_texts, plan.value)),
        (Action.REPLACE_CERTIFICATE, np.arange(len(plan))),
        (Action.SET_SESSION_SECURITY, of_account),
        (Action.SET_AUTHENTICATION, of_account),
    ):
        rows = np.flatnonzero(plan.action == action)
        _, first, same = np.unique(key[rows], return_index=True, return_inverse=True)
        cells[rows] = texts(command(int(row)) for row in rows[first])[same]
    return text_column(cells)
