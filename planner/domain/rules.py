"""The decision tables of `semantics.md` section 4 as data, and the rows of section 6.

Every state that the engine can produce is a row here. A row holds where all of its conditions
hold; the first row of a table that holds decides. `lookup_table` unrolls the tables into one
array, so that the engine decides by a single index and no combination can be forgotten.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.domain.options import Required


class Mode(IntEnum):
    """Security mode of a session on a day, from worst to best."""

    INACTIVE = 0
    REFUSED = 1
    PLAINTEXT = 2
    LOCAL = 3
    TLS_PARTIAL = 4
    LEGACY_SSL = 5
    TLS_FULL = 6

    @property
    def label(self) -> str:
        """The name in files and pictures."""
        return self.name.casefold().replace("_", "-")


class Reason(StrEnum):
    """Why a session is refused."""

    NONE = ""
    UNTRUSTED = "untrusted"
    WRONG_CERTIFICATE = "wrong-certificate"
    EXPIRED = "expired"
    SSL_REQUIRED_BY_CLIENT = "ssl-required-by-client"
    SSL_REQUIRED_BY_SERVER = "ssl-required-by-server"
    SSL_PORT = "ssl-port"
    TLS_LEVEL = "tls-level"
    MD5_CERTIFICATE = "md5-certificate"
    STRICT_ACCOUNT = "strict-account"


class Status(StrEnum):
    """Whether the vendor states a rule or we deduced it."""

    DOCUMENTED = "documented"
    INFERRED = "inferred"


class Trust(IntEnum):
    """What a key database holds of a server's certificates."""

    NOTHING = 0
    OTHER = 1
    TRUSTED = 2


