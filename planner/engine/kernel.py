"""The compiled kernel: one function that looks at a session on a day.

It reads like `semantics.md` section 4. A walk looks at a session, learns its state and the first
later day on which that state can change, and jumps there; nothing is computed day by day.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER, Days
from planner.domain.fleet import Authentication, Flags, Numbers, SessionKind
from planner.domain.levels import LevelFact
from planner.domain.options import (
    LOCAL_BIT,
    SSL,
    SSLACCEPTCERTFROMSERV,
    SSLDISABLELEGACYTLS,
    SSLREQUIRED,
)
from planner.domain.rules import (
    BOTH_NEW_BASE,
    BOTH_NEW_FACTS,
    OLD_CLIENT_BASE,
    OLD_CLIENT_FACTS,
    OLD_SERVER_BASE,
    OLD_SERVER_FACTS,
    RULE_NUMBER,
    RULES,
    UNDECIDED,
    Distribution,
    Fact,
    Mode,
    Trust,
)
from planner.engine.compiled import allocation_free, compiled, natural
from planner.engine.program import (
    ACCOUNT_AUTHENTICATION,
    ACCOUNT_CHANGES,
    ACCOUNT_IS_RESET,
    ACCOUNT_SSLREQUIRED,
    LOOKUP,
    Program,
)
from planner.engine.timelines import (
    CLIENT_ACCEPTS_LATER,
    CLIENT_REFUSES,
    CLIENT_USES_SSL_LATER,
    PORT,
    SERVER_COMPLETE,
    SERVER_LDAP,
    SERVER_MD5,
    SERVER_VALID,
)


def _shifts(facts: tuple[Fact, ...]) -> dict[str, int]:
    return {fact.name: fact.shift for fact in facts}


_A, _B, _C = _shifts(OLD_SERVER_FACTS), _shifts(OLD_CLIENT_FACTS), _shifts(BOTH_NEW_FACTS)
_A_REQUIRED, _A_ACCOUNT, _A_LDAP = _A["client_sslrequired"], _A["account_sslrequired"], _A["ldap"]
_A_PORT, _A_LEGACY, _A_TLS12 = _A["port_differs"], _A["legacy_tls_disabled"], _A["server_tls12"]
_A_TRUST, _A_VALID = _A["trust"], _A["valid"]
_B_SSL, _B_REQUIRED, _B_LDAP = _B["ssl"], _B["client_sslrequired"], _B["ldap"]
_B_BELOW_63, _B_TRUST, _B_VALID = _B["below_63"], _B["trust"], _B["valid"]
_C_TLS13, _C_VALID, _C_MD5 = _C["tls13"], _C["valid"], _C["md5_refused"]
_C_TRUST, _C_DISTRIBUTION = _C["trust"], _C["distribution"]

_INSTALLED, _NEW = int(LevelFact.INSTALLED), int(LevelFact.NEW)
_TLS13, _REFUSES_MD5 = int(LevelFact.TLS13), int(LevelFact.REFUSES_MD5)
_BELOW_63, _LOCAL_STRICT = int(LevelFact.BELOW_63), int(LevelFact.LOCAL_TURNS_STRICT)
_IS_812 = int(LevelFact.IS_812)
_LIBRARY_814, _LIBRARY_718 = int(LevelFact.LIBRARY_814), int(LevelFact.LIBRARY_718)

_SSL, _SSLREQUIRED, _SSL_MASK = SSL.shift, SSLREQUIRED.shift, SSL.mask
_ACCEPTS = SSLACCEPTCERTFROMSERV.mask
_ACCEPT, _DISABLE_LEGACY = SSLACCEPTCERTFROMSERV.shift, SSLDISABLELEGACYTLS.shift

_NOTHING, _OTHER, _TRUSTED = int(Trust.NOTHING), int(Trust.OTHER), int(Trust.TRUSTED)
_WORKS, _NOT_ACCEPTED = int(Distribution.WORKS), int(Distribution.NOT_ACCEPTED)
_STRICT, _LDAP = int(Distribution.STRICT), int(Distribution.LDAP)
_PARTNER_LEVEL = int(Distribution.PARTNER_LEVEL)
_INCOMPLETE_CHAIN = int(Distribution.INCOMPLETE_CHAIN)

_OF_SERVER, _OF_LDAP = int(Authentication.OF_SERVER), int(Authentication.LDAP)
_STORAGE_AGENT, _SERVER = int(SessionKind.STORAGE_AGENT), int(SessionKind.SERVER)
_LIBRARY = int(SessionKind.LIBRARY)

_INACTIVE_RULE, _LOCAL_RULE = RULE_NUMBER["inactive"], RULE_NUMBER["local"]
_LOCAL_STRICT_RULE = RULE_NUMBER["local-turns-strict"]

MODE_OF_RULE = np.array([rule.mode for rule in RULES], dtype=np.uint8)
TURNS_STRICT = np.array(
    [
        rule.mode in (Mode.TLS_PARTIAL, Mode.TLS_FULL) or rule.id == "local-turns-strict"
        for rule in RULES
    ]
)
IS_AUTOMATIC = np.array([rule.id.startswith("both-new.automatic-") for rule in RULES])
NEEDS_ANCHOR = np.array(
    [rule.mode in (Mode.LEGACY_SSL, Mode.TLS_PARTIAL, Mode.TLS_FULL) for rule in RULES]
)


def _given_trust() -> tuple[Flags, Flags]:
    """Whether trust changes each rule, and whether with trust it always needs the anchor."""
    changes, needs = np.zeros(len(RULES), dtype=np.bool_), NEEDS_ANCHOR.copy()
    bases = (OLD_SERVER_BASE, OLD_CLIENT_BASE, BOTH_NEW_BASE, len(LOOKUP))
    for (begin, end), shift in zip(pairwise(bases), (_A_TRUST, _B_TRUST, _C_TRUST), strict=True):
        table = LOOKUP[begin:end]
        places = np.flatnonzero(table != UNDECIDED)
        rules, trusting = table[places], table[places & ~(3 << shift) | _TRUSTED << shift]
        changed = rules != trusting
        changes[rules[changed]] = True
        needs[rules[changed]] = True
        needs[rules[~NEEDS_ANCHOR[trusting]]] = False
    return changes, needs


TRUST_CHANGES, NEEDS_ANCHOR_GIVEN_TRUST = _given_trust()


class Strictness(NamedTuple):
    """From which day on accounts are strict, `NEVER` where they stay transitional.

    `from_day` is by account, until its first `set-session-security`; `after_reset` is by row of
    `Program.reset_*`. A day counts as strict from its end on, `ALWAYS` also at its start.
    """

    from_day: Days
    after_reset: Days


class Distributed(NamedTuple):
    """Anchors that came by automatic distribution, as a list for each key database.

    `database` are the key databases that can receive one, ascending, of shape `(0,)` where nothing
    was distributed; `head` is the first entry of each, -1 for none; `following` leads from one
    entry to the next of the same key database.
    """

    database: Numbers
    head: Numbers
    following: Numbers
    certificate: Numbers
    day: Days
    session: Numbers


@compiled
def nothing_distributed() -> Distributed:
    """Return the list that holds nothing."""
    empty = np.zeros(0, dtype=np.int32)
    return Distributed(empty, empty, empty, empty, empty, empty)


@allocation_free
def first_row(ascending: Numbers, value: int) -> int:
    """First row of an ascending column that is not below a value."""
    low, high = 0, len(ascending)
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@allocation_free
def first_both_new(p: Program, session: int) -> int:
    """First day on which both ends of a session can be new: none turns strict before it."""
    client = natural(p.session_client[session])
    server = natural(p.n_clients + p.session_server[session])
    return max(p.start, int(p.level_first_new[client]), int(p.level_first_new[server]))


@allocation_free
def is_ever_emptied(p: Program, database: int) -> bool:
    """Whether anything is removed from a key database on some day."""
    if not p.removes:
        return False
    for row in range(p.trust_first[database], p.trust_first[database + 1]):
        if not p.trust_held[row]:
            return True
    return False


@allocation_free
def first_held(p: Program, database: int, certificate: int) -> int:
    """First day on which a key database that never loses one holds a certificate, else `NEVER`."""
    begin, last = natural(p.trust_first[database]), p.trust_first[database + 1]
    if begin + 4 < len(p.trust_day) and last <= begin + 4:
        # Few rows, as in most: no branch depends on where it stands, so none is mispredicted.
        row = begin + 4
        row = begin + 3 if p.trust_certificate[begin + 3] == certificate else row
        row = begin + 2 if p.trust_certificate[begin + 2] == certificate else row
        row = begin + 1 if p.trust_certificate[begin + 1] == certificate else row
        row = begin if p.trust_certificate[begin] == certificate else row
        day = int(p.trust_day[row])
        return day if row < last else NEVER
    for row in range(begin, last):
        if p.trust_certificate[row] == certificate:
            return int(p.trust_day[row])
    return NEVER


@allocation_free
def first_entry(sent: Distributed, database: int) -> int:
    """First entry of a key database in the list of what was distributed; -1 for none."""
    if len(sent.database):
        place = first_row(sent.database, database)
        if place < len(sent.database) and sent.database[place] == database:
            return int(sent.head[place])
    return -1


@allocation_free
def held(
    p: Program, sent: Distributed, database: int, certificate: int, day: int
) -> tuple[bool, int]:
    """Whether a key database holds a certificate after a day's actions, and its next change."""
    result = False
    removed = ALWAYS
    until = NEVER
    for row in range(p.trust_first[database], p.trust_first[database + 1]):
        k = natural(row)
        if p.trust_certificate[k] == certificate:
            if p.trust_day[k] > day:
                until = p.trust_day[k]
                break
            result = p.trust_held[k]
            if not result:
                removed = p.trust_day[k]
    if not result:
        k = first_entry(sent, database)
        while k >= 0:
            # It enters after its day's sessions, for others from the next day on.
            if sent.certificate[k] == certificate and removed <= sent.day[k]:
                if sent.day[k] < day:
                    result = True
                else:
                    until = min(until, sent.day[k] + 1)
            k = sent.following[k]
    return result, until


