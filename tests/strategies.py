"""Random small fleets: a plain function of a random generator, and Hypothesis strategies of it.

The fleets are valid, but crowded with everything that the semantics distinguish: the choices are
weighted so that no mode, reason, verdict, use case or kind of automatic distribution is rare.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import strategies as st

from tests.oracle import Case, Row

OLD_LEVELS = ("5.5.0", "6.2.0", "6.3.0", "7.1.7", "8.1.0", "8.1.1", "6.2.5.1")
NEW_LEVELS = (
    "7.1.8",
    "7.1.8.1",
    "7.1.9",
    "8.1.2",
    "8.1.2.1",
    "8.1.3",
    "8.1.4",
    "8.1.6",
    "8.1.10",
    "8.1.11",
    "8.1.13.2",
    "8.2.0",
)
# Levels at which a server still presents an MD5 certificate, or a client refuses it.
MD5_LEVELS = ("7.1.8", "7.1.8.1", "8.1.2", "8.1.2.1", "8.1.3")
# Levels that know TLS 1.3.
MODERN_LEVELS = ("8.1.11", "8.1.13.2", "8.2.0")
SESSION_KINDS = {
    "": 20,
    "backup": 10,
    "api": 10,
    "admin": 12,
    "vm": 12,
    "failover": 12,
    "storage-agent": 12,
    "server": 12,
    "library": 14,
}
CLIENT_KINDS = ("", "backup", "api", "admin", "vm", "storage-agent", "operations-center", "server")
OPTION_VALUES = {
    "ssl": ("Yes", "yes", "No", "NO", ""),
    "sslrequired": ("Default", "Yes", "No", "ServerOnly", "SERVERONLY", ""),
    "sslacceptcertfromserv": ("Yes", "No", ""),
    "sslfipsmode": ("Yes", "No", ""),
    "ssldisablelegacytls": ("Yes", "No", ""),
    "lanfreessl": ("Yes", "No", ""),
    "replsslport": ("1555", ""),
    "tcpport": ("1500", "1543", ""),
    "commmethod": ("TCPIP", "V6TCPIP", "SHAREDMEM", "SHAREDMEMORY", "NAMEDPIPES", "NamedPipe", ""),
}


def cases(*, max_sessions: int = 15) -> st.SearchStrategy[Case]:
    """Draw a random valid fleet with its plan."""
    return st.builds(
        lambda seed, sessions: random_case(random.Random(seed), sessions=sessions),
        st.integers(min_value=0, max_value=2**32 - 1),
        st.integers(min_value=1, max_value=max_sessions),
    )


def random_case(rng: random.Random, *, sessions: int = 15) -> Case:
    """Return a random valid fleet with at most `sessions` sessions; same seed, same fleet."""
    return _Draw(rng, sessions).case()


class _Draw:
    """One random fleet in the making; each method draws one file."""

    def __init__(self, rng: random.Random, max_sessions: int) -> None:
        self.rng = rng
        self.max_sessions = max_sessions
        self.start = date(2025, 2, 24) + timedelta(days=rng.randrange(14))
        self.n_days = rng.choice((1, 15, 25, 40, 60, 60, 80, 100))
        self.end = self.start + timedelta(days=self.n_days)
        # Many things happen on few days, so that same-day rules are met often.
        busy = [rng.randrange(self.n_days) for _ in range(rng.randint(2, 5))]
        self.busy_days = [self.start + timedelta(days=n) for n in busy]
        self.is_md5_fleet = rng.random() < 0.2
        self.writes_dates_as_text = rng.random() < 0.5
        self.accept_share = rng.choice((0.3, 0.6, 0.95))
        self.is_modern_fleet = rng.random() < 0.25
        self.trust_share = rng.choice((0.15, 0.4, 0.8))
        self.servers: list[Row] = []
        self.clients: list[Row] = []
        self.accounts: list[Row] = []
        self.sessions: list[Row] = []
        self.certificates: list[Row] = []
        self.trust: list[Row] = []
        self.plan: list[Row] = []
        self.upgrade_days: dict[str, list[date]] = {}  # endpoint -> days of its upgrades

    def case(self) -> Case:
        """Draw all files."""
        self.draw_servers_and_certificates()
        self.draw_clients()
        self.draw_sessions()
        self.draw_accounts()
        self.draw_trust()
        is_drafted = self.chance(0.15)
        self.draw_upgrade_columns(share=0.7 if is_drafted else 0.15)
        if not is_drafted:
            self.draw_plan()
        return Case(
            toml=self.toml(),
            servers=self.servers,
            clients=self.clients,
            accounts=self.accounts,
            sessions=self.sessions,
            certificates=self.certificates,
            trust=self.trust,
            plan=None if is_drafted else self.plan,
        )

    # --- Small draws ---

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.rng.random() < probability

    def odd_case(self, name: str) -> str:
        """Refer to a name, now and then in another letter case."""
        return self.rng.choice((name, name, name, name.lower(), name.upper(), name.swapcase()))

    def level(self, new_share: float) -> str:
        """Draw a level near the thresholds."""
        is_new = self.chance(new_share)
        if is_new and self.is_md5_fleet and self.chance(0.8):
            return self.rng.choice(MD5_LEVELS)
        if is_new and self.is_modern_fleet and self.chance(0.8):
            return self.rng.choice(MODERN_LEVELS)
        return self.rng.choice(NEW_LEVELS if is_new else OLD_LEVELS)

    def day(self) -> date:
        """Draw the day of an action: mostly a busy one, sometimes outside the horizon."""
        draw = self.rng.random()
        if draw < 0.55:
            return self.rng.choice(self.busy_days)
        if draw < 0.63:
            return self.start
        if draw < 0.93:
            return self.start + timedelta(days=self.rng.randrange(self.n_days))
        outside = (-30, -1, self.n_days, self.n_days + 1, self.n_days + 20)
        return self.start + timedelta(days=self.rng.choice(outside))

    # --- Files ---

    def toml(self) -> dict[str, object]:
        """Draw fleet.toml."""
        rng = self.rng

        def written(day: date) -> str | date:
            return day.isoformat() if self.writes_dates_as_text else day

        def some_day() -> date:
            return self.start + timedelta(days=rng.randrange(-15, self.n_days + 3))

        toml: dict[str, object] = {
            "name": "random fleet",
            "start": written(self.start),
            "end": written(self.end),
        }
        if self.chance(0.8):
            policy: dict[str, object] = {"lead_days": rng.randint(0, 7)}
            if self.chance(0.5):
                policy["automatic_distribution"] = self.chance(0.5)
            toml["policy"] = policy
        calendar: dict[str, object] = {}
        if self.chance(0.3):
            weekdays = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
            calendar["working_days"] = rng.sample(weekdays, k=rng.randint(1, 7))
        if self.chance(0.5):
            holidays = {some_day() for _ in range(rng.randint(1, 6))}
            calendar["holidays"] = [written(day) for day in sorted(holidays)]
        if self.chance(0.4):
            calendar["freeze"] = [
                {
                    "name": f"freeze {number}",
                    "start": written(first := some_day()),
                    "end": written(first + timedelta(days=rng.randint(1, 12))),
                }
                for number in range(rng.randint(1, 3))
            ]
        if calendar:
            toml["calendar"] = calendar
        return toml

    def draw_servers_and_certificates(self) -> None:
        """Draw servers.csv and certificates.csv: every way in which a server shows itself."""
        rng = self.rng
        roots = [f"root-{letter}" for letter in "ab"[: rng.randint(1, 2)]]
        for root in roots:
            if self.chance(0.75):  # else not described: as an issuer a root
                kind = rng.choice(("root", "root", "self-signed"))
                self.add_certificate(root, kind=kind, recorded=0.0)
        if self.chance(0.5):
            issuer = rng.choice(roots) if self.chance(0.8) else ""
            self.add_certificate("Issuing-CA", kind="intermediate", issuer=issuer, recorded=0.0)
            roots.append("Issuing-CA")
        for number in range(1, rng.randint(1, 5) + 1):
            name = rng.choice(("SRV{}", "srv{}", "Vault{}")).format(number)
            certificate = self.draw_certificates_of(name, roots)
            self.servers.append(
                {
                    "server": name,
                    "level": "" if self.chance(0.03) else self.level(new_share=0.4),
                    "authentication": rng.choice(("", "", "", "Local", "local", "LDAP")),
                    "certificate": certificate,
                    "tls12": rng.choice(("", "No", "Yes", "yes")),
                    "tcpport": rng.choice(("", "1500", "1500")),
                    "ssltcpport": rng.choice(("", "1543")),
                }
            )

    def draw_certificates_of(self, name: str, issuers: Sequence[str]) -> str:
        """Draw what certificates.csv records for a server, and return what it presents."""
        rng = self.rng
        if self.chance(0.6 if self.is_md5_fleet else 0.06):
            presented = f"{name}-md5"
            issuer = rng.choice(issuers) if self.chance(0.15) else ""
            self.add_certificate(presented, issuer=issuer, server=name, signature="md5WithRSA")
        elif self.chance(0.3):
            presented = ""  # its own name
            if self.chance(0.5):
                self.add_certificate(name, kind="self-signed", server=name)
        elif self.chance(0.3):
            presented = f"{name}-self"
            if self.chance(0.7):  # else not described: self-signed
                self.add_certificate(presented, server=name)
        else:
            presented = f"{name}-leaf"
            kind, issuer = rng.choice(("", "leaf")), rng.choice(issuers)
            if self.chance(0.12):
                kind, issuer = rng.choice(("leaf", "intermediate")), ""
            self.add_certificate(presented, kind=kind, issuer=issuer, server=name)
        if self.chance(0.3):
            issuer = rng.choice(issuers) if self.chance(0.4) else ""
            self.add_certificate(f"{name}-new", issuer=issuer, server=name, recorded=0.9)
        if self.chance(0.3):
            self.add_certificate(f"{name}-cert256", server=name, recorded=0.7)
        return self.odd_case(presented) if self.is_described(presented) else presented

    def is_described(self, name: str) -> bool:
        """Tell whether certificates.csv has this name; only then may its letter case vary."""
        return any(row["certificate"] == name for row in self.certificates)

    def add_certificate(
        self,
        name: str,
        *,
        kind: str = "",
        issuer: str = "",
        server: str = "",
        signature: str = "",
        recorded: float = 0.8,
    ) -> None:
        """Describe one certificate; a few expire, a few begin late."""
        rng = self.rng
        not_before = not_after = available = ""
        if self.chance(0.2):
            offset = rng.choice((-400, -400, -10, 5, 12))
            not_before = (self.start + timedelta(days=offset)).isoformat()
        if self.chance(0.2):
            offset = rng.choice((20, self.n_days, self.n_days // 2 + 14, 900, 900))
            not_after = (self.start + timedelta(days=offset)).isoformat()
        if not_before and not_after and not_after <= not_before:
            not_after = ""  # never valid would be a fault of the file
        if self.chance(0.15):
            offset = rng.choice((-3, 5, 15, 30))
            available = (self.start + timedelta(days=offset)).isoformat()
        if not signature:
            signature = rng.choice(("", "sha256WithRSAEncryption", "SHA256"))
        self.certificates.append(
            {
                "certificate": name,
                "kind": kind,
                "issuer": self.odd_case(issuer) if self.is_described(issuer) else issuer,
                "not_before": not_before,
                "not_after": not_after,
                "signature": signature,
                "server": self.odd_case(server) if self.chance(recorded) else "",
                "available": available,
                "file": "",
            }
        )

    def draw_clients(self) -> None:
        """Draw clients.csv: old, new, of unknown level, or still to be installed."""
        rng = self.rng
        for number in range(1, rng.randint(1, 8) + 1):
            name = rng.choice(("BA{:02}", "ba{:02}", "Node{}")).format(number)
            self.clients.append(
                {
                    "client": name,
                    "level": "" if self.chance(0.25) else self.level(new_share=0.35),
                    "kind": rng.choice(CLIENT_KINDS),
                }
            )
        if self.chance(0.05):  # a name in both files: the row of clients.csv counts
            name = rng.choice(self.servers)["server"]
            self.clients.append({"client": name, "level": self.level(0.5), "kind": "server"})

    def draw_sessions(self) -> None:
        """Draw sessions.csv: shared accounts, several key databases, servers as initiators."""
        rng = self.rng
        keys = set()
        for _ in range(rng.randint(min(3, self.max_sessions), self.max_sessions)):
            server = rng.choice(self.servers)["server"]
            initiators = [row["server"] for row in self.servers if row["server"] != server]
            is_server = bool(initiators) and self.chance(0.2)
            client = rng.choice(initiators) if is_server else rng.choice(self.clients)["client"]
            weights = tuple(SESSION_KINDS.values())
            kind = rng.choices(tuple(SESSION_KINDS), weights)[0]
            if is_server and self.chance(0.7):
                kind = rng.choice(("server", "server", "library"))
            account = rng.choice(("", "", "", "shared-admin", "shared-admin", "VM-pool"))
            key_database = rng.choice(("", "", "", "default", "api", "User2"))
            key = tuple(
                part.casefold()
                for part in (client, server, account or client, key_database or "default")
            )
            if key in keys or client == server:
                continue
            keys.add(key)
            self.sessions.append(
                {
                    "client": self.odd_case(client),
                    "server": self.odd_case(server),
                    "account": account,
                    "kind": kind,
                    "ssl": rng.choice(("", "No", "no", "Yes", "Yes", "YES")),
                    "sslrequired": rng.choice(("", "", "", "Default", "default", "Yes", "No", "No"))
                    if not self.chance(0.05)
                    else "ServerOnly",
                    "sslacceptcertfromserv": "Yes"
                    if self.chance(self.accept_share)
                    else rng.choice(("", "No")),
                    "sslfipsmode": rng.choice(("", "", "No", "Yes")),
                    "ssldisablelegacytls": rng.choice(("", "", "", "No", "Yes")),
                    "lanfreessl": rng.choice(("", "", "Yes")),
                    "replsslport": rng.choice(("", "", "1555")),
                    "tcpport": rng.choice(("", "", "1543", "1543", "1500")),
                    "commmethod": rng.choice(OPTION_VALUES["commmethod"])
                    if self.chance(0.2)
                    else "",
                    "key_database": key_database,
                    "weight": rng.choice(("", "", "1", "3", "0.5", "2")),
                    "encrypt_data": rng.choice(("", "No", "Yes")),
                }
            )

    def draw_accounts(self) -> None:
        """Draw accounts.csv: some accounts of the sessions, and some that no session has."""
        rng = self.rng
        used = {
            (row["server"].casefold(), (row["account"] or row["client"]).casefold())
            for row in self.sessions
        }
        for server, account in [*sorted(used), (self.servers[0]["server"], "Spare-Admin")]:
            if self.chance(0.5):
                self.accounts.append(
                    {
                        "server": self.odd_case(server),
                        "account": account.title(),
                        "kind": rng.choice(("", "node", "admin")),
                        "authentication": rng.choice(("", "", "", "Local", "LDAP", "ldap")),
                        "session_security": rng.choice(("", "", "Transitional", "Strict")),
                        "sslrequired": rng.choice(("", "", "Default", "No", "Yes", "ServerOnly")),
                    }
                )

    def certificates_near(self, server: str) -> list[str]:
        """Return the names that have to do with a server: what it shows, its chain, its others."""
        row = next(row for row in self.servers if row["server"].casefold() == server.casefold())
        presented = row["certificate"] or row["server"]
        names = [presented, presented]
        described = {row["certificate"].casefold(): row for row in self.certificates}
        while (link := described.get(names[-1].casefold())) is not None and link["issuer"]:
            names += [link["issuer"]] * 8  # the anchor, mostly
        names += [
            row["certificate"]
            for row in self.certificates
            if row["server"].casefold() == server.casefold()
        ]
        if "md5" in presented:
            names += [f"{row['server']}-cert256"] * 4
        names.append(f"{row['server']}-renewed")
        return [self.odd_case(name) if self.is_described(name) else name for name in names]

    def draw_trust(self) -> None:
        """Draw trust.csv: right and wrong certificates, in place or due to arrive."""
        rng = self.rng
        seen = set()
        for session in self.sessions:
            if not self.chance(self.trust_share):
                continue
            certificate = rng.choice(self.certificates_near(session["server"]))
            key_database = session["key_database"] or rng.choice(("", "default"))
            client = session["client"]
            key = (client.casefold(), (key_database or "default").casefold())
            if (key, certificate.casefold()) in seen:
                continue
            seen.add((key, certificate.casefold()))
            since = ""
            if self.chance(0.3):
                days = (self.start, self.start - timedelta(days=9), self.day())
                since = rng.choice(days).isoformat()
            self.trust.append(
                {
                    "client": self.odd_case(client),
                    "key_database": self.odd_case(key_database),
                    "certificate": certificate,
                    "since": since,
                }
            )

    def draw_upgrade_columns(self, share: float) -> None:
        """Draw the upgrade columns of servers.csv and clients.csv."""
        for row in [*self.servers, *self.clients]:
            if self.chance(share):
                row["target_level"] = self.level(new_share=0.9)
                if self.chance(0.9):
                    row["upgrade"] = self.day().isoformat()

    # --- plan.csv ---

    def act(self, day: date, action: str, **cells: str) -> None:
        """Add one action."""
        self.plan.append({"date": day.isoformat(), "action": action, **cells})

    def draw_plan(self) -> None:
        """Draw plan.csv: all ten actions, in no order."""
        rng = self.rng
        for row in self.servers:
            for probability, new_share in ((0.7, 0.9), (0.1, 0.5)):
                if self.chance(probability):
                    level, name = self.level(new_share), self.odd_case(row["server"])
                    self.act(self.upgrade_day(name), "upgrade-server", server=name, value=level)
        for row in self.clients:
            self.draw_client_actions(row["client"], bool(row["level"]))
        for session in self.sessions:
            self.draw_session_actions(session)
        for row in self.servers:
            if self.chance(0.25):
                certificate = rng.choice(self.certificates_near(row["server"]))
                column = rng.choice(("certificate", "value"))
                self.act(
                    self.day(),
                    "replace-certificate",
                    server=self.odd_case(row["server"]),
                    **{column: certificate},
                )
            if self.chance(0.08):
                self.act(
                    self.day(),
                    "set-authentication",
                    server=self.odd_case(row["server"]),
                    value=rng.choice(("LDAP", "Local")),
                )
        if self.chance(0.2):
            self.draw_actions_on_unknown_names()
        rng.shuffle(self.plan)

    def draw_client_actions(self, name: str, is_installed: bool) -> None:
        """Draw upgrades, installations, retirements and reinstallations of one client."""
        client = self.odd_case(name)
        if not is_installed and self.chance(0.85):
            level = self.level(new_share=0.85)
            self.act(self.upgrade_day(name), "install-client", client=client, value=level)
        for probability, new_share in ((0.6 if is_installed else 0.25, 0.9), (0.15, 0.5)):
            if self.chance(probability):
                level = self.level(new_share)
                self.act(self.upgrade_day(name), "upgrade-client", client=client, value=level)
        if self.chance(0.12):
            self.act(day := self.day(), "retire-client", client=client)
            if self.chance(0.6):
                again = day + timedelta(days=self.rng.choice((0, 1, 5, 12)))
                level = self.level(new_share=0.7)
                self.act(again, "install-client", client=client, value=level)

    def upgrade_day(self, name: str) -> date:
        """Draw the day of an upgrade and remember it, for the imports to come near it."""
        day = self.day()
        self.upgrade_days.setdefault(name.casefold(), []).append(day)
        return day

    def day_of_import(self, session: Row) -> date:
        """Draw a day shortly before, on, or after an upgrade of one of the two ends."""
        ends = (session["client"].casefold(), session["server"].casefold())
        days = [day for end in ends for day in self.upgrade_days.get(end, [])]
        offset = self.rng.choice((-21, -14, -10, -8, -7, -6, -4, -3, -2, -1, 0, 0, 0, 0, 1, 6))
        return self.rng.choice(days or self.busy_days) + timedelta(days=offset)

    def draw_session_actions(self, session: Row) -> None:
        """Draw imports, removals, options, resets and authentication changes of one session."""
        rng = self.rng
        client, server = self.odd_case(session["client"]), self.odd_case(session["server"])
        account = session["account"] or session["client"]
        key_database = session["key_database"]
        if self.chance(0.6):
            certificate = rng.choice(self.certificates_near(server))
            self.act(
                day := self.day_of_import(session),
                "import-certificate",
                client=client,
                key_database=self.odd_case(key_database),
                certificate=certificate,
            )
            if self.chance(0.2):
                self.act(
                    day + timedelta(days=rng.choice((0, 1, 4))),
                    "remove-certificate",
                    client=client,
                    key_database=self.odd_case(key_database),
                    certificate=certificate,
                )
        if self.chance(0.1):
            self.act(
                self.day(),
                "remove-certificate",
                client=client,
                key_database=key_database,
                certificate=rng.choice(self.certificates_near(server)),
            )
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            options = ["ssl", "sslrequired", "sslacceptcertfromserv", *OPTION_VALUES]
            self.act(
                self.day(),
                "set-option",
                client=client,
                server=rng.choice(("", server)),
                account=rng.choice(("", self.odd_case(account))),
                key_database=rng.choice(("", self.odd_case(key_database))),
                option=(option := rng.choice(options)),
                value=rng.choice(OPTION_VALUES[option]),
            )
        if self.chance(0.15):
            self.act(
                self.day(),
                "set-session-security",
                server=server,
                account=self.odd_case(account),
                value=rng.choice(("Transitional", "transitional", "Strict")),
            )
        if self.chance(0.06):
            self.act(
                self.day(),
                "set-authentication",
                server=server,
                account=self.odd_case(account),
                value=rng.choice(("LDAP", "Local")),
            )

    def draw_actions_on_unknown_names(self) -> None:
        """Draw actions that name what no fleet file knows; they have no effect."""
        client, server = self.clients[0]["client"], self.servers[0]["server"]
        rows: tuple[tuple[str, Row], ...] = (
            ("upgrade-server", {"server": "nowhere", "value": "8.1.11"}),
            ("upgrade-client", {"client": server, "value": "8.1.11"}),
            ("install-client", {"client": "ghost", "value": "8.1.11"}),
            ("retire-client", {"client": "ghost"}),
            ("import-certificate", {"client": "ghost", "certificate": "root-a"}),
            ("import-certificate", {"client": client, "certificate": "no-such-certificate"}),
            (
                "import-certificate",
                {"client": client, "key_database": "k", "certificate": "root-a"},
            ),
            ("remove-certificate", {"client": "ghost", "certificate": "root-a"}),
            ("set-option", {"client": "ghost", "option": "ssl", "value": "Yes"}),
            (
                "set-option",
                {"client": client, "server": "nowhere", "option": "ssl", "value": "Yes"},
            ),
            ("replace-certificate", {"server": "nowhere", "certificate": "root-a"}),
            ("set-session-security", {"server": server, "account": "nobody", "value": "Strict"}),
            ("set-session-security", {"server": "nowhere", "account": "a", "value": "Strict"}),
            ("set-authentication", {"server": server, "account": "nobody", "value": "LDAP"}),
            ("set-authentication", {"server": "nowhere", "value": "LDAP"}),
        )
        for action, cells in self.rng.sample(rows, k=4):
            self.act(self.day(), action, **cells)