class Distribution(IntEnum):
    """Whether a server would hand its certificate over by itself, and if not, why."""

    WORKS = 0
    NOT_ACCEPTED = 1
    STRICT = 2
    LDAP = 3
    PARTNER_LEVEL = 4
    INCOMPLETE_CHAIN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One condition of a decision table: where its value stands in the table's index."""

    name: str
    shift: int
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: when it holds, what follows, and who says so."""

    id: str
    mode: Mode
    when: Mapping[str, tuple[int, ...]]
    reason: Reason = Reason.NONE
    tls: str = ""
    message: str = ""
    source: str
    status: Status
    sentence: str


TLS_LOWER: Final = "TLS 1.1 or lower"
TLS_12: Final = "TLS 1.2"
TLS_13: Final = "TLS 1.3"

_DOC: Final = Status.DOCUMENTED
_INF: Final = Status.INFERRED
_NO, _YES = (0,), (1,)
_ASKS_SSL: Final = (Required.YES, Required.SERVER_ONLY)
_DEFAULT: Final = (Required.DEFAULT,)

FREE_RULES: Final = (
    Rule(
        id="inactive",
        mode=Mode.INACTIVE,
        when={},
        source="SEED",
        status=_INF,
        sentence="The client is not installed or has been retired, so it opens no session.",
    ),
    Rule(
        id="local",
        mode=Mode.LOCAL,
        when={},
        source="FP8125",
        status=_DOC,
        sentence="Shared memory and named pipes stay on the host; no certificate matters.",
    ),
    Rule(
        id="local-turns-strict",
        mode=Mode.LOCAL,
        when={},
        source="FP8125",
        status=_DOC,
        sentence="Shared memory or a named pipe between levels of at least 8.1.6 stays on the host "
        "and turns the account strict although no certificate came over.",
    ),
)
"""States that no table decides: neither eras nor options but COMMMETHOD matter to them."""

OLD_SERVER_FACTS: Final = (
    Fact(name="ssl", shift=0, values=2),
    Fact(name="client_sslrequired", shift=1, values=4),
    Fact(name="account_sslrequired", shift=3, values=4),
    Fact(name="ldap", shift=5, values=2),
    Fact(name="port_differs", shift=6, values=2),
    Fact(name="legacy_tls_disabled", shift=7, values=2),
    Fact(name="server_tls12", shift=8, values=2),
    Fact(name="trust", shift=9, values=3),
    Fact(name="valid", shift=11, values=2),
)

OLD_SERVER: Final = (
    Rule(
        id="old-server.client-requires-ssl",
        mode=Mode.REFUSED,
        when={"ssl": _NO, "client_sslrequired": _ASKS_SSL},
        reason=Reason.SSL_REQUIRED_BY_CLIENT,
        message="ANS7524E",
        source="SSLREQ",
        status=_DOC,
        sentence="SSLREQUIRED Yes or ServerOnly makes the client refuse a session without SSL to "
        "an old server.",
    ),
    Rule(
        id="old-server.client-requires-ssl-for-ldap",
        mode=Mode.REFUSED,
        when={"ssl": _NO, "client_sslrequired": _DEFAULT, "ldap": _YES},
        reason=Reason.SSL_REQUIRED_BY_CLIENT,
        message="ANS7524E",
        source="SSLREQ",
        status=_INF,
        sentence="SSLREQUIRED Default makes SSL compulsory for an LDAP account on an old server.",
    ),
    Rule(
        id="old-server.account-requires-ssl",
        mode=Mode.REFUSED,
        when={"ssl": _NO, "account_sslrequired": _ASKS_SSL},
        reason=Reason.SSL_REQUIRED_BY_SERVER,
        message="ANS7525E",
        source="SSLREQ",
        status=_INF,
        sentence="SSLREQUIRED Yes or ServerOnly of the account makes an old server refuse a "
        "session without SSL.",
    ),
    Rule(
        id="old-server.account-requires-ssl-for-ldap",
        mode=Mode.REFUSED,
        when={"ssl": _NO, "account_sslrequired": _DEFAULT, "ldap": _YES},
        reason=Reason.SSL_REQUIRED_BY_SERVER,
        message="ANS7525E",
        source="SSLREQ",
        status=_INF,
        sentence="An old server wants SSL for an account whose password the LDAP directory keeps.",
    ),
    Rule(
        id="old-server.plaintext",
        mode=Mode.PLAINTEXT,
        when={"ssl": _NO},
        source="SEED",
        status=_DOC,
        sentence="The existing authentication protocol goes on with old servers; nothing is "
        "encrypted.",
    ),
    Rule(
        id="old-server.ssl-port",
        mode=Mode.REFUSED,
        when={"port_differs": _YES},
        reason=Reason.SSL_PORT,
        message="ANS1579E",
        source="SSLOPT",
        status=_INF,
        sentence="An old server takes SSL on its SSL port alone; the handshake fails on another.",
    ),
    Rule(
        id="old-server.tls-level",
        mode=Mode.REFUSED,
        when={"legacy_tls_disabled": _YES, "server_tls12": _NO},
        reason=Reason.TLS_LEVEL,
        message="ANS2027E",
        source="SEED",
        status=_INF,
        sentence="SSLDISABLELEGACYTLS Yes leaves no common TLS level with an old server that has "
        "TLS 1.2 switched off.",
    ),
    Rule(
        id="old-server.wrong-certificate",
        mode=Mode.REFUSED,
        when={"trust": (Trust.OTHER,)},
        reason=Reason.WRONG_CERTIFICATE,
        message="ANS1595E",
        source="MSG821",
        status=_DOC,
        sentence="The key database holds certificates of this server, but not the trust anchor of "
        "the one that it presents.",
    ),
    Rule(
        id="old-server.untrusted",
        mode=Mode.REFUSED,
        when={"trust": (Trust.NOTHING,)},
        reason=Reason.UNTRUSTED,
        message="ANS1592E",
        source="MSG821",
        status=_DOC,
        sentence="SSL needs the server's trust anchor, and the key database holds nothing of it.",
    ),
    Rule(
        id="old-server.expired",
        mode=Mode.REFUSED,
        when={"valid": _NO},
        reason=Reason.EXPIRED,
        message="ANS1693E",
        source="MSG821",
        status=_DOC,
        sentence="The presented certificate, or one of its chain, is outside its validity.",
    ),
    Rule(
        id="old-server.legacy-ssl-tls12",
        mode=Mode.LEGACY_SSL,
        when={"server_tls12": _YES},
        tls=TLS_12,
        source="CFGSSL",
        status=_DOC,
        sentence="Existing SSL goes on with an old server, at TLS 1.2 where it is switched on.",
    ),
    Rule(
        id="old-server.legacy-ssl",
        mode=Mode.LEGACY_SSL,
        when={},
        tls=TLS_LOWER,
        source="CFGSSL",
        status=_INF,
        sentence="Existing SSL goes on with an old server at TLS 1.1 or lower.",
    ),
)

OLD_CLIENT_FACTS: Final = (
    Fact(name="strict", shift=0, values=2),
    Fact(name="ssl", shift=1, values=2),
    Fact(name="client_sslrequired", shift=2, values=4),
    Fact(name="ldap", shift=4, values=2),
    Fact(name="below_63", shift=5, values=2),
    Fact(name="trust", shift=6, values=3),
    Fact(name="valid", shift=8, values=2),
)

OLD_CLIENT: Final = (
    Rule(
        id="old-client.strict-account",
        mode=Mode.REFUSED,
        when={"strict": _YES},
        reason=Reason.STRICT_ACCOUNT,
        source="TROUB819",
        status=_DOC,
        sentence="An old client can no longer authenticate with an account that has become strict.",
    ),
    Rule(
        id="old-client.client-requires-ssl",
        mode=Mode.REFUSED,
        when={"ssl": _NO, "client_sslrequired": _ASKS_SSL},
        reason=Reason.SSL_REQUIRED_BY_CLIENT,
        message="ANS7524E",
        source="SSLREQ",
        status=_INF,
        sentence="SSLREQUIRED Yes or ServerOnly makes an old client refuse a session without SSL.",
    ),
    Rule(
        id="old-client.client-requires-ssl-for-ldap",
        mode=Mode.REFUSED,
        when={"ssl": _NO, "client_sslrequired": _DEFAULT, "ldap": _YES},
        reason=Reason.SSL_REQUIRED_BY_CLIENT,
        message="ANS7524E",
        source="SSLREQ",
        status=_INF,
        sentence="SSLREQUIRED Default makes an old client ask for SSL with an LDAP account.",
    ),
    Rule(
        id="old-client.ldap-requires-ssl",
        mode=Mode.REFUSED,
        when={"ssl": _NO, "ldap": _YES},
        reason=Reason.SSL_REQUIRED_BY_SERVER,
        message="ANS7525E",
        source="SSLREQ",
        status=_INF,
        sentence="A new server lets no LDAP password through from an old client without SSL.",
    ),
    Rule(
        id="old-client.plaintext",
        mode=Mode.PLAINTEXT,
        when={"ssl": _NO},
        source="TROUB819",
        status=_INF,
        sentence="An old client keeps the old protocol with a new server while its account is "
        "transitional; nothing is encrypted.",
    ),
    Rule(
        id="old-client.tls-level",
        mode=Mode.REFUSED,
        when={"below_63": _YES},
        reason=Reason.TLS_LEVEL,
        message="ANS2027E",
        source="SEC8114",
        status=_INF,
        sentence="A client below 6.3 cannot speak TLS 1.2, the least that a new server takes.",
    ),
    Rule(
        id="old-client.wrong-certificate",
        mode=Mode.REFUSED,
        when={"trust": (Trust.OTHER,)},
        reason=Reason.WRONG_CERTIFICATE,
        message="ANS1595E",
        source="MSG821",
        status=_DOC,
        sentence="The old client's key database holds certificates of this server, but not the "
        "trust anchor of the one that it presents.",
    ),
    Rule(
        id="old-client.untrusted",
        mode=Mode.REFUSED,
        when={"trust": (Trust.NOTHING,)},
        reason=Reason.UNTRUSTED,
        message="ANS1592E",
        source="MSG821",
        status=_DOC,
        sentence="SSL from an old client needs the server's trust anchor, and its key database "
        "holds nothing of it.",
    ),
    Rule(
        id="old-client.expired",
        mode=Mode.REFUSED,
        when={"valid": _NO},
        reason=Reason.EXPIRED,
        message="ANS1693E",
        source="MSG821",
        status=_DOC,
        sentence="The certificate that the new server presents to an old client, or one of its "
        "chain, is outside its validity.",
    ),
    Rule(
        id="old-client.legacy-ssl",
        mode=Mode.LEGACY_SSL,
        when={},
        tls=TLS_12,
        source="SEC8114",
        status=_INF,
        sentence="An old client with SSL reaches a new server at TLS 1.2.",
    ),
)

BOTH_NEW_FACTS: Final = (
    Fact(name="ssl", shift=0, values=2),
    Fact(name="tls13", shift=1, values=2),
    Fact(name="valid", shift=2, values=2),
    Fact(name="md5_refused", shift=3, values=2),
    Fact(name="trust", shift=4, values=3),
    Fact(name="distribution", shift=6, values=6),
)


def _both_new(
    name: str, when: Mapping[str, tuple[int, ...]], *, source: str, status: Status, sentence: str
) -> tuple[Rule, ...]:
    """Four rows of one kind: object data clear or encrypted, TLS 1.2 or 1.3."""
    return tuple(
        Rule(
            id=f"both-new.{name}tls-{extent}-{tls[-1]}",
            mode=Mode.TLS_FULL if ssl else Mode.TLS_PARTIAL,
            when={**when, "ssl": (ssl,), "tls13": (tls13,)},
            tls=tls,
            source=source,
            status=status,
            sentence=sentence.format(
                tls=tls,
                extent="everything" if ssl else "everything but object data",
                option="Yes" if ssl else "No",
            ),
        )
        for (ssl, extent), (tls13, tls) in itertools.product(
            ((0, "partial"), (1, "full")), ((0, TLS_12), (1, TLS_13))
        )
    )


def _not_distributed(name: str, value: Distribution, source: str, because: str) -> Rule:
    return Rule(
        id=f"both-new.untrusted-{name}",
        mode=Mode.REFUSED,
        when={"distribution": (value,)},
        reason=Reason.UNTRUSTED,
        message="ANS1592E",
        source=source,
        status=_INF,
        sentence=f"The key database holds nothing of this server, and the server does not hand its "
        f"certificate over: {because}.",
    )


BOTH_NEW: Final = (
    Rule(
        id="both-new.expired",
        mode=Mode.REFUSED,
        when={"valid": _NO},
        reason=Reason.EXPIRED,
        message="ANS1693E",
        source="MSG821",
        status=_DOC,
        sentence="The certificate that the new server presents, or one of its chain, is outside "
        "its validity.",
    ),
    Rule(
        id="both-new.md5-certificate",
        mode=Mode.REFUSED,
        when={"md5_refused": _YES},
        reason=Reason.MD5_CERTIFICATE,
        source="TN",
        status=_DOC,
        sentence="Clients at 7.1.8, 8.1.2 and 8.1.3 cannot connect to a server whose certificate "
        "is MD5-signed.",
    ),
    *_both_new(
        "",
        {"trust": (Trust.TRUSTED,)},
        source="SEED",
        status=_DOC,
        sentence="Both ends are new and the certificate is trusted: {tls} encrypts {extent} "
        "(SSL {option}).",
    ),
    Rule(
        id="both-new.wrong-certificate",
        mode=Mode.REFUSED,
        when={"trust": (Trust.OTHER,)},
        reason=Reason.WRONG_CERTIFICATE,
        message="ANS1595E",
        source="MSG821",
        status=_DOC,
        sentence="The key database holds certificates of this new server, but not the trust anchor "
        "of the one that it presents.",
    ),
    *_both_new(
        "automatic-",
        {"distribution": (Distribution.WORKS,)},
        source="FP818",
        status=_DOC,
        sentence="Automatic distribution hands the certificate over on this day; then {tls} "
        "encrypts {extent} (SSL {option}).",
    ),
    _not_distributed(
        "not-accepted", Distribution.NOT_ACCEPTED, "SEED", "SSLACCEPTCERTFROMSERV is No"
    ),
    _not_distributed("strict", Distribution.STRICT, "MSG821", "the account is strict"),
    _not_distributed("ldap", Distribution.LDAP, "FP818", "LDAP keeps the account's password"),
    _not_distributed(
        "partner-level",
        Distribution.PARTNER_LEVEL,
        "SEC8114",
        "between servers and storage agents of these levels it must be imported by hand",
    ),
    _not_distributed(
        "incomplete-chain",
        Distribution.INCOMPLETE_CHAIN,
        "MSG821",
        "its chain ends in no root, so holding what is known of it is not trust",
    ),
)

RULES: Final = (*FREE_RULES, *OLD_SERVER, *OLD_CLIENT, *BOTH_NEW)
"""Every state rule; the engine's rule numbers are places in this tuple."""

