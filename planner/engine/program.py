"""A plan compiled for the kernel: what every endpoint, server and key database is, day by day.

Names, texts and calendars are gone; the kernel sees numbers alone. Tables are laid out side by
side by group: the rows of group `g` are `first[g]:first[g + 1]`, ascending by day.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import Days
from planner.domain.certificates import CertificateKind, Certificates
from planner.domain.errors import Fault, PlanError
from planner.domain.fleet import Authentication, Codes, Flags, Fleet, Numbers
from planner.domain.levels import NOT_INSTALLED_FACTS, Level
from planner.domain.names import NameRegister
from planner.domain.options import OPTIONS, TCPPORT
from planner.domain.plan import Action, Plan, SessionSecurity
from planner.domain.rules import lookup_table
from planner.engine import entries, timelines
from planner.engine.timelines import Facts

ACCOUNT_AUTHENTICATION = 3
ACCOUNT_SSLREQUIRED = 2
ACCOUNT_IS_SHARED = 16
ACCOUNT_IS_RESET = 32
ACCOUNT_CHANGES = 64
ACCOUNT_BEGINS_STRICT = 128
"""Bits of an account: the mask of its `Authentication`, the shift of its SSLREQUIRED, whether it
has several sessions, a `set-session-security`, a `set-authentication` of its own, and whether it
is strict on the first day. One without any of the last four is below `ACCOUNT_IS_SHARED`."""

LOOKUP = lookup_table()
LOOKUP.setflags(write=False)
_TCPPORT = OPTIONS.index(TCPPORT)
_OPTION_SHIFTS = np.array([option.shift for option in OPTIONS], dtype=np.int32)
_OPTION_MASKS = np.array([option.mask for option in OPTIONS], dtype=np.uint16)
_AUTHENTICATIONS = {"local": int(Authentication.LOCAL), "ldap": int(Authentication.LDAP)}
_SECURITIES = {security.name.casefold(): int(security) for security in SessionSecurity}


class Program(NamedTuple):
    """One fleet and plan as the kernel reads them.

    `level_*` are by endpoint, `server_*` and `known_*` by server, `option_*` by client endpoint,
    `trust_*` by key database; `reset_*` and `authentication_*` are sorted by account, then day.
    `server_state` holds the `SERVER_*` bits, `account_state` the `ACCOUNT_*` bits, `*_facts` hold
    `LevelFact`; `option_row` is the plan's row where it is for some sessions of the client only,
    else -1. `removes` is set where some certificate is removed from a key database.
    """

    start: int
    end: int
    n_clients: int
    removes: bool
    lookup: Codes
    session_client: Numbers
    session_server: Numbers
    session_account: Numbers
    session_key_database: Numbers
    session_kind: Codes
    session_options: Facts
    session_port: Numbers
    level_first: Numbers
    level_day: Days
    level_facts: Facts
    level_first_new: Days
    client_state: Codes
    server_first: Numbers
    server_day: Days
    server_facts: Facts
    server_state: Codes
    server_anchor: Numbers
    server_has_one_anchor: Flags
    server_is_steady: Flags
    server_tls12: Flags
    server_tcpport: Numbers
    server_ssltcpport: Numbers
    known_first: Numbers
    known_certificate: Numbers
    option_first: Numbers
    option_day: Days
    option_row: Numbers
    option_mask: Facts
    option_bits: Facts
    plan_server: Numbers
    plan_account: Numbers
    plan_key_database: Numbers
    account_name: Numbers
    key_database_name: Numbers
    trust_first: Numbers
    trust_day: Days
    trust_certificate: Numbers
    trust_held: Flags
    account_state: Codes
    reset_account: Numbers
    reset_day: Days
    reset_strict: Flags
    authentication_account: Numbers
    authentication_day: Days
    authentication_ldap: Flags


class Active(NamedTuple):
    """Actions dated inside the horizon: those of kind `a` are `row[first[a]:first[a + 1]]`."""

    first: Numbers
    row: Numbers

    def of(self, *actions: Action) -> Numbers:
        """Return the rows of some kinds of action, in the plan's order."""
        kinds = [self.row[self.first[action] : self.first[action + 1]] for action in actions]
        used = [rows for rows in kinds if len(rows)] or kinds[:1]
        return used[0] if len(used) == 1 else np.sort(np.concatenate(used))


