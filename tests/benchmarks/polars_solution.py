"""The same job in Polars: states as intervals, cut by joins, decided by when/then.

The best that could be found: rows are only as wide as they must be, trust and strictness are
looked up for the rows that depend on them, tables by number are gathered instead of joined, and
the states are put in order by one sort of packed integers.
"""

from typing import Final

import numpy as np
import polars as pl

from planner.domain.calendar import ALWAYS, NEVER
from planner.domain.fleet import Authentication, SessionKind
from planner.domain.levels import LevelFact
from planner.domain.options import (
    LOCAL_BIT,
    OPTIONS,
    SSL,
    SSLACCEPTCERTFROMSERV,
    SSLDISABLELEGACYTLS,
    SSLREQUIRED,
    Required,
)
from planner.domain.plan import Action, Plan, SessionSecurity
from planner.domain.rules import TLS_12, TLS_13, TLS_LOWER, VERDICTS, Mode, Reason, Verdict
from tests.benchmarks.peers import STATE, Answer, facts_of_texts, refused, server_rows

_ASKS: Final = [int(Required.YES), int(Required.SERVER_ONLY)]
_VERDICT: Final = {verdict: number for number, verdict in enumerate(VERDICTS)}
_STATES: Final = 64
"""More than there are states: a packed integer is (session, day) times this, plus the state."""

_OLD_SERVER, _OLD_CLIENT, _BOTH_NEW = range(3)
_NEVER_RECEIVES, _PARTNER_RECEIVES, _CLIENT_RECEIVES = range(3)
_SUCCESS: Final = ("account", "lo", "hi")
_NEEDING: Final = [
    number
    for (mode, _, _), number in STATE.items()
    if mode in (Mode.LEGACY_SSL, Mode.TLS_PARTIAL, Mode.TLS_FULL)
]

lo, hi = pl.col("lo"), pl.col("hi")


def solve(plan: Plan) -> Answer:
    """Compute states and deadlines of a plan."""
    return _Solution(plan).answer()


def _code(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt8)


def _state(mode: Mode, tls: str = "") -> pl.Expr:
    return _code(STATE[mode, Reason.NONE, tls])


def _refused(reason: Reason) -> pl.Expr:
    return _code(refused(reason))


def _has(column: str, fact: LevelFact) -> pl.Expr:
    return pl.col(column) & int(fact) != 0


def _cut(rows: pl.LazyFrame, segments: pl.LazyFrame, on: str) -> pl.LazyFrame:
    """Cut rows `[lo, hi)` by the segments `[begin, until)` of the same key."""
    return (
        rows.join(segments, on=on)
        .with_columns(
            lo=pl.max_horizontal("lo", "begin"),
            hi=pl.min_horizontal("hi", "until"),
        )
        .drop("begin", "until")
        .filter(lo < hi)
    )


def _segments(rows: pl.LazyFrame, key: str, values: list[str], end: int) -> pl.LazyFrame:
    """Turn dated values, the last of a day winning, into segments that end with the next one."""
    is_last = pl.col(key) != pl.col(key).shift(-1).fill_null(-1)
    return (
        rows.sort(key, "begin", maintain_order=True)
        .filter(is_last | (pl.col("begin") != pl.col("begin").shift(-1)))
        .with_columns(until=pl.when(is_last).then(end).otherwise(pl.col("begin").shift(-1)))
        .select(key, "begin", pl.col("until").cast(pl.Int32), *values)
    )


