"""Accounts: nodes, administrators and server definitions of each server, by name."""

from collections.abc import Iterator
from dataclasses import dataclass

from planner.domain.findings import Finding, Severity
from planner.domain.fleet import AccountKind
from planner.inventory.importing.evidence import (
    AccountFacts,
    Evidence,
    NodeFacts,
    Source,
    import_finding,
)
from planner.inventory.importing.server_book import Row, ServerBook


@dataclass(slots=True, kw_only=True)
class Registered:
    """One account; a node and an administrator of one name are one, with the stricter state."""

    server: str
    name: str
    kind: AccountKind
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
            if account.node is None:
                account.node = node
        for facts in evidence.accounts:
            self._take(facts)

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
        return known

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
            import_finding(
                rule="account-contradiction",
                severity=Severity.WARNING,
                subject=f"{facts.name} on {facts.server}",
                what=f"{column} is {value} here and {known} elsewhere; {taken} was taken",
                why="A node and an administrator of one name count as one account.",
                fix="Nothing to do if they are two accounts; else export the server again.",
                file=facts.source.file,
                line=facts.source.line,
            )
        )