@allocation_free
def trust_of(
    p: Program, sent: Distributed, database: int, server: int, anchor: int, state: int, day: int
) -> tuple[int, int]:
    """What a key database holds of a server that presents the anchor, and its next change."""
    until = NEVER
    if state & SERVER_COMPLETE:
        is_held, until = held(p, sent, database, anchor, day)
        if is_held:
            return _TRUSTED, until
    trust = _NOTHING
    for row in range(p.known_first[server], p.known_first[server + 1]):
        k = natural(row)
        is_held, until_known = held(p, sent, database, p.known_certificate[k], day)
        until = min(until, until_known)
        if is_held:
            trust = _OTHER
    return trust, until


@allocation_free
def strict_since(p: Program, strictness: Strictness, account: int, day: int) -> tuple[int, int]:
    """From which day on an account is strict as things stand on a day, and its next reset."""
    since = strictness.from_day[account]
    until = NEVER
    if p.account_state[account] & ACCOUNT_IS_RESET:
        k = first_row(p.reset_account, account)
        while k < len(p.reset_account) and p.reset_account[k] == account:
            if p.reset_day[k] > day:
                until = p.reset_day[k]
                break
            since = strictness.after_reset[k]
            k += 1
    return since, until


@allocation_free
def is_ldap(p: Program, account: int, state: int, day: int) -> tuple[bool, int]:
    """Whether LDAP keeps an account's password on a day, and when that can next change."""
    value = p.account_state[account] & ACCOUNT_AUTHENTICATION
    result = state & SERVER_LDAP != 0 if value == _OF_SERVER else value == _OF_LDAP
    until = NEVER
    if p.account_state[account] & ACCOUNT_CHANGES:
        k = first_row(p.authentication_account, account)
        while k < len(p.authentication_account) and p.authentication_account[k] == account:
            if p.authentication_day[k] > day:
                until = p.authentication_day[k]
                break
            result = p.authentication_ldap[k]
            k += 1
    return result, until