class Compiled(NamedTuple):
    """A program, and what its numbers mean to people.

    `certificates` are the fleet's, the plan's, and those that the MD5 rule makes up;
    `server_certificate` is what each server presents, row by row of `server_day`.
    """

    program: Program
    certificates: Certificates
    servers: timelines.ServerInputs
    server_certificate: Numbers

    @property
    def anchor(self) -> Numbers:
        """Trust anchor of each certificate."""
        return self.servers.anchor

    @property
    def is_complete(self) -> Flags:
        """Whether holding each certificate's anchor is trust."""
        return self.servers.is_complete


def compile_plan(plan: Plan) -> Compiled:
    """Turn a plan into a program.

    Raises
    ------
    PlanError
        If an action has a value that its kind cannot have.

    Notes
    -----
    Linear in sessions, accounts and actions.
    """
    fleet = plan.fleet
    n_clients = len(fleet.clients)
    active = active_rows(plan)
    # First of all: the room that it needs on its way is then used again by the others.
    trust = _trust(plan, active)
    level_first, level_day, level_facts, first_new, _ = _levels(plan, active)
    certificates, of_servers = _server_inputs(plan, active)
    server_first, server_day, server_facts, server_state, presented = timelines.server_timelines(
        of_servers, fleet.start, fleet.end, level_first[n_clients:], level_day, level_facts
    )
    known_first, known_certificate = timelines.known_certificates(
        of_servers, server_first, presented
    )
    server_anchor = of_servers.anchor[presented]
    resets = _account_events(plan, active, Action.SET_SESSION_SECURITY, _SECURITIES)
    authentications = _account_events(plan, active, Action.SET_AUTHENTICATION, _AUTHENTICATIONS)
    options = _options(plan, active)
    client_state = timelines.client_states(level_first, level_facts, first_new, *options)
    sessions, accounts, servers = fleet.sessions, fleet.accounts, fleet.servers
    program = Program(
        fleet.start,
        fleet.end,
        n_clients,
        len(active.of(Action.REMOVE_CERTIFICATE)) > 0,
        LOOKUP,
        sessions.client,
        sessions.server,
        sessions.account,
        sessions.key_database,
        sessions.kind,
        sessions.options,
        sessions.port,
        level_first,
        level_day,
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
        servers.tls12,
        servers.tcpport,
        servers.ssltcpport,
        known_first,
        known_certificate,
        *options,
        plan.server,
        plan.account,
        plan.key_database,
        accounts.name_number,
        fleet.key_databases.name_number,
        *trust,
        _account_states(fleet, resets[0], authentications[0]),
        resets[0],
        resets[1],
        resets[2] == SessionSecurity.STRICT,
        authentications[0],
        authentications[1],
        authentications[2] == Authentication.LDAP,
    )
    return Compiled(program, certificates, of_servers, presented)


def active_rows(plan: Plan) -> Active:
    """Actions of a plan inside the horizon."""
    fleet = plan.fleet
    return Active(
        *timelines.rows_by_action(plan.day, plan.action, fleet.start, fleet.end, len(Action))
    )


def not_installed(plan: Plan) -> Flags:
    """Whether each endpoint is absent on the first day: blank level, and an installation planned.

    The installation counts whatever its day.
    """
    fleet = plan.fleet
    absent = np.zeros(fleet.n_endpoints, dtype=np.bool_)
    # As a plain number: NumPy would compare with a member of an enumeration in 64 bits.
    installs = plan.client[np.flatnonzero(plan.action == int(Action.INSTALL_CLIENT))]
    absent[installs[(installs >= 0) & (installs < len(fleet.clients))]] = True
    absent[: len(fleet.clients)] &= fleet.clients.level < 0
    return absent


