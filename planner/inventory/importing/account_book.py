"""Accounts: nodes, administrators and server definitions of each server, by name."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from planner.domain.findings import Finding, Severity
from planner.domain.fleet import AccountKind
from planner.inventory.importing.evidence import (
    AccountFacts,
    CountFacts,
    Evidence,
    NodeFacts,
    Source,
    finding_at,
)
from planner.inventory.importing.server_book import Row, ServerBook


@dataclass(slots=True, kw_only=True)
class Registered:
    """One account; a node and an administrator of one name are one, with the stricter state.

    `kind` is the first of its `kinds`.
    """

    server: str
    name: str
    kind: AccountKind
    kinds: set[AccountKind] = field(default_factory=set)
    authentication: str = ""
    session_security: str = ""
    sslrequired: str = ""
    is_replica: bool = False
    node: NodeFacts | None = None
    source: Source


class AccountBook:
    """Accounts by server and name, and which kinds each server's exports list."""

    def __init__(self, evidence: Evidence, servers: ServerBook) -> None:
        self.findings: list[Finding] = []
        self._accounts: dict[tuple[str, str], Registered] = {}
        self._listed: set[tuple[str, AccountKind]] = set()
        self._servers = servers
        for node in evidence.nodes:
            account = self._registered(node.server, node.name, AccountKind.NODE, node.source)
            account.node = node if account.node is None else _filled(account.node, node)
        for facts in evidence.accounts:
            self._take(facts)
        self._check_counts(evidence.counts)

    def find(self, server: str, name: str) -> Registered | None:
        """Return an account; None where no export shows it."""
        return self._accounts.get((server.casefold(), name.casefold()))

    @property
    def listed(self) -> frozenset[tuple[str, AccountKind]]:
        """The servers, folded, and the kinds of accounts that their exports list."""
        return frozenset(self._listed)

    def is_listed(self, server: str, kind: AccountKind) -> bool:
        """Whether a server's accounts of a kind were exported, so that a missing one is missing."""
        return (server.casefold(), kind) in self._listed

    def __iter__(self) -> Iterator[Registered]:
        return iter(self._accounts.values())

    def rows(self) -> list[Row]:
        """Return the rows of accounts.csv."""
        return [
            {
                "server": account.server,
                "account": account.name,
                "kind": account.kind.label,
                "authentication": account.authentication,
                "session_security": account.session_security,
                "sslrequired": account.sslrequired,
            }
            for account in self._accounts.values()
        ]

    def _registered(self, server: str, name: str, kind: AccountKind, source: Source) -> Registered:
        self._listed.add((server.casefold(), kind))
        key = (server.casefold(), name.casefold())
        known = self._accounts.get(key)
        if known is None:
            shown = self._servers.name(server)
            known = Registered(server=shown, name=name, kind=kind, source=source)
            self._accounts[key] = known
        known.kinds.add(kind)
        return known

    def _check_counts(self, counts: Iterable[CountFacts]) -> None:
        """Compare how many accounts a server says that it has with how many were exported."""
        found = Counter(
            (account.server.casefold(), kind) for account in self for kind in account.kinds
        )
        for count in counts:
            key = (count.server.casefold(), count.kind)
            if found[key] == count.number:
                self._listed.add(key)
                continue
            self._listed.discard(key)
            self.findings.append(
                finding_at(
                    count.source,
                    rule="export-incomplete",
                    severity=Severity.ERROR,
                    subject=count.server,
                    what=f"the server has {count.number:,} accounts of the kind "
                    f"{count.kind.label}; {found[key]:,} were exported",
                    why="What was not exported is missing from the fleet.",
                    fix="Export it again, all queries of --show-queries into one file.",
                )
            )

    def _take(self, facts: AccountFacts) -> None:
        account = self._registered(facts.server, facts.name, facts.kind, facts.source)
        account.is_replica = account.is_replica or facts.is_replica
        for column in ("authentication", "session_security", "sslrequired"):
            value, known = getattr(facts, column), getattr(account, column)
            if not known:
                setattr(account, column, value)
            elif value and value != known:
                # One account of the kit for a node and an administrator: the careful side.
                careful = max(value, known, key=("", "Strict", "LDAP", "Yes").__contains__)
                setattr(account, column, careful)
                self._report(facts, column, known, value, careful)

    def _report(self, facts: AccountFacts, column: str, known: str, value: str, taken: str) -> None:
        self.findings.append(
            finding_at(
                facts.source,
                rule="account-contradiction",
                severity=Severity.WARNING,
                subject=f"{facts.name} on {facts.server}",
                what=f"{column} is {value} here and {known} elsewhere; {taken} was taken",
                why="A node and an administrator of one name count as one account.",
                fix="Nothing to do if they are two accounts; else export the server again.",
            )
        )


def _filled(node: NodeFacts, other: NodeFacts) -> NodeFacts:
    """Return the newer of two rows of one node, with what only the other one says."""
    newer, older = (other, node) if other.last_access > node.last_access else (node, other)
    missing = {
        column: getattr(older, column)
        for column in ("level", "platform", "tcp_name", "tcp_address", "node_type")
        if not getattr(newer, column)
    }
    return replace(newer, **missing)
