"""The as-is check: what the activity logs show, against what the engine computes for a first day.

An agreement says that levels, options and trust were imported as they are; a disagreement says
where to look before anything is planned on them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from planner.domain import views
from planner.domain.findings import Finding, Findings, Severity, in_order
from planner.domain.observations import ObservedSession
from planner.domain.rules import RULES, TLS_12, TLS_13, TLS_LOWER, Mode, Rule
from planner.engine.timeline import Timeline

if TYPE_CHECKING:
    import pandas as pd

_DEFAULT_NAME: Final = "TSM Self-Signed Certificate"
"""Name in the certificate that a server makes for itself, as ANR8592I shows it."""
_TLS_OF_PROTOCOL: Final = {"TLSV13": TLS_13, "TLSV12": TLS_12}
_ENCRYPTED: Final = (Mode.TLS_PARTIAL, Mode.TLS_FULL, Mode.LEGACY_SSL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One way in which sessions were seen, and what the engine says of that session.

    Parameters
    ----------
    session
        Number of the session in the fleet.
    seen, computed
        In words.
    times
        How often the logs show it.
    agrees
        Whether both mean the same protocol.
    """

    session: int
    seen: str
    computed: str
    times: int
    agrees: bool
    first: ObservedSession


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AsIs:
    """Every session of the logs that the fleet has, compared; and how many it does not have.

    Parameters
    ----------
    unknown
        Sessions of the logs for which the fleet has no session, or several that differ.
    """

    timeline: Timeline
    rows: tuple[Compared, ...]
    unknown: int
    findings: Findings

    @property
    def n_compared(self) -> int:
        """Count of sessions of the logs that were compared."""
        return sum(row.times for row in self.rows)

    @property
    def n_agreeing(self) -> int:
        """Count of those that are as computed."""
        return sum(row.times for row in self.rows if row.agrees)

    @property
    def rate(self) -> float:
        """Share of sessions of the logs that are as computed [1]; 1 where there are none."""
        return self.n_agreeing / self.n_compared if self.n_compared else 1.0

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return (
            f"AsIs({self.n_compared} logged sessions compared, {self.rate:.1%} as computed, "
            f"{self.unknown} without a session of the fleet)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of what was seen and computed."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def as_is(timeline: Timeline, observed: Iterable[ObservedSession]) -> AsIs:
    """Compare the sessions of activity logs with the first day of a timeline.

    Compared are the transport, the TLS level where a handshake was logged, and whether the server
    presented a certificate of its own making. A log shows a handshake, not what is encrypted after
    it, so `tls-partial`, `tls-full` and `legacy-ssl` differ by their TLS level alone.

    Notes
    -----
    Linear in the number of logged sessions.
    """
    fleet = timeline.plan.fleet
    rules = timeline.rule_on(fleet.start).tolist() if timeline.n_sessions else []
    sessions_of = _sessions_of_accounts(timeline)
    counts: Counter[tuple[int, str, str]] = Counter()
    first: dict[tuple[int, str, str], ObservedSession] = {}
    unknown = 0
    for seen in observed:
        if not seen.transport and not seen.protocol:
            continue  # a list of sessions that says nothing of their protocol
        session = _session_of(timeline, seen, sessions_of, rules)
        if session < 0:
            unknown += 1
            continue
        key = (session, _seen_text(seen), seen.certificate)
        counts[key] += 1
        first.setdefault(key, seen)
    rows = []
    findings: list[Finding] = []
    for key, times in counts.items():
        rule = RULES[rules[key[0]]]
        seen = first[key]
        agrees = _agrees(seen, rule)
        row = Compared(
            session=key[0],
            seen=key[1],
            computed=_computed_text(rule),
            times=times,
            agrees=agrees,
            first=seen,
        )
        rows.append(row)
        if not agrees:
            findings.append(_disagreement(timeline, row, rule))
        elif seen.certificate and not _is_certificate_of(timeline, row.session, seen):
            findings.append(_other_certificate(timeline, row))
    return AsIs(timeline=timeline, rows=tuple(rows), unknown=unknown, findings=in_order(findings))


def _sessions_of_accounts(timeline: Timeline) -> dict[tuple[str, str], list[int]]:
    fleet = timeline.plan.fleet
    servers, accounts = fleet.servers.name, fleet.accounts
    sessions_of: dict[tuple[str, str], list[int]] = defaultdict(list)
    for session, account in enumerate(fleet.sessions.account.tolist()):
        server = servers[accounts.server[account]]
        sessions_of[server.casefold(), accounts.name[account].casefold()].append(session)
    return sessions_of


def _session_of(
    timeline: Timeline,
    seen: ObservedSession,
    sessions_of: dict[tuple[str, str], list[int]],
    rules: list[int],
) -> int:
    """Session that a log shows: that of its client, or else any if all of them are alike."""
    fleet = timeline.plan.fleet
    sessions = sessions_of.get((seen.server.casefold(), seen.account.casefold()), [])
    hosts = {seen.client.casefold(), seen.host.casefold(), seen.host.casefold().partition(".")[0]}
    own = [
        session
        for session in sessions
        if fleet.endpoint_name(int(fleet.sessions.client[session])).casefold() in hosts
    ]
    alike = own or sessions
    if not alike or any(rules[session] != rules[alike[0]] for session in alike):
        return -1
    return alike[0]


def _seen_text(seen: ObservedSession) -> str:
    if seen.is_local:
        return "local"
    if not seen.is_encrypted:
        return "plain"
    return seen.protocol or "SSL"


def _computed_text(rule: Rule) -> str:
    return f"{rule.mode.label} ({rule.tls})" if rule.tls else rule.mode.label


def _agrees(seen: ObservedSession, rule: Rule) -> bool:
    if seen.is_local:
        return rule.mode is Mode.LOCAL
    if not seen.is_encrypted:
        return rule.mode is Mode.PLAINTEXT
    if rule.mode not in _ENCRYPTED:
        return False
    return not seen.protocol or rule.tls == _TLS_OF_PROTOCOL.get(seen.protocol, TLS_LOWER)


def _is_certificate_of(timeline: Timeline, session: int, seen: ObservedSession) -> bool:
    """Whether the certificate is of the kind that the server presents; true where unknown."""
    fleet = timeline.plan.fleet
    presented = int(fleet.servers.certificate[fleet.sessions.server[session]])
    if not fleet.certificates.described[presented]:
        return True
    is_own = fleet.certificates.is_anchor(presented)
    return is_own == (seen.certificate == _DEFAULT_NAME)


def _disagreement(timeline: Timeline, row: Compared, rule: Rule) -> Finding:
    fleet = timeline.plan.fleet
    times = "once" if row.times == 1 else f"{row.times} times"
    return Finding(
        rule="as-is-disagreement",
        severity=Severity.WARNING,
        day=fleet.start,
        subject=fleet.session_text(row.session),
        what=f"the log shows it as {row.seen}, {times}; computed is {row.computed}",
        why=f"{rule.sentence} A level, an option, or what the client trusts is not as imported.",
        fix="Check the levels of both ends, SSL in the stanza, and what the key database holds.",
        file=row.first.file,
        line=row.first.line,
    )


def _other_certificate(timeline: Timeline, row: Compared) -> Finding:
    fleet = timeline.plan.fleet
    server = int(fleet.sessions.server[row.session])
    presented = fleet.certificates.name[int(fleet.servers.certificate[server])]
    is_default = row.first.certificate == _DEFAULT_NAME
    shown = "its own self-signed one" if is_default else "one that a CA signed"
    return Finding(
        rule="as-is-certificate",
        severity=Severity.WARNING,
        day=fleet.start,
        subject=fleet.servers.name[server],
        what=f"the log shows {shown}; the fleet says that it presents {presented}",
        why="What the server presents decides which anchor every client needs.",
        fix="Correct the column certificate in servers.csv, or give the server's own file.",
        file=row.first.file,
        line=row.first.line,
    )