def key_databases_of(plan: Plan, rows: Numbers) -> Numbers:
    """Key database of each import or removal of a plan; -1 where no session has it."""
    fleet, name = plan.fleet, plan.key_database[rows]
    default = np.int32(fleet.key_database_names.find("default"))
    return entries.resolve_key_databases(
        plan.client[rows],
        np.where(name < 0, default, name),
        fleet.key_databases_of_endpoint.first,
        fleet.key_databases.name_number,
    )


def level_causes(plan: Plan) -> Numbers:
    """Row of the action behind each row of `Program.level_day`, -1 for the fleet's own level."""
    return _levels(plan, active_rows(plan), with_causes=True)[-1]


def _levels(
    plan: Plan, active: Active, *, with_causes: bool = False
) -> tuple[Numbers, Days, Facts, Days, Numbers]:
    return timelines.level_timelines(
        plan.fleet.start,
        facts_before(plan),
        *level_actions(plan, active),
        plan.day,
        plan.action,
        plan.value,
        facts_of_texts(plan, active),
        with_causes,
    )


def facts_before(plan: Plan) -> Facts:
    """`LevelFact` of each endpoint before any action."""
    facts = plan.fleet.level_facts()
    facts[not_installed(plan)] = NOT_INSTALLED_FACTS
    return facts


def level_actions(plan: Plan, active: Active) -> tuple[Numbers, Numbers]:
    """Rows of the actions on levels by endpoint: `first`, and the rows in their order."""
    fleet = plan.fleet
    of_server = active.of(Action.UPGRADE_SERVER)
    of_client = active.of(Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT, Action.RETIRE_CLIENT)
    return timelines.level_actions(
        fleet.n_endpoints, len(fleet.clients), of_client, of_server, plan.client, plan.server
    )


def facts_of_texts(plan: Plan, active: Active) -> Facts:
    """Facts of the level that each text of the plan names where it is one; else 0."""
    texts = plan.vocabulary.texts
    facts = np.zeros(len(texts), dtype=np.uint16)
    for action in (Action.UPGRADE_SERVER, Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT):
        rows = active.of(action)
        for text in np.flatnonzero(timelines.used_values(rows, plan.value, len(texts))):
            try:
                facts[text] = Level.parse(texts[text]).facts
            except ValueError as error:
                row = rows[plan.value[rows] == text][0]
                raise _value_error(plan, int(row), str(error), "write it as 8.1.13") from error
    return facts


def _value_error(plan: Plan, row: int, what: str, cure: str) -> PlanError:
    action = plan.row(row)
    line = action.line or None
    return PlanError([Fault(file=action.file, line=line, what=what, cure=cure)])


def _presented_by(plan: Plan, active: Active) -> tuple[Numbers, Numbers]:
    """Rows of `replace-certificate` that have an effect, and the certificate of each."""
    fleet = plan.fleet
    rows = active.of(Action.REPLACE_CERTIFICATE)
    server = plan.server[rows]
    rows = rows[(server >= 0) & (server < len(fleet.servers)) & (plan.certificate[rows] >= 0)]
    return rows, plan.certificate[rows]