class _Solution:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        fleet = plan.fleet
        self.start, self.end = fleet.start, fleet.end
        self.span = self.end - self.start
        sessions, accounts, servers = fleet.sessions, fleet.accounts, fleet.servers
        self.actions = pl.LazyFrame(
            {
                "action": plan.action,
                "day": plan.day,
                "client": plan.client,
                "server": plan.server,
                "account_name": plan.account,
                "database_name": plan.key_database,
                "certificate": plan.certificate,
                "option": plan.option,
                "value": plan.value,
            }
        ).filter(pl.col("day").is_between(self.start, self.end, closed="left"))
        server = server_rows(plan)
        self.servers = pl.LazyFrame(
            {
                "server": server.server,
                "begin": server.begin,
                "until": server.until,
                "server_facts": server.facts.astype(np.uint16),
                "anchor": server.anchor,
                "is_complete": server.is_complete,
                "is_valid": server.is_valid,
                "is_md5": server.is_md5,
                "server_ldap": servers.ldap[server.server],
                "tls12": servers.tls12[server.server],
            }
        )
        self.known = pl.LazyFrame(
            {"server": server.known_server, "certificate": server.known_certificate}
        )
        self.sessions = pl.LazyFrame(
            {
                "session": np.arange(len(sessions), dtype=np.int32),
                "client": sessions.client,
                "server": sessions.server,
                "account": sessions.account,
                "database": sessions.key_database,
                "kind": sessions.kind,
                "options": sessions.options,
                "port": sessions.port,
            }
        )
        self.authentication = pl.Series(accounts.authentication)
        self.account_required = pl.Series(accounts.sslrequired)
        self.account_name = pl.Series(accounts.name_number)
        self.database_name = pl.Series(fleet.key_databases.name_number)
        self.tcpport, self.ssltcpport = pl.Series(servers.tcpport), pl.Series(servers.ssltcpport)
        stretches = self._stretches().collect()
        self.stretches = stretches.lazy()
        special = np.zeros(len(accounts), dtype=np.bool_)
        special[stretches["account"].to_numpy()] = True
        self.is_special = pl.Series(special)
        self.entries = self._entries().collect()

    def answer(self) -> Answer:
        rows = self._rows()
        is_new_server = _has("server_facts", LevelFact.NEW)
        is_new_client = _has("client_facts", LevelFact.NEW)
        is_local, with_ssl = pl.col("options") & LOCAL_BIT != 0, pl.col("ssl")
        local = rows.filter(is_local)
        rows = rows.filter(~is_local)
        old_server = rows.filter(~is_new_server)
        old_client = rows.filter(is_new_server & ~is_new_client)
        asking = [
            self._old_server(old_server.filter(with_ssl)),
            self._old_client(old_client.filter(with_ssl)),
            self._both_new(rows.filter(is_new_server & is_new_client)),
        ]
        both = pl.col("client_facts") & pl.col("server_facts")
        turning = local.filter(both & int(LevelFact.LOCAL_TURNS_STRICT) != 0).select(*_SUCCESS)

        found = self._deadlines(self._needing(asking, turning))
        trusted, strict = self._trusted(pl.concat(asking), turning)
        kind = pl.col("branch")
        packed = pl.concat(
            [
                self._packed(local, _state(Mode.LOCAL)),
                self._packed(old_server.filter(~with_ssl), self._no_ssl(with_account=True)),
                self._packed(
                    self._cut_by_account(old_client.filter(~with_ssl).lazy(), strict),
                    pl.when("is_strict")
                    .then(_refused(Reason.STRICT_ACCOUNT))
                    .otherwise(self._no_ssl(with_account=False)),
                ),
                self._by_trust(trusted.filter(kind != _OLD_CLIENT).with_columns(is_strict=False)),
                self._by_trust(
                    self._cut_by_account(
                        trusted.filter(kind == _OLD_CLIENT).lazy(), strict
                    ).collect()
                ),
            ]
        ).sort()
        key = pl.col("packed") // _STATES
        session = pl.col("session")
        segments = (
            packed.to_frame("packed")
            .lazy()
            .select(
                session=(key // self.span).cast(pl.Int32),
                start=(key % self.span + self.start).cast(pl.Int32),
                state=(pl.col("packed") % _STATES).cast(pl.UInt8),
            )
            .filter(
                (session != session.shift(1).fill_null(-1))
                | (pl.col("state") != pl.col("state").shift(1).fill_null(_STATES))
            )
            .collect()
        )
        return Answer(
            session=segments["session"].to_numpy(),
            start=segments["start"].to_numpy(),
            state=segments["state"].to_numpy(),
            key_database=found["database"].to_numpy(),
            anchor=found["anchor"].to_numpy(),
            needed=found["needed"].to_numpy(),
            planned=found["planned"].to_numpy(),
            latest_safe=found["latest_safe"].to_numpy(),
            verdict=found["verdict"].to_numpy(),
        )

    # --- what is true without trust and strictness ---------------------------------------------

    def _levels(self) -> pl.LazyFrame:
        fleet = self.plan.fleet
        n_clients = len(fleet.clients)
        facts = pl.Series(facts_of_texts(self.plan).astype(np.uint16))
        action, of_server = pl.col("action"), int(Action.UPGRADE_SERVER)
        upgrades = self.actions.filter(
            (action == of_server) | (action == int(Action.UPGRADE_CLIENT))
        ).select(
            client=pl.when(action == of_server)
            .then(pl.col("server") + n_clients)
            .otherwise("client")
            .cast(pl.Int32),
            begin="day",
            client_facts=pl.lit(facts).gather(pl.col("value")),
        )
        first = pl.LazyFrame(
            {
                "client": np.arange(fleet.n_endpoints, dtype=np.int32),
                "begin": np.full(fleet.n_endpoints, self.start, dtype=np.int32),
                "client_facts": fleet.level_facts(),
            }
        )
        return _segments(pl.concat([first, upgrades]), "client", ["client_facts"], self.end)

    def _option_changes(self, option: int) -> pl.LazyFrame:
        """Changes of one option by session: session, begin, value."""
        yes = self.plan.vocabulary.texts.index("Yes")
        changes = self.actions.filter(
            (pl.col("action") == int(Action.SET_OPTION)) & (pl.col("option") == option)
        ).select(
            "client",
            "account_name",
            "database_name",
            on_server="server",
            begin="day",
            value=pl.col("value") == yes,
        )
        account_name = pl.lit(self.account_name).gather(pl.col("account"))
        database_name = pl.lit(self.database_name).gather(pl.col("database"))
        return (
            self.sessions.join(changes, on="client", maintain_order="left_right")
            .filter(
                ((pl.col("on_server") < 0) | (pl.col("on_server") == pl.col("server")))
                & ((pl.col("account_name") < 0) | (pl.col("account_name") == account_name))
                & ((pl.col("database_name") < 0) | (pl.col("database_name") == database_name))
            )
            .select("session", "begin", "value")
        )

    def _option_segments(self, option: int, shift: int, sessions: pl.LazyFrame) -> pl.LazyFrame:
        """Segments of one option of the sessions for which it changes."""
        changes = self._option_changes(option).join(sessions, on="session", how="semi")
        first = self.sessions.join(changes, on="session", how="semi").select(
            "session",
            begin=pl.lit(self.start, dtype=pl.Int32),
            value=pl.col("options") // (1 << shift) % 2 == 1,
        )
        return _segments(pl.concat([first, changes]), "session", ["value"], self.end)

    def _rows(self) -> pl.DataFrame:
        """Sessions cut at every change of SSL, client level and server."""
        ssl = self._option_segments(
            OPTIONS.index(SSL), SSL.shift, self.sessions.select("session")
        ).rename({"value": "ssl"})
        authentication = pl.lit(self.authentication).gather(pl.col("account"))
        rows = (
            self.sessions.join(ssl, on="session", how="left")
            .with_columns(
                lo=pl.col("begin").fill_null(self.start),
                hi=pl.col("until").fill_null(self.end),
                ssl=pl.col("ssl").fill_null(pl.col("options") % 2 == 1),
                authentication=authentication,
            )
            .drop("begin", "until")
        )
        rows = _cut(_cut(rows, self._levels(), "client"), self.servers, "server")
        return rows.with_columns(
            ldap=pl.when(pl.col("authentication") == int(Authentication.OF_SERVER))
            .then("server_ldap")
            .otherwise(pl.col("authentication") == int(Authentication.LDAP)),
        ).collect()

    # --- the decision --------------------------------------------------------------------------

    def _no_ssl(self, *, with_account: bool) -> pl.Expr:
        """State of a session without SSL and with an old end."""
        required = pl.col("options") // (1 << SSLREQUIRED.shift) % 4
        by_server = pl.col("ldap")
        if with_account:
            account = pl.lit(self.account_required).gather(pl.col("account"))
            by_server = account.is_in(_ASKS) | ((account == int(Required.DEFAULT)) & pl.col("ldap"))
        return (
            pl.when(required.is_in(_ASKS) | ((required == int(Required.DEFAULT)) & pl.col("ldap")))
            .then(_refused(Reason.SSL_REQUIRED_BY_CLIENT))
            .when(by_server)
            .then(_refused(Reason.SSL_REQUIRED_BY_SERVER))
            .otherwise(_state(Mode.PLAINTEXT))
        )

    def _asking(
        self,
        rows: pl.DataFrame,
        branch: int,
        *,
        faults: list[tuple[pl.Expr, pl.Expr]],
        otherwise: tuple[pl.Expr, pl.Expr, pl.Expr],
        receives: pl.Expr,
    ) -> pl.DataFrame:
        """Rows that ask for trust, with their state for each answer.

        `faults` come before trust; `otherwise` are the states with nothing, another, and the right
        certificate.
        """

        def decide(state: pl.Expr) -> pl.Expr:
            for holds, fault in reversed(faults):
                state = pl.when(holds).then(fault).otherwise(state)
            return state

        trusted = decide(otherwise[2])
        return (
            rows.lazy()
            .with_columns(nothing=decide(otherwise[0]), other=decide(otherwise[1]), right=trusted)
            .select(
                "session",
                "database",
                "account",
                "server",
                "lo",
                "hi",
                anchor=pl.when("is_complete").then("anchor").otherwise(-1 - pl.col("anchor")),
                branch=_code(branch),
                nothing="nothing",
                other="other",
                right="right",
                is_good=pl.col("right").is_in(_NEEDING),
                receives=receives,
            )
            .collect()
        )

    def _old_server(self, rows: pl.DataFrame) -> pl.DataFrame:
        port = (
            pl.when(pl.col("port") == 0)
            .then(pl.lit(self.tcpport).gather(pl.col("server")))
            .otherwise("port")
        )
        ssl_port = pl.lit(self.ssltcpport).gather(pl.col("server"))
        no_legacy = pl.col("options") // (1 << SSLDISABLELEGACYTLS.shift) % 2 == 1
        legacy = (
            pl.when("tls12")
            .then(_state(Mode.LEGACY_SSL, TLS_12))
            .otherwise(_state(Mode.LEGACY_SSL, TLS_LOWER))
        )
        return self._asking(
            rows,
            _OLD_SERVER,
            faults=[
                (
                    (port != 0) & (ssl_port != 0) & (port != ssl_port),
                    _refused(Reason.SSL_PORT),
                ),
                (no_legacy & ~pl.col("tls12"), _refused(Reason.TLS_LEVEL)),
            ],
            otherwise=_after_trust(legacy),
            receives=_code(_NEVER_RECEIVES),
        )

    def _old_client(self, rows: pl.DataFrame) -> pl.DataFrame:
        return self._asking(
            rows,
            _OLD_CLIENT,
            faults=[(_has("client_facts", LevelFact.BELOW_63), _refused(Reason.TLS_LEVEL))],
            otherwise=_after_trust(_state(Mode.LEGACY_SSL, TLS_12)),
            receives=_code(_NEVER_RECEIVES),
        )

    def _both_new(self, rows: pl.DataFrame) -> pl.DataFrame:
        both, kind = pl.col("client_facts") & pl.col("server_facts"), pl.col("kind")
        md5_refused = _has("client_facts", LevelFact.REFUSES_MD5) & pl.col("is_md5")
        tls13 = both & int(LevelFact.TLS13) != 0
        full, partial = (
            pl.when(tls13).then(_state(mode, TLS_13)).otherwise(_state(mode, TLS_12))
            for mode in (Mode.TLS_FULL, Mode.TLS_PARTIAL)
        )
        of_partner = (
            pl.when(kind == int(SessionKind.STORAGE_AGENT))
            .then(~_has("client_facts", LevelFact.IS_812))
            .when(kind == int(SessionKind.LIBRARY))
            .then(both & int(LevelFact.LIBRARY_814 | LevelFact.LIBRARY_718) != 0)
            .otherwise(kind == int(SessionKind.SERVER))
        )
        return self._asking(
            rows,
            _BOTH_NEW,
            faults=[
                (~pl.col("is_valid"), _refused(Reason.EXPIRED)),
                (md5_refused, _refused(Reason.MD5_CERTIFICATE)),
            ],
            otherwise=(
                _refused(Reason.UNTRUSTED),
                _refused(Reason.WRONG_CERTIFICATE),
                pl.when("ssl").then(full).otherwise(partial),
            ),
            receives=pl.when(~pl.col("is_valid") | md5_refused | ~pl.col("is_complete"))
            .then(_code(_NEVER_RECEIVES))
            .when(of_partner)
            .then(_code(_PARTNER_RECEIVES))
            .when((kind < int(SessionKind.STORAGE_AGENT)) & ~pl.col("ldap"))
            .then(_code(_CLIENT_RECEIVES))
            .otherwise(_code(_NEVER_RECEIVES)),
        )

    # --- trust ---------------------------------------------------------------------------------

    def _entries(self) -> pl.LazyFrame:
        """First day on which each certificate is in each key database."""
        fleet, trust = self.plan.fleet, self.plan.fleet.trust
        databases = pl.LazyFrame(
            {
                "database": np.arange(len(fleet.key_databases), dtype=np.int32),
                "client": fleet.key_databases.endpoint,
                "database_name": fleet.key_databases.name_number,
            }
        )
        imports = (
            self.actions.filter(pl.col("action") == int(Action.IMPORT_CERTIFICATE))
            .select("client", "database_name", "certificate", "day")
            .join(databases, on=["client", "database_name"])
            .select("database", "certificate", "day")
        )
        in_place = pl.LazyFrame(
            {
                "database": trust.key_database,
                "certificate": trust.certificate,
                "day": np.where(trust.since <= self.start, np.int32(ALWAYS), trust.since),
            }
        ).filter(pl.col("day") < self.end)
        return (
            pl.concat([in_place, imports])
            .group_by("database", "certificate")
            .agg(pl.col("day").min())
        )

    def _with_trust(self, rows: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
        """Add when the anchor is trusted, and when a first certificate of the server is there."""
        rows = (
            rows.lazy()
            .join(
                entries.lazy().rename({"certificate": "anchor", "day": "trusted"}),
                on=["database", "anchor"],
                how="left",
            )
            .with_columns(pl.col("trusted").fill_null(NEVER))
            .collect()
        )
        # Other certificates matter only to rows that do not begin trusted.
        is_late = pl.col("trusted") > lo
        late = rows.lazy().filter(is_late)
        known = (
            late.select("database", "server")
            .unique()
            .join(entries.lazy(), on="database")
            .join(self.known, on=["server", "certificate"], how="semi")
            .group_by("database", "server")
            .agg(known=pl.col("day").min())
        )
        late = late.join(known, on=["database", "server"], how="left").with_columns(
            pl.col("known").fill_null(NEVER)
        )
        ready = rows.lazy().filter(~is_late).with_columns(known=pl.lit(NEVER, dtype=pl.Int32))
        return pl.concat([ready, late]).collect()

    def _trusted(
        self, asking: pl.DataFrame, turning: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Trust of all rows that ask for it, automatic distribution included, and strictness."""
        rows = self._with_trust(asking, self.entries)
        accepting = self._accepting(rows)
        sent = self._automatic(rows, accepting, self._strict(turning.clear()))
        if len(sent):
            concerned = pl.col("database").is_in(sent["database"].unique().implode())
            mine, rest = asking.filter(concerned), rows.filter(~concerned)
            rows = pl.concat([rest, self._distributed(mine, rest, turning, accepting)])
        return rows, self._strict(pl.concat([turning, _successes(rows)]))

    def _distributed(
        self,
        asking: pl.DataFrame,
        rest: pl.DataFrame,
        turning: pl.DataFrame,
        accepting: pl.DataFrame,
    ) -> pl.DataFrame:
        """Trust of the rows of key databases that receive anchors.

        Repeated until nothing changes: a day depends on earlier days alone, so there is one end.
        """
        fixed = pl.concat([turning, _successes(rest)]).join(asking, on="account", how="semi")
        held = self.entries.join(asking, on="database", how="semi")
        rows = self._with_trust(asking, held)
        sent = self._automatic(rows, accepting, self._strict(fixed)).clear()
        while True:
            entered = sent.select(
                "database", certificate="anchor", day=(pl.col("day") + 1).cast(pl.Int32)
            )
            entries = (
                pl.concat([held, entered])
                .group_by("database", "certificate")
                .agg(pl.col("day").min())
            )
            morning = self._with_trust(asking, entries)
            # The receiver itself is trusted on the day itself.
            rows = (
                morning.join(
                    sent.select("session", "anchor", own="day"),
                    on=["session", "anchor"],
                    how="left",
                )
                .with_columns(trusted=pl.min_horizontal("trusted", "own"))
                .drop("own")
            )
            strict = self._strict(pl.concat([fixed, _successes(rows)]))
            again = self._automatic(morning, accepting, strict)
            if again.equals(sent):
                return rows
            sent = again

    def _accepting(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Segments of SSLACCEPTCERTFROMSERV of the sessions that may ever depend on it."""
        sessions = (
            rows.lazy()
            .filter(
                (pl.col("receives") == _CLIENT_RECEIVES)
                & (pl.min_horizontal("trusted", "known") > lo)
            )
            .select("session")
            .unique()
        )
        shift = SSLACCEPTCERTFROMSERV.shift
        segments = self._option_segments(OPTIONS.index(SSLACCEPTCERTFROMSERV), shift, sessions)
        constant = (
            self.sessions.join(sessions, on="session", how="semi")
            .join(segments, on="session", how="anti")
            .select(
                "session",
                begin=pl.lit(self.start, dtype=pl.Int32),
                until=pl.lit(self.end, dtype=pl.Int32),
                value=pl.col("options") // (1 << shift) % 2 == 1,
            )
        )
        return pl.concat([segments, constant]).filter("value").drop("value").collect()

    def _automatic(
        self, rows: pl.DataFrame, accepting: pl.DataFrame, strict: pl.DataFrame
    ) -> pl.DataFrame:
        """First automatic distribution of each anchor to each key database, and to whom."""
        nothing = (
            rows.lazy()
            .filter(pl.col("receives") != _NEVER_RECEIVES)
            .with_columns(hi=pl.min_horizontal("hi", "trusted", "known"))
            .filter(lo < hi)
        )
        partners = nothing.filter(pl.col("receives") == _PARTNER_RECEIVES)
        # What an account is at the start of the day decides: a success counts from the next day.
        shift = pl.col("by_success").cast(pl.Int32)
        morning = strict.with_columns(
            begin=pl.col("begin") + shift * pl.col("is_strict"),
            until=pl.col("until") + shift * ~pl.col("is_strict"),
        )
        clients = self._cut_by_account(
            _cut(
                nothing.filter(pl.col("receives") == _CLIENT_RECEIVES), accepting.lazy(), "session"
            ),
            morning,
        ).filter(~pl.col("is_strict"))
        wanted = ("session", "database", "anchor", "lo")
        return (
            pl.concat([partners.select(wanted), clients.select(wanted)])
            .group_by("session", "database", "anchor")
            .agg(day=lo.min())
            .filter(pl.col("day") == pl.col("day").min().over("database", "anchor"))
            .sort("session", "anchor")
            .collect()
        )

    # --- strictness ----------------------------------------------------------------------------

    def _strict(self, successes: pl.DataFrame) -> pl.DataFrame:
        """Segments of accounts that are strict at some time: account, begin, until, is_strict.

        `by_success` marks both segments beside a success. Accounts that the fleet or a reset makes
        different from the others are few.
        """
        is_special = pl.lit(self.is_special).gather(pl.col("account"))
        simple = (
            successes.lazy()
            .filter(~is_special)
            .group_by("account")
            .agg(day=lo.min())
            .with_columns(
                b=pl.lit(self.start, dtype=pl.Int32),
                e=pl.lit(self.end, dtype=pl.Int32),
                by_success=True,
            )
        )
        special = (
            self.stretches.join(successes.lazy().filter(is_special), on="account", how="left")
            .with_columns(day=pl.max_horizontal("lo", "b"))
            .with_columns(
                day=pl.when((lo < pl.col("e")) & (hi > pl.col("b"))).then("day").otherwise("e")
            )
            .group_by("account", "b", "e", "strict_before")
            .agg(pl.col("day").min())
            .with_columns(by_success=~pl.col("strict_before") & (pl.col("day") < pl.col("e")))
            .with_columns(day=pl.when("strict_before").then("b").otherwise("day"))
        )
        columns = ("account", "b", "day", "e", "by_success")
        stretches = pl.concat([simple.select(columns), special.select(columns)])
        return pl.concat(
            [
                stretches.select(
                    "account", "by_success", begin="b", until="day", is_strict=pl.lit(False)
                ),
                stretches.select(
                    "account", "by_success", begin="day", until="e", is_strict=pl.lit(True)
                ),
            ]
        ).collect()

    def _stretches(self) -> pl.LazyFrame:
        """Stretches between resets of the accounts that have one, or are strict from the start."""
        fleet = self.plan.fleet
        accounts, texts = fleet.accounts, self.plan.vocabulary.texts
        by_name = pl.LazyFrame(
            {
                "account": np.arange(len(accounts), dtype=np.int32),
                "server": accounts.server,
                "account_name": accounts.name_number,
            }
        )
        strict_text = texts.index(SessionSecurity.STRICT.name.capitalize())
        resets = (
            self.actions.filter(pl.col("action") == int(Action.SET_SESSION_SECURITY))
            .join(by_name, on=["server", "account_name"])
            .select("account", begin="day", strict_before=pl.col("value") == strict_text)
        )
        first = pl.LazyFrame(
            {
                "account": np.arange(len(accounts), dtype=np.int32),
                "begin": np.full(len(accounts), self.start, dtype=np.int32),
                "strict_before": accounts.strict,
            }
        )
        first = pl.concat(
            [
                first.filter("strict_before"),
                first.filter(~pl.col("strict_before")).join(resets, on="account", how="semi"),
            ]
        )
        return _segments(pl.concat([first, resets]), "account", ["strict_before"], self.end).rename(
            {"begin": "b", "until": "e"}
        )

    def _cut_by_account(self, rows: pl.LazyFrame, strict: pl.DataFrame) -> pl.LazyFrame:
        """Cut rows where their account turns strict or is reset."""
        return (
            rows.join(
                strict.lazy().select("account", "begin", "until", "is_strict"),
                on="account",
                how="left",
            )
            .with_columns(
                lo=pl.max_horizontal("lo", "begin"),
                hi=pl.min_horizontal("hi", "until"),
                is_strict=pl.col("is_strict").fill_null(value=False),
            )
            .drop("begin", "until")
            .filter(lo < hi)
        )

    # --- results -------------------------------------------------------------------------------

    def _packed(self, rows: pl.DataFrame | pl.LazyFrame, state: pl.Expr) -> pl.Series:
        """Session, day and state of rows as one sortable integer."""
        key = pl.col("session").cast(pl.Int64) * self.span + (lo - self.start)
        return rows.lazy().select(packed=key * _STATES + state).collect()["packed"]

    def _by_trust(self, rows: pl.DataFrame) -> pl.Series:
        """Rows cut where the server's certificates enter the key database."""
        trusted, known = pl.col("trusted"), pl.col("known")
        strict = _refused(Reason.STRICT_ACCOUNT)

        def unless_strict(state: pl.Expr) -> pl.Expr:
            return pl.when("is_strict").then(strict).otherwise(state)

        at_start = (
            pl.when(trusted <= lo)
            .then("right")
            .when(known <= lo)
            .then("other")
            .otherwise("nothing")
        )
        enters = rows.lazy().filter((lo < trusted) & (trusted < hi)).with_columns(lo=trusted)
        follows = (
            rows.lazy()
            .filter((lo < known) & (known < pl.min_horizontal("hi", "trusted")))
            .with_columns(lo=known)
        )
        return pl.concat(
            [
                self._packed(rows, unless_strict(at_start)),
                self._packed(enters, unless_strict(pl.col("right"))),
                self._packed(follows, unless_strict(pl.col("other"))),
            ]
        )

    def _needing(
        self,
        asking: list[pl.DataFrame],
        turning: pl.DataFrame,
    ) -> pl.LazyFrame:
        """Rows that need their anchor in the world in which every session trusts everything."""
        old_server, old_client, both_new = asking
        # There, only old clients with SSL depend on strictness.
        good = both_new.lazy().filter("is_good")
        successes = pl.concat([turning.lazy(), good.select(*_SUCCESS)])
        strict = self._strict(successes.join(old_client.lazy(), on="account", how="semi").collect())
        remaining = self._cut_by_account(old_client.lazy().filter("is_good"), strict).filter(
            ~pl.col("is_strict")
        )
        wanted = ("database", "anchor", "lo")
        return pl.concat(
            [
                good.select(wanted),
                old_server.lazy().filter("is_good").select(wanted),
                remaining.select(wanted),
            ]
        )

    def _deadlines(self, needing: pl.LazyFrame) -> pl.DataFrame:
        fleet = self.plan.fleet
        certificates = fleet.certificates
        latest_safe = pl.Series(fleet.calendar.latest_safe_days(self.start, self.end))
        opens = pl.Series(
            np.where(
                certificates.available == ALWAYS, certificates.not_before, certificates.available
            )
        )
        needed, planned = pl.col("needed"), pl.col("planned")
        verdicts = (
            (planned == ALWAYS, Verdict.IN_PLACE),
            (pl.lit(opens).gather(pl.col("certificate")) > needed, Verdict.IMPOSSIBLE),
            (planned == NEVER, Verdict.MISSING),
            (planned <= pl.col("latest_safe"), Verdict.OK),
            (planned < needed, Verdict.TIGHT),
            (planned == needed, Verdict.SAME_DAY),
        )
        verdict: pl.Expr = _code(_VERDICT[Verdict.LATE])
        for holds, value in reversed(verdicts):
            verdict = pl.when(holds).then(_code(_VERDICT[value])).otherwise(verdict)
        anchor = pl.col("anchor")
        return (
            needing.group_by("database", "anchor")
            .agg(needed=lo.min())
            .join(
                self.entries.lazy().rename({"certificate": "anchor", "day": "planned"}),
                on=["database", "anchor"],
                how="left",
            )
            .with_columns(
                planned.fill_null(NEVER),
                certificate=pl.when(anchor < 0).then(-1 - anchor).otherwise(anchor),
                latest_safe=pl.lit(latest_safe).gather(needed - self.start),
            )
            .select(
                "database",
                "needed",
                "planned",
                "latest_safe",
                anchor="certificate",
                verdict=verdict,
            )
            .sort("database", "anchor")
            .collect()
        )


def _after_trust(state: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """States with nothing, another and the right certificate, where validity comes after trust."""
    return (
        _refused(Reason.UNTRUSTED),
        _refused(Reason.WRONG_CERTIFICATE),
        pl.when("is_valid").then(state).otherwise(_refused(Reason.EXPIRED)),
    )


def _successes(rows: pl.DataFrame) -> pl.DataFrame:
    """Where sessions of two new ends succeed: account, lo, hi."""
    trusted = pl.col("trusted")
    return (
        rows.lazy()
        .filter((pl.col("branch") == _BOTH_NEW) & pl.col("is_good") & (trusted < hi))
        .select("account", pl.max_horizontal("lo", "trusted"), "hi")
        .collect()
    )