RULE_NUMBER: Final = {rule.id: number for number, rule in enumerate(RULES)}

_TABLES: Final = (
    (OLD_SERVER_FACTS, OLD_SERVER, 0),
    (OLD_CLIENT_FACTS, OLD_CLIENT, 1 << 12),
    (BOTH_NEW_FACTS, BOTH_NEW, (1 << 12) + (1 << 9)),
)
OLD_SERVER_BASE, OLD_CLIENT_BASE, BOTH_NEW_BASE = (base for _, _, base in _TABLES)
_LOOKUP_SIZE: Final = BOTH_NEW_BASE + (1 << 9)
UNDECIDED: Final = 255
"""Marks a place of the lookup table that no combination of facts reaches."""


def lookup_table() -> NDArray[np.uint8]:
    """Unroll the tables: rule number for each table's base plus its packed facts.

    Returns
    -------
    Shape `(n,)`; `UNDECIDED` where an index encodes no combination of facts.
    """
    table = np.full(_LOOKUP_SIZE, UNDECIDED, dtype=np.uint8)
    for facts, rows, base in _TABLES:
        for values in itertools.product(*(range(fact.values) for fact in facts)):
            named = {fact.name: value for fact, value in zip(facts, values, strict=True)}
            index = sum(value << fact.shift for fact, value in zip(facts, values, strict=True))
            row = next(
                r for r in rows if all(named[name] in allowed for name, allowed in r.when.items())
            )
            table[base + index] = RULE_NUMBER[row.id]
    return table