def _md5_successors(plan: Plan, active: Active) -> tuple[Certificates, Numbers]:
    """What the MD5 rule makes each server present: its first own SHA one, else `*-cert256`."""
    fleet = plan.fleet
    certificates = fleet.certificates.extended(plan.vocabulary.certificates[:])
    is_md5 = certificates.is_md5()
    successor = np.full(len(fleet.servers), -1, dtype=np.int32)
    rows, replaced = _presented_by(plan, active)
    concerned = {
        *np.flatnonzero(is_md5[fleet.servers.certificate]).tolist(),
        *plan.server[rows[is_md5[replaced]]].tolist(),
    }
    names = NameRegister(certificates.name)
    for server in sorted(concerned):
        own = np.flatnonzero(
            (certificates.server == server)
            & (certificates.kind == CertificateKind.SELF_SIGNED)
            & ~is_md5
        )
        made_up = f"{fleet.servers.name[server]}-cert256"
        successor[server] = own[0] if len(own) else names.number(made_up)
    return certificates.extended(names.names(len(certificates))[:]), successor


def _server_inputs(plan: Plan, active: Active) -> tuple[Certificates, timelines.ServerInputs]:
    servers = plan.fleet.servers
    certificates, successor = _md5_successors(plan, active)
    anchor, is_complete, valid_from, valid_to = timelines.chains(
        certificates.kind, certificates.issuer, certificates.not_before, certificates.not_after
    )
    return certificates, timelines.ServerInputs(
        servers.ldap,
        servers.certificate,
        successor,
        *_server_changes(plan, active),
        certificates.is_md5(),
        is_complete,
        valid_from,
        valid_to,
        anchor,
        certificates.server,
        certificates.kind,
        certificates.issuer,
    )


def _server_changes(plan: Plan, active: Active) -> tuple[Numbers, Numbers, Days, Numbers, Codes]:
    """Columns of the changes of servers: first, row, day, certificate (-1: none), LDAP."""
    n_servers = len(plan.fleet.servers)
    replacing, certificate = _presented_by(plan, active)
    defaults = active.of(Action.SET_AUTHENTICATION)
    server = plan.server[defaults]
    defaults = defaults[(server >= 0) & (server < n_servers) & (plan.account[defaults] < 0)]
    # Order within a day is free here: the two kinds set different things.
    rows = np.concatenate([replacing, defaults])
    by_day = np.argsort(plan.day[rows], kind="stable")
    rows = rows[by_day]
    certificate = np.concatenate([certificate, np.full(len(defaults), -1, dtype=np.int32)])[by_day]
    values = _values(plan, defaults, _AUTHENTICATIONS)
    ldap = np.concatenate([np.zeros(len(replacing), dtype=np.int32), values])[by_day]
    first, order = timelines.group_rows(plan.server[rows], n_servers)
    return (
        first,
        order,
        plan.day[rows],
        certificate,
        (ldap == Authentication.LDAP).astype(np.uint8),
    )


def _values(plan: Plan, rows: Numbers, meanings: dict[str, int]) -> Numbers:
    """Meaning of the value of each row."""
    texts = plan.vocabulary.texts
    meaning_of_text = np.zeros(len(texts), dtype=np.int32)
    for text in np.flatnonzero(timelines.used_values(rows, plan.value, len(texts))):
        meaning = meanings.get(texts[text].casefold())
        if meaning is None:
            row = rows[plan.value[rows] == text][0]
            what = f"{texts[text]!r} is no value of {Action(plan.action[row]).label}"
            raise _value_error(plan, int(row), what, f"use one of {', '.join(meanings)}")
        meaning_of_text[text] = meaning
    return meaning_of_text[plan.value[rows]]


