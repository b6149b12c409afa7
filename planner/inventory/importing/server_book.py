"""Servers: what several exports say of each, and which one an address or a stanza means."""

from typing import Final

from planner.domain.findings import Finding, Severity
from planner.inventory.importing.evidence import (
    Evidence,
    ServerFacts,
    Source,
    Stanza,
    finding_at,
)

Row = dict[str, str]
"""A row of a table of the fleet, by column; a column that is missing is empty."""

_FACTS: Final = ("level", "authentication", "tls12", "tcpport", "ssltcpport", "address")


class ServerBook:
    """Servers by name, and names by address; a name is shown as it was first met."""

    def __init__(self, evidence: Evidence) -> None:
        self.findings: list[Finding] = []
        self.rows: dict[str, Row] = {}
        self.sources: dict[str, Source] = {}
        self._by_address: dict[str, str] = {}
        self._guessed: set[tuple[str, str]] = set()
        for facts in evidence.servers:
            self._take(facts)
        for row in list(self.rows.values()):
            self._learn(row.get("address", ""), row["server"])
        for partner in evidence.partners:
            if partner.name.casefold() in self.rows:
                self._learn(partner.address, self.name(partner.name))

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self.rows

    def name(self, text: str) -> str:
        """Return a server's name as it was first met; a new name as it stands."""
        return self.row(text).get("server", text)

    def row(self, name: str) -> Row:
        """Return what is known of a server; nothing of one that is not known."""
        return self.rows.get(name.casefold(), {})

    def add_unknown(self, name: str, source: Source, *, address: str = "") -> str:
        """Add a server that something refers to and no export is of; returns its name."""
        if name in self:
            return self.name(name)
        self.rows[name.casefold()] = {"server": name, "address": address}
        self.sources[name.casefold()] = source
        self._learn(address, name)
        self.findings.append(
            finding_at(
                source,
                rule="server-not-exported",
                severity=Severity.WARNING,
                subject=name,
                what="clients call this server, and no export is of it",
                why="Its level is unknown, so it counts as old.",
                fix="Run the queries of --show-queries on it, or give its level in servers.csv.",
            )
        )
        return name

    def called_by(self, stanza: Stanza) -> str:
        """Return the server that a stanza leads to: by its address, else by the stanza's name."""
        if not stanza.address:
            return self.add_unknown(stanza.alias, stanza.source)
        address = stanza.address.casefold()
        known = self._by_address.get(address)
        if known is not None:
            return known
        label = address.partition(".")[0]
        for name in (stanza.alias, label if not label.isdecimal() else ""):
            if name and name in self:
                self._report_guess(stanza, self.name(name))
                return self.name(name)
        name = stanza.alias or stanza.address
        return self.add_unknown(name, stanza.source, address=stanza.address)

    def _take(self, facts: ServerFacts) -> None:
        row = self.rows.setdefault(facts.name.casefold(), {"server": facts.name})
        self.sources.setdefault(facts.name.casefold(), facts.source)
        for column in _FACTS:
            value = getattr(facts, column)
            if not value:
                continue
            known = row.setdefault(column, value)
            if known.casefold() != value.casefold() and column != "address":
                self._report_contradiction(facts, column, known, value)

    def _learn(self, address: str, name: str) -> None:
        if address:
            self._by_address.setdefault(address.casefold(), name)
            row = self.rows[name.casefold()]
            if not row.get("address"):
                row["address"] = address

    def _report_contradiction(
        self, facts: ServerFacts, column: str, known: str, value: str
    ) -> None:
        self.findings.append(
            finding_at(
                facts.source,
                rule="server-contradiction",
                severity=Severity.WARNING,
                subject=facts.name,
                what=f"{column} is {value} here and {known} in an earlier line, which was taken",
                why="One server has one level and one setting at a time; an export may be old.",
                fix="Export it again, and give the newest files alone.",
            )
        )

    def _report_guess(self, stanza: Stanza, name: str) -> None:
        key = (name.casefold(), stanza.address.casefold())
        if key in self._guessed:
            return
        self._guessed.add(key)
        row = self.rows[name.casefold()]
        address = row.get("address", "")
        if not address:
            row["address"] = stanza.address
        self.findings.append(
            finding_at(
                stanza.source,
                rule="server-by-name",
                severity=Severity.NOTE if not address else Severity.WARNING,
                subject=name,
                what=f"{stanza.address} was taken for this server by its name alone"
                + (f"; its address is {address}" if address else ""),
                why="A client connects to an address; that it is this server's is not exported.",
                fix="Check the address, and correct servers.csv or the options file.",
            )
        )