@allocation_free
def is_meant(p: Program, session: int, row: int) -> bool:
    """Whether a `set-option` row of the plan, by its non-empty columns, is for a session."""
    server, account = p.plan_server[row], p.plan_account[row]
    database = p.plan_key_database[row]
    return bool(
        (server < 0 or server == p.session_server[session])
        and (account < 0 or account == p.account_name[natural(p.session_account[session])])
        and (
            database < 0
            or database == p.key_database_name[natural(p.session_key_database[session])]
        )
    )


@allocation_free
def options_of(p: Program, session: int, day: int) -> tuple[int, int, int]:
    """Packed options and port of a session after the actions of a day, and their next change."""
    options, port = int(p.session_options[session]), int(p.session_port[session])
    client = natural(p.session_client[session])
    until = NEVER
    for row in range(p.option_first[client], p.option_first[client + 1]):
        k = natural(row)
        if p.option_day[k] > day:
            until = p.option_day[k]
            break
        if p.option_row[k] < 0 or is_meant(p, session, p.option_row[k]):
            if p.option_mask[k] == PORT:
                port = int(p.option_bits[k])
            else:
                options = (options & ~int(p.option_mask[k])) | int(p.option_bits[k])
    return options, port, until


@allocation_free
def can_receive(p: Program, session: int) -> bool:
    """Whether automatic distribution can ever work: the client's level, its kind, or its option."""
    client = natural(p.session_client[session])
    state = int(p.client_state[client])
    is_new_once = p.level_first_new[client] != NEVER
    accepts = (p.session_options[session] & _ACCEPTS != 0) | (state & CLIENT_ACCEPTS_LATER != 0)
    is_other = p.session_kind[session] >= _STORAGE_AGENT
    return bool(is_new_once & (is_other | (accepts & (state & CLIENT_REFUSES == 0))))


