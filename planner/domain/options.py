"""Client options that decide how secure a session is: values, defaults, where and when they count.

One session's option values are packed into one integer, the layout that the engine reads.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One client option of `domain.md` section 2.1.

    Choices are in the order of their codes; an option without choices takes a port. Where
    `takes_longer`, a value that goes on after its abbreviation in another way counts as well.
    `shift` and `bits` say where the code stands in a session's packed options.
    """

    name: str
    column: str
    choices: tuple[str, ...]
    abbreviation: str
    choice_abbreviations: tuple[str, ...]
    shift: int
    bits: int
    location: str
    applies: str
    ignored: str
    source: str
    status: str
    takes_longer: bool = False

    @property
    def default(self) -> str:
        """The value where the option is not given; ports have none of their own."""
        return self.choices[0] if self.choices else ""

    @property
    def mask(self) -> int:
        """The option's bits in a session's packed options."""
        return ((1 << self.bits) - 1) << self.shift

    def code_of(self, text: str) -> int | None:
        """Code of a value in any letter case or IBM's abbreviation; None where it is no value."""
        folded = text.casefold()
        if not folded:
            return 0
        for code, (choice, short) in enumerate(
            zip(self.choices, self.choice_abbreviations, strict=True)
        ):
            is_prefix = self.takes_longer or choice.casefold().startswith(folded)
            if is_prefix and folded.startswith(short.casefold()):
                return code
        return None


class Required(IntEnum):
    """Codes of SSLREQUIRED, on the client and on the account."""

    DEFAULT = 0
    YES = 1
    NO = 2
    SERVER_ONLY = 3


_STANZA: Final = "server stanza of dsm.sys; dsm.opt on Windows"
_OLD_SERVER: Final = "only with SSL sessions to an old server"
_BOTH_NEW: Final = "ignored when client and server are new"


def _yes_no(name: str, shift: int, *, applies: str, ignored: str, source: str) -> Option:
    return Option(
        name=name,
        column=name.casefold(),
        choices=("No", "Yes"),
        abbreviation=name,
        choice_abbreviations=("N", "Y"),
        shift=shift,
        bits=1,
        location=_STANZA,
        applies=applies,
        ignored=ignored,
        source=source,
        status="documented",
    )


def _port(name: str, *, abbreviation: str, location: str, applies: str, ignored: str) -> Option:
    return Option(
        name=name,
        column=name.casefold(),
        choices=(),
        abbreviation=abbreviation,
        choice_abbreviations=(),
        shift=0,
        bits=0,
        location=location,
        applies=applies,
        ignored=ignored,
        source="REPLSSL" if name == "REPLSSLPORT" else "SSLOPT",
        status="documented",
    )


SSL: Final = _yes_no(
    "SSL",
    0,
    applies="old server: Yes makes an SSL session on the server's SSL port; "
    "new server: decides on object data alone",
    ignored="never",
    source="SSLOPT",
)
SSLREQUIRED: Final = Option(
    name="SSLREQUIRED",
    column="sslrequired",
    choices=("Default", "Yes", "No", "ServerOnly"),
    abbreviation="SSLREQ",
    choice_abbreviations=("DEF", "Y", "N", "SERVER"),
    shift=1,
    bits=2,
    location="client options file, not on the command line",
    applies="only with an old server, or from an old client",
    ignored=_BOTH_NEW,
    source="SSLREQ",
    status="documented",
)
SSLACCEPTCERTFROMSERV: Final = _yes_no(
    "SSLACCEPTCERTFROMSERV",
    3,
    applies="client and server new, and no certificate of that server present yet",
    ignored="once a certificate of that server is present; old clients do not know it (ANS1036S)",
    source="SEED",
)
SSLDISABLELEGACYTLS: Final = _yes_no(
    "SSLDISABLELEGACYTLS", 4, applies=_OLD_SERVER, ignored=_BOTH_NEW, source="SEED"
)
SSLFIPSMODE: Final = _yes_no(
    "SSLFIPSMODE", 5, applies="any SSL session", ignored="without SSL or TLS", source="SEED"
)
LANFREESSL: Final = _yes_no(
    "LANFREESSL",
    6,
    applies="only with SSL between client and an old storage agent or server",
    ignored=_BOTH_NEW,
    source="SEED",
)
COMMMETHOD: Final = Option(
    name="COMMMETHOD",
    column="commmethod",
    choices=("TCPIP", "V6TCPIP", "SHAREDMEM", "NAMEDPIPE"),
    abbreviation="COMMM",
    choice_abbreviations=("TCP", "V6", "SHARE", "NAME"),
    shift=7,
    bits=2,
    location=_STANZA,
    applies="any session; shared memory and named pipes stay on the host",
    ignored="never",
    source="FP8125",
    status="documented",
    takes_longer=True,
)
TCPPORT: Final = _port(
    "TCPPORT",
    abbreviation="TCPP",
    location=_STANZA,
    applies="any TCP/IP session; SSL to an old server needs the server's SSL port",
    ignored="with shared memory or named pipes",
)
REPLSSLPORT: Final = _port(
    "REPLSSLPORT",
    abbreviation="REPLSSLPORT",
    location="REPLSERVERNAME block of dsm.sys; dsm.opt on Windows",
    applies="SSL to an old replication target; the primary server overwrites it at the next login",
    ignored=_BOTH_NEW,
)

OPTIONS: Final = (
    SSL,
    SSLREQUIRED,
    SSLACCEPTCERTFROMSERV,
    SSLDISABLELEGACYTLS,
    SSLFIPSMODE,
    LANFREESSL,
    COMMMETHOD,
    TCPPORT,
    REPLSSLPORT,
)
"""Every option of a session, in a fixed order: an option's code is its place here."""

LOCAL_BIT: Final = 2 << COMMMETHOD.shift
"""Set in packed options exactly where COMMMETHOD is shared memory or a named pipe."""


def option_code(text: str) -> int | None:
    """Code of an option by its name in any letter case or IBM's minimum abbreviation.

    Examples
    --------
    >>> OPTIONS[option_code("sslreq")].name
    'SSLREQUIRED'
    """
    folded = text.casefold()
    for code, option in enumerate(OPTIONS):
        name, short = option.name.casefold(), option.abbreviation.casefold()
        if name.startswith(folded) and folded.startswith(short):
            return code
    return None