class Verdict(StrEnum):
    """How a planned import stands against its deadline, in the order of the tests."""

    IN_PLACE = "in-place"
    IMPOSSIBLE = "impossible"
    MISSING = "missing"
    OK = "ok"
    TIGHT = "tight"
    SAME_DAY = "same-day"
    LATE = "late"


VERDICTS: Final = tuple(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRule:
    """One row of `semantics.md` section 6."""

    verdict: Verdict
    source: str
    status: Status
    sentence: str

    @property
    def id(self) -> str:
        """Stable name of the row."""
        return f"deadline.{self.verdict}"


def _deadline(verdict: Verdict, source: str, status: Status, sentence: str) -> DeadlineRule:
    return DeadlineRule(verdict=verdict, source=source, status=status, sentence=sentence)


DEADLINE_RULES: Final = (
    _deadline(Verdict.IN_PLACE, "SEED", _DOC, "The trust anchor is there from the first day on."),
    _deadline(Verdict.IMPOSSIBLE, "TN", _INF, "The anchor can be had only after it is needed."),
    _deadline(
        Verdict.MISSING,
        "VE814",
        _DOC,
        "The certificate must be imported before the first session that needs it; no import is "
        "planned.",
    ),
    _deadline(Verdict.OK, "VE814", _INF, "The import is planned by the latest safe day."),
    _deadline(Verdict.TIGHT, "VE814", _INF, "The import is planned inside the lead time."),
    _deadline(
        Verdict.SAME_DAY,
        "VE814",
        _INF,
        "The import falls on the needed day, while the client's services are stopped.",
    ),
    _deadline(
        Verdict.LATE,
        "MSG821",
        _INF,
        "The import comes after the needed day; sessions are refused between.",
    ),
)