def _account_events(
    plan: Plan, active: Active, action: Action, meanings: dict[str, int]
) -> tuple[Numbers, Days, Numbers]:
    """Account, day and meaning of the actions of one kind on accounts, by account, then day."""
    fleet, accounts = plan.fleet, plan.fleet.accounts
    rows = active.of(action)
    rows = rows[(plan.server[rows] >= 0) & (plan.account[rows] >= 0)]
    account = np.full(len(rows), -1, dtype=np.int32)
    if len(rows):
        is_wanted = np.zeros(len(fleet.account_names) + len(plan.vocabulary.accounts), np.bool_)
        is_wanted[plan.account[rows]] = True
        known = timelines.rows_with(accounts.name_number, is_wanted)
        keys = _pairs(accounts.server[known], accounts.name_number[known])
        by_key = np.argsort(keys, kind="stable")
        wanted = _pairs(plan.server[rows], plan.account[rows])
        place = np.searchsorted(keys[by_key], wanted)
        # One more, for what would stand behind the last.
        keys, known = np.append(keys[by_key], -1), np.append(known[by_key], np.int32(-1))
        account = known[np.where(keys[place] == wanted, place, -1)]
    values = _values(plan, rows, meanings)
    order = np.argsort(account, kind="stable")
    order = order[account[order] >= 0]
    return account[order], plan.day[rows][order], values[order]


def _pairs(server: Numbers, name_number: Numbers) -> NDArray[np.int64]:
    """One number for each account of a server."""
    return server.astype(np.int64) << 32 | name_number


def _account_states(fleet: Fleet, reset: Numbers, changed: Numbers) -> Codes:
    """`ACCOUNT_*` bits of every account, given the accounts of resets and of authentications."""
    accounts = fleet.accounts
    # Products, which NumPy computes many at a time; shifts and masks it does not.
    state: Codes = accounts.authentication + accounts.sslrequired * np.uint8(
        1 << ACCOUNT_SSLREQUIRED
    )
    state += fleet.account_is_shared * np.uint8(ACCOUNT_IS_SHARED)
    state += accounts.strict * np.uint8(ACCOUNT_BEGINS_STRICT)
    state[reset] |= ACCOUNT_IS_RESET
    state[changed] |= ACCOUNT_CHANGES
    return state


def _options(plan: Plan, active: Active) -> timelines.OptionTimelines:
    """Lay out the option changes by client endpoint."""
    rows = active.of(Action.SET_OPTION)
    n_texts = len(plan.vocabulary.texts)
    used = timelines.used_pairs(rows, plan.option, plan.value, len(OPTIONS), n_texts)
    codes = np.zeros(used.shape, dtype=np.int32)
    for option, text in zip(*np.nonzero(used), strict=True):
        try:
            codes[option, text] = option_value(int(option), plan.vocabulary.texts[text])
        except ValueError as error:
            row = rows[(plan.option[rows] == option) & (plan.value[rows] == text)][0]
            raise _value_error(plan, int(row), str(error), "use one of its values") from error
    return timelines.option_timelines(
        plan.fleet.n_endpoints,
        rows,
        plan.day,
        plan.client,
        plan.server,
        plan.account,
        plan.key_database,
        plan.option,
        plan.value,
        codes,
        _OPTION_SHIFTS,
        _OPTION_MASKS,
        _TCPPORT,
    )


def option_value(option: int, text: str) -> int:
    """Code of an option's value, or its port; 0 for the default.

    Raises
    ------
    ValueError
        If the option cannot have the value.
    """
    chosen = OPTIONS[option]
    if chosen.choices:
        code = chosen.code_of(text)
        if code is None:
            raise ValueError(f"{chosen.name} has no value {text!r}")
        return code
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(f"{chosen.name} {text!r} is no port")
    return int(text)


def _trust(plan: Plan, active: Active) -> tuple[Numbers, Days, Numbers, Flags]:
    """Columns of what enters and leaves each key database: first, day, certificate, held."""
    fleet, trust = plan.fleet, plan.fleet.trust
    rows = active.of(Action.IMPORT_CERTIFICATE, Action.REMOVE_CERTIFICATE)
    return entries.trust_timelines(
        fleet.start,
        fleet.end,
        len(fleet.key_databases),
        trust.key_database,
        trust.certificate,
        trust.since,
        rows,
        plan.day,
        plan.action,
        plan.client,
        plan.key_database,
        plan.certificate,
        fleet.key_database_names.find("default"),
        fleet.key_databases_of_endpoint.first,
        fleet.key_databases.name_number,
    )