@allocation_free
def can_use_ssl(p: Program, session: int) -> bool:
    """Whether SSL is Yes for a session at first, or for some session of its client later."""
    state = p.client_state[natural(p.session_client[session])]
    return bool(p.session_options[session] & _SSL_MASK or state & CLIENT_USES_SSL_LATER)


@compiled
def options_on(p: Program, days: Days) -> NDArray[np.uint16]:
    """Packed options of every session, each on a day of its own."""
    result = np.empty(len(days), dtype=np.uint16)
    for session in range(len(days)):
        result[session] = options_of(p, session, days[session])[0]
    return result


@compiled
def facts_on(p: Program, endpoints: Numbers, days: Days) -> NDArray[np.uint16]:
    """`LevelFact` of endpoints, each after the actions of a day of its own."""
    result = np.empty(len(endpoints), dtype=np.uint16)
    for row in range(len(endpoints)):
        k = p.level_first[endpoints[row] + 1] - 1
        while k > p.level_first[endpoints[row]] and p.level_day[k] > days[row]:
            k -= 1
        result[row] = p.level_facts[k]
    return result


@allocation_free
def distribution_of(
    kind: int, client: int, server: int, options: int, ldap: bool, strict: bool, state: int
) -> int:
    """Whether the server hands its certificate over to a session that holds nothing of it."""
    if not state & SERVER_COMPLETE:
        return _INCOMPLETE_CHAIN
    if kind == _STORAGE_AGENT:
        return _PARTNER_LEVEL if client & _IS_812 else _WORKS
    if kind == _SERVER:
        return _WORKS
    if kind == _LIBRARY:
        both = client & server
        return _WORKS if both & _LIBRARY_814 or both & _LIBRARY_718 else _PARTNER_LEVEL
    if not options >> _ACCEPT & 1:
        return _NOT_ACCEPTED
    if ldap:
        return _LDAP
    return _STRICT if strict else _WORKS


@allocation_free
def port_differs(p: Program, server: int, port: int) -> bool:
    """Whether a session's port (0: the server's) is known not to be the server's SSL port."""
    port = p.server_tcpport[server] if port == 0 else port
    ssl_port = p.server_ssltcpport[server]
    return bool((port != 0) & (ssl_port != 0) & (port != ssl_port))


@allocation_free
def old_server_index(
    ssl: int,
    required: int,
    account_state: int,
    ldap: bool,
    has_other_port: bool,
    options: int,
    has_tls12: bool,
    trust: int,
    state: int,
) -> int:
    """Place in the lookup table of a session to an old server."""
    return OLD_SERVER_BASE + (
        ssl
        | required << _A_REQUIRED
        | (account_state >> ACCOUNT_SSLREQUIRED & 3) << _A_ACCOUNT
        | int(ldap) << _A_LDAP
        | int(has_other_port) << _A_PORT
        | (options >> _DISABLE_LEGACY & 1) << _A_LEGACY
        | int(has_tls12) << _A_TLS12
        | trust << _A_TRUST
        | int(state & SERVER_VALID != 0) << _A_VALID
    )


@allocation_free
def old_client_index(
    ssl: int,
    required: int,
    ldap: bool,
    strict: bool,
    client_facts: int,
    trust: int,
    state: int,
) -> int:
    """Place in the lookup table of an old client's session to a new server."""
    return OLD_CLIENT_BASE + (
        int(strict)
        | ssl << _B_SSL
        | required << _B_REQUIRED
        | int(ldap) << _B_LDAP
        | int(client_facts & _BELOW_63 != 0) << _B_BELOW_63
        | trust << _B_TRUST
        | int(state & SERVER_VALID != 0) << _B_VALID
    )


@allocation_free
def both_new_index(
    ssl: int, client_facts: int, server_facts: int, trust: int, distribution: int, state: int
) -> int:
    """Place in the lookup table of a session between new ends."""
    return BOTH_NEW_BASE + (
        ssl
        | int(client_facts & server_facts & _TLS13 != 0) << _C_TLS13
        | int(state & SERVER_VALID != 0) << _C_VALID
        | int(client_facts & _REFUSES_MD5 != 0 and state & SERVER_MD5 != 0) << _C_MD5
        | trust << _C_TRUST
        | distribution << _C_DISTRIBUTION
    )


@allocation_free
def look(
    p: Program,
    strictness: Strictness,
    sent: Distributed,
    trusts_all: bool,
    session: int,
    day: int,
) -> tuple[int, int, int]:
    """State of a session on a day: its rule, the anchor presented, and when it can next change.

    With `trusts_all` every presented certificate is trusted, as `semantics.md` section 6 asks.
    """
    # Few rows each: counting those that have begun mispredicts less than searching.
    client = natural(p.session_client[session])
    until = p.end
    k = natural(p.level_first[client])
    for row in range(k + 1, p.level_first[client + 1]):
        begin = p.level_day[natural(row)]
        k = natural(k + (begin <= day))
        until = min(until, begin if begin > day else until)
    client_facts = int(p.level_facts[k])
    if not client_facts & _INSTALLED:
        return _INACTIVE_RULE, -1, until

    server = natural(p.session_server[session])
    k = natural(p.server_first[server])
    for row in range(k + 1, p.server_first[server + 1]):
        begin = p.server_day[natural(row)]
        k = natural(k + (begin <= day))
        until = min(until, begin if begin > day else until)
    server_facts, state, anchor = int(p.server_facts[k]), int(p.server_state[k]), p.server_anchor[k]

    options, port, until_options = options_of(p, session, day)
    until = min(until, until_options)
    if options & LOCAL_BIT:
        if client_facts & server_facts & _LOCAL_STRICT:
            return _LOCAL_STRICT_RULE, anchor, until
        return _LOCAL_RULE, anchor, until

    account = natural(p.session_account[session])
    ldap, until_ldap = is_ldap(p, account, state, day)
    until = min(until, until_ldap)
    ssl = options >> _SSL & 1
    required = options >> _SSLREQUIRED & 3
    both_new = client_facts & server_facts & _NEW != 0
    trust = _TRUSTED
    if not trusts_all and (ssl or both_new):
        database = natural(p.session_key_database[session])
        trust, until_trust = trust_of(p, sent, database, server, anchor, state, day)
        until = min(until, until_trust)

    if not server_facts & _NEW:
        index = old_server_index(
            ssl,
            required,
            int(p.account_state[account]),
            ldap,
            port_differs(p, server, port),
            options,
            p.server_tls12[server],
            trust,
            state,
        )
        return int(p.lookup[natural(index)]), anchor, until

    if not both_new:
        since, until_reset = strict_since(p, strictness, account, day)
        until = min(until, until_reset)
        if since > day:
            until = min(until, since)
        index = old_client_index(ssl, required, ldap, since <= day, client_facts, trust, state)
        return int(p.lookup[natural(index)]), anchor, until

    distribution = _WORKS
    if trust == _NOTHING:
        # What the account is at the start of the day decides: a success of that day comes later.
        since, until_reset = strict_since(p, strictness, account, day)
        until = min(until, until_reset)
        if day <= since < NEVER:
            until = min(until, since + 1)
        distribution = distribution_of(
            int(p.session_kind[session]),
            client_facts,
            server_facts,
            options,
            ldap,
            since < day,
            state,
        )
    index = both_new_index(ssl, client_facts, server_facts, trust, distribution, state)
    return int(p.lookup[natural(index)]), anchor, until
