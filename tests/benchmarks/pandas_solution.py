"""The same job in pandas: states as intervals, cut by merges, decided by `np.select`.

A good one: no row-wise Python, no `apply`; tables by number are indexed instead of merged, only
rows that depend on trust and strictness are merged with them, and the states are put in order by
one sort of packed integers.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER
from planner.domain.fleet import Authentication, Flags, SessionKind
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
_SUCCESS: Final = ["account", "lo", "hi"]
_NEEDING: Final = [
    number
    for (mode, _, _), number in STATE.items()
    if mode in (Mode.LEGACY_SSL, Mode.TLS_PARTIAL, Mode.TLS_FULL)
]

States = NDArray[np.uint8] | int


def solve(plan: Plan) -> Answer:
    """Compute states and deadlines of a plan."""
    return _Solution(plan).answer()


def _state(mode: Mode, tls: str = "") -> int:
    return STATE[mode, Reason.NONE, tls]


def _where(holds: Flags, yes: States, no: States) -> NDArray[np.uint8]:
    return np.where(holds, np.uint8(yes), np.uint8(no))


def _has(facts: NDArray[np.uint16], fact: LevelFact) -> Flags:
    return np.asarray(facts & int(fact) != 0)


def _cut(rows: pd.DataFrame, segments: pd.DataFrame, on: str) -> pd.DataFrame:
    """Cut rows `[lo, hi)` by the segments `[begin, until)` of the same key."""
    rows = rows.merge(segments, on=on)
    rows["lo"] = np.maximum(rows["lo"].to_numpy(), rows.pop("begin").to_numpy())
    rows["hi"] = np.minimum(rows["hi"].to_numpy(), rows.pop("until").to_numpy())
    return rows[rows["lo"].to_numpy() < rows["hi"].to_numpy()]


def _segments(rows: pd.DataFrame, key: str, end: int) -> pd.DataFrame:
    """Turn dated values, the last of a day winning, into segments that end with the next one."""
    keys, days = rows[key].to_numpy(), rows["begin"].to_numpy()
    order = np.argsort(keys.astype(np.int64) << 32 | days.astype(np.int64), kind="stable")
    keys, days = keys[order], days[order]
    is_last = np.ones(len(keys), dtype=np.bool_)
    is_last[:-1] = keys[1:] != keys[:-1]
    until = np.full(len(keys), end, dtype=np.int32)
    until[:-1][~is_last[:-1]] = days[1:][~is_last[:-1]]
    keep = is_last | (until != days)
    rows = rows.iloc[order[keep]].reset_index(drop=True)
    rows["until"] = until[keep]
    return rows


class _Solution:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        fleet = plan.fleet
        self.start, self.end = fleet.start, fleet.end
        self.span = self.end - self.start
        sessions, servers = fleet.sessions, fleet.servers
        actions = pd.DataFrame(
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
            },
            copy=False,
        )
        self.actions = actions[(plan.day >= self.start) & (plan.day < self.end)]
        server = server_rows(plan)
        self.servers = pd.DataFrame(
            {
                "server": server.server,
                "begin": server.begin,
                "until": server.until,
                "server_facts": server.facts.astype(np.uint16),
                "anchor": np.where(server.is_complete, server.anchor, -1 - server.anchor),
                "is_valid": server.is_valid,
                "is_md5": server.is_md5,
                "server_ldap": servers.ldap[server.server],
                "tls12": servers.tls12[server.server],
            }
        )
        self.known = pd.DataFrame(
            {"server": server.known_server, "certificate": server.known_certificate}
        )
        self.sessions = pd.DataFrame(
            {
                "session": np.arange(len(sessions), dtype=np.int32),
                "client": sessions.client,
                "server": sessions.server,
                "account": sessions.account,
                "database": sessions.key_database,
                "kind": sessions.kind,
                "options": sessions.options,
                "port": sessions.port,
            },
            copy=False,
        )
        self.stretches = self._stretches()
        self.is_special = np.zeros(len(fleet.accounts), dtype=np.bool_)
        self.is_special[self.stretches["account"].to_numpy()] = True
        self.entries = self._entries()

    def answer(self) -> Answer:
        rows = self._rows()
        is_new_server = _has(rows["server_facts"].to_numpy(), LevelFact.NEW)
        is_new_client = _has(rows["client_facts"].to_numpy(), LevelFact.NEW)
        is_local = rows["options"].to_numpy() & LOCAL_BIT != 0
        ssl = rows["ssl"].to_numpy()
        local = rows[is_local]
        is_old_client = ~is_local & is_new_server & ~is_new_client
        is_old_server = ~is_local & ~is_new_server
        asking = [
            self._old_server(rows[is_old_server & ssl]),
            self._old_client(rows[is_old_client & ssl]),
            self._both_new(rows[~is_local & is_new_server & is_new_client]),
        ]
        both = local["client_facts"].to_numpy() & local["server_facts"].to_numpy()
        turning = local.loc[_has(both, LevelFact.LOCAL_TURNS_STRICT), _SUCCESS]

        found = self._deadlines(self._needing(asking, turning))
        trusted, strict = self._trusted(pd.concat(asking, ignore_index=True), turning)
        is_old = trusted["branch"].to_numpy() == _OLD_CLIENT
        without_ssl = rows[is_old_server & ~ssl]
        plain = self._cut_by_account(rows[is_old_client & ~ssl], strict)
        packed = np.concatenate(
            [
                self._packed(local, _state(Mode.LOCAL)),
                self._packed(without_ssl, self._no_ssl(without_ssl, with_account=True)),
                self._packed(
                    plain,
                    _where(
                        plain["is_strict"].to_numpy(),
                        refused(Reason.STRICT_ACCOUNT),
                        self._no_ssl(plain, with_account=False),
                    ),
                ),
                self._by_trust(trusted[~is_old].assign(is_strict=False)),
                self._by_trust(self._cut_by_account(trusted[is_old], strict)),
            ]
        )
        packed.sort()
        key, state = np.divmod(packed, _STATES)
        session, day = np.divmod(key, self.span)
        begins = np.ones(len(packed), dtype=np.bool_)
        begins[1:] = (session[1:] != session[:-1]) | (state[1:] != state[:-1])
        return Answer(
            session=session[begins].astype(np.int32),
            start=(day[begins] + self.start).astype(np.int32),
            state=state[begins].astype(np.uint8),
            key_database=found["database"].to_numpy(),
            anchor=found["anchor"].to_numpy(),
            needed=found["needed"].to_numpy(),
            planned=found["planned"].to_numpy(),
            latest_safe=found["latest_safe"].to_numpy(),
            verdict=found["verdict"].to_numpy(),
        )

    # --- what is true without trust and strictness ---------------------------------------------

    def _levels(self) -> pd.DataFrame:
        fleet, actions = self.plan.fleet, self.actions
        n_clients = len(fleet.clients)
        facts = facts_of_texts(self.plan).astype(np.uint16)
        action = actions["action"].to_numpy()
        of_server = action == Action.UPGRADE_SERVER
        endpoint = np.where(of_server, actions["server"] + n_clients, actions["client"])
        is_upgrade = of_server | (action == Action.UPGRADE_CLIENT)
        upgrades = actions[is_upgrade]
        return _segments(
            pd.DataFrame(
                {
                    "client": np.concatenate(
                        [np.arange(fleet.n_endpoints, dtype=np.int32), endpoint[is_upgrade]]
                    ),
                    "begin": np.concatenate(
                        [np.full(fleet.n_endpoints, self.start, dtype=np.int32), upgrades["day"]]
                    ),
                    "client_facts": np.concatenate([fleet.level_facts(), facts[upgrades["value"]]]),
                }
            ),
            "client",
            self.end,
        )

    def _option_segments(self, option: int, shift: int, sessions: pd.DataFrame) -> pd.DataFrame:
        """Segments of one option of the given sessions, where it changes."""
        fleet = self.plan.fleet
        yes = self.plan.vocabulary.texts.index("Yes")
        actions = self.actions
        changes = actions.loc[
            (actions["action"] == Action.SET_OPTION) & (actions["option"] == option),
            ["client", "server", "account_name", "database_name", "day", "value"],
        ].rename(columns={"server": "on_server", "day": "begin"})
        rows = sessions[np.isin(sessions["client"], changes["client"])].merge(changes, on="client")
        server, account = rows["on_server"].to_numpy(), rows["account_name"].to_numpy()
        database = rows["database_name"].to_numpy()
        rows = rows[
            ((server < 0) | (server == rows["server"]))
            & ((account < 0) | (account == fleet.accounts.name_number[rows["account"]]))
            & ((database < 0) | (database == fleet.key_databases.name_number[rows["database"]]))
        ]
        first = sessions[np.isin(sessions["session"], rows["session"])]
        return _segments(
            pd.DataFrame(
                {
                    "session": np.concatenate([first["session"], rows["session"]]),
                    "begin": np.concatenate(
                        [np.full(len(first), self.start, dtype=np.int32), rows["begin"]]
                    ),
                    "is_yes": np.concatenate(
                        [first["options"].to_numpy() >> shift & 1 == 1, rows["value"] == yes]
                    ),
                }
            ),
            "session",
            self.end,
        )

    def _rows(self) -> pd.DataFrame:
        """Sessions cut at every change of SSL, client level and server."""
        accounts = self.plan.fleet.accounts
        ssl = self._option_segments(OPTIONS.index(SSL), SSL.shift, self.sessions)
        changes = np.zeros(len(self.sessions), dtype=np.bool_)
        changes[ssl["session"].to_numpy()] = True
        constant = self.sessions[~changes]
        rows = pd.concat(
            [
                constant.assign(
                    lo=np.int32(self.start),
                    hi=np.int32(self.end),
                    ssl=constant["options"].to_numpy() & 1 == 1,
                ),
                self.sessions[changes]
                .merge(ssl, on="session")
                .rename(columns={"begin": "lo", "until": "hi", "is_yes": "ssl"}),
            ],
            ignore_index=True,
        )
        rows = _cut(_cut(rows, self._levels(), "client"), self.servers, "server")
        authentication = accounts.authentication[rows["account"].to_numpy()]
        rows["ldap"] = np.where(
            authentication == Authentication.OF_SERVER,
            rows.pop("server_ldap").to_numpy(),
            authentication == Authentication.LDAP,
        )
        return rows

    # --- the decision --------------------------------------------------------------------------

    def _no_ssl(self, rows: pd.DataFrame, *, with_account: bool) -> NDArray[np.uint8]:
        """State of sessions without SSL and with an old end."""
        required = rows["options"].to_numpy() >> SSLREQUIRED.shift & 3
        ldap = rows["ldap"].to_numpy()
        by_server = ldap
        if with_account:
            account = self.plan.fleet.accounts.sslrequired[rows["account"].to_numpy()]
            by_server = np.isin(account, _ASKS) | ((account == Required.DEFAULT) & ldap)
        by_client = np.isin(required, _ASKS) | ((required == Required.DEFAULT) & ldap)
        return _where(
            by_client,
            refused(Reason.SSL_REQUIRED_BY_CLIENT),
            _where(by_server, refused(Reason.SSL_REQUIRED_BY_SERVER), _state(Mode.PLAINTEXT)),
        )

    def _asking(
        self,
        rows: pd.DataFrame,
        branch: int,
        *,
        faults: list[tuple[Flags, Reason]],
        otherwise: tuple[States, States, States],
        receives: NDArray[np.uint8] | int,
    ) -> pd.DataFrame:
        """Rows that ask for trust, with their state for each answer.

        `faults` come before trust; `otherwise` are the states with nothing, another, and the right
        certificate.
        """
        columns = ["session", "database", "account", "server", "lo", "hi", "anchor"]
        asking = rows[columns].copy()
        for name, state in zip(("nothing", "other", "right"), otherwise, strict=True):
            decided = np.broadcast_to(np.asarray(state, dtype=np.uint8), len(rows))
            for holds, reason in reversed(faults):
                decided = _where(holds, refused(reason), decided)
            asking[name] = decided
        asking["branch"] = np.uint8(branch)
        asking["is_good"] = np.isin(asking["right"], _NEEDING)
        asking["receives"] = np.asarray(receives, dtype=np.uint8)
        return asking

    def _old_server(self, rows: pd.DataFrame) -> pd.DataFrame:
        servers, server = self.plan.fleet.servers, rows["server"].to_numpy()
        port = rows["port"].to_numpy()
        port = np.where(port == 0, servers.tcpport[server], port)
        ssl_port = servers.ssltcpport[server]
        no_legacy = rows["options"].to_numpy() >> SSLDISABLELEGACYTLS.shift & 1 == 1
        tls12 = rows["tls12"].to_numpy()
        legacy = _where(tls12, _state(Mode.LEGACY_SSL, TLS_12), _state(Mode.LEGACY_SSL, TLS_LOWER))
        return self._asking(
            rows,
            _OLD_SERVER,
            faults=[
                ((port != 0) & (ssl_port != 0) & (port != ssl_port), Reason.SSL_PORT),
                (no_legacy & ~tls12, Reason.TLS_LEVEL),
            ],
            otherwise=_after_trust(rows, legacy),
            receives=_NEVER_RECEIVES,
        )

    def _old_client(self, rows: pd.DataFrame) -> pd.DataFrame:
        return self._asking(
            rows,
            _OLD_CLIENT,
            faults=[(_has(rows["client_facts"].to_numpy(), LevelFact.BELOW_63), Reason.TLS_LEVEL)],
            otherwise=_after_trust(rows, _state(Mode.LEGACY_SSL, TLS_12)),
            receives=_NEVER_RECEIVES,
        )

    def _both_new(self, rows: pd.DataFrame) -> pd.DataFrame:
        client, kind = rows["client_facts"].to_numpy(), rows["kind"].to_numpy()
        both = client & rows["server_facts"].to_numpy()
        not_valid = ~rows["is_valid"].to_numpy()
        md5_refused = _has(client, LevelFact.REFUSES_MD5) & rows["is_md5"].to_numpy()
        tls13, ssl = _has(both, LevelFact.TLS13), rows["ssl"].to_numpy()
        full, partial = (
            _where(tls13, _state(mode, TLS_13), _state(mode, TLS_12))
            for mode in (Mode.TLS_FULL, Mode.TLS_PARTIAL)
        )
        of_partner = np.select(
            [
                kind == SessionKind.STORAGE_AGENT,
                kind == SessionKind.LIBRARY,
            ],
            [
                ~_has(client, LevelFact.IS_812),
                _has(both, LevelFact.LIBRARY_814 | LevelFact.LIBRARY_718),
            ],
            default=kind == SessionKind.SERVER,
        )
        is_client = (kind < SessionKind.STORAGE_AGENT) & ~rows["ldap"].to_numpy()
        return self._asking(
            rows,
            _BOTH_NEW,
            faults=[(not_valid, Reason.EXPIRED), (md5_refused, Reason.MD5_CERTIFICATE)],
            otherwise=(
                refused(Reason.UNTRUSTED),
                refused(Reason.WRONG_CERTIFICATE),
                _where(ssl, full, partial),
            ),
            receives=np.select(
                [
                    not_valid | md5_refused | (rows["anchor"].to_numpy() < 0),
                    of_partner,
                    is_client,
                ],
                [_NEVER_RECEIVES, _PARTNER_RECEIVES, _CLIENT_RECEIVES],
                default=_NEVER_RECEIVES,
            ).astype(np.uint8),
        )

    # --- trust ---------------------------------------------------------------------------------

    def _entries(self) -> pd.DataFrame:
        """First day on which each certificate is in each key database."""
        fleet, trust, actions = self.plan.fleet, self.plan.fleet.trust, self.actions
        databases = pd.DataFrame(
            {
                "database": np.arange(len(fleet.key_databases), dtype=np.int32),
                "client": fleet.key_databases.endpoint,
                "database_name": fleet.key_databases.name_number,
            }
        )
        imports = actions.loc[
            actions["action"] == Action.IMPORT_CERTIFICATE,
            ["client", "database_name", "certificate", "day"],
        ].merge(databases, on=["client", "database_name"])
        in_place = pd.DataFrame(
            {
                "database": trust.key_database,
                "certificate": trust.certificate,
                "day": np.where(trust.since <= self.start, np.int32(ALWAYS), trust.since),
            }
        )
        columns = ["database", "certificate", "day"]
        return _first_days(pd.concat([in_place[in_place["day"] < self.end], imports[columns]]))

    def _with_trust(self, rows: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
        """Add when the anchor is trusted, and when a first certificate of the server is there."""
        rows = rows.assign(
            trusted=_days_of(rows, entries.rename(columns={"certificate": "anchor"}), "anchor"),
            known=np.int32(NEVER),
        )
        # Other certificates matter only to rows that do not begin trusted.
        is_late = (rows["trusted"] > rows["lo"]).to_numpy()
        late = rows[is_late]
        known = (
            late[["database", "server"]]
            .drop_duplicates()
            .merge(entries, on="database")
            .merge(self.known, on=["server", "certificate"])
        )
        known = _least(known, ["database", "server"], "day")
        rows.loc[is_late, "known"] = _days_of(late, known, "server")
        return rows

    def _trusted(
        self, asking: pd.DataFrame, turning: pd.DataFrame
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Trust of all rows that ask for it, automatic distribution included, and strictness."""
        rows = self._with_trust(asking, self.entries)
        accepting = self._accepting(rows)
        sent = self._automatic(rows, accepting, self._strict(turning.iloc[:0]))
        if len(sent):
            concerned = np.isin(asking["database"], sent["database"])
            mine, rest = asking[concerned], rows[~concerned]
            rows = pd.concat(
                [rest, self._distributed(mine, rest, turning, accepting)], ignore_index=True
            )
        return rows, self._strict(pd.concat([turning, _successes(rows)]))

    def _distributed(
        self,
        asking: pd.DataFrame,
        rest: pd.DataFrame,
        turning: pd.DataFrame,
        accepting: pd.DataFrame,
    ) -> pd.DataFrame:
        """Trust of the rows of key databases that receive anchors.

        Repeated until nothing changes: a day depends on earlier days alone, so there is one end.
        """
        fixed = pd.concat([turning, _successes(rest)])
        fixed = fixed[np.isin(fixed["account"], asking["account"])]
        held = self.entries[np.isin(self.entries["database"], asking["database"])]
        sent = pd.DataFrame(
            {name: np.zeros(0, dtype=np.int32) for name in ("session", "database", "anchor", "day")}
        )
        while True:
            entered = sent[["database", "anchor", "day"]].rename(columns={"anchor": "certificate"})
            entered["day"] = entered["day"].to_numpy() + np.int32(1)
            morning = self._with_trust(asking, _first_days(pd.concat([held, entered])))
            # The receiver itself is trusted on the day itself.
            rows = morning.merge(
                sent[["session", "anchor", "day"]], on=["session", "anchor"], how="left"
            )
            own = rows.pop("day").fillna(NEVER).astype(np.int32)
            rows["trusted"] = np.minimum(rows["trusted"], own)
            strict = self._strict(pd.concat([fixed, _successes(rows)]))
            again = self._automatic(morning, accepting, strict)
            if again.equals(sent):
                return rows
            sent = again

    def _accepting(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Segments in which the sessions that may depend on it have SSLACCEPTCERTFROMSERV Yes."""
        depends = (rows["receives"] == _CLIENT_RECEIVES) & (
            np.minimum(rows["trusted"], rows["known"]) > rows["lo"]
        )
        sessions = self.sessions.iloc[np.unique(rows.loc[depends, "session"])]
        shift = SSLACCEPTCERTFROMSERV.shift
        segments = self._option_segments(OPTIONS.index(SSLACCEPTCERTFROMSERV), shift, sessions)
        constant = sessions[
            ~np.isin(sessions["session"], segments["session"])
            & (sessions["options"].to_numpy() >> shift & 1 == 1)
        ]
        accepting: pd.DataFrame = pd.concat(
            [
                segments.loc[segments["is_yes"], ["session", "begin", "until"]],
                constant[["session"]].assign(begin=np.int32(self.start), until=np.int32(self.end)),
            ]
        )
        return accepting

    def _automatic(
        self, rows: pd.DataFrame, accepting: pd.DataFrame, strict: pd.DataFrame
    ) -> pd.DataFrame:
        """First automatic distribution of each anchor to each key database, and to whom."""
        nothing = rows[rows["receives"].to_numpy() != _NEVER_RECEIVES]
        nothing = nothing.assign(
            hi=np.minimum(nothing["hi"], np.minimum(nothing["trusted"], nothing["known"]))
        )
        nothing = nothing[nothing["lo"] < nothing["hi"]]
        receives = nothing["receives"].to_numpy()
        # What an account is at the start of the day decides: a success counts from the next day.
        shift = strict["by_success"].to_numpy().astype(np.int32)
        is_strict = strict["is_strict"].to_numpy()
        morning = strict.assign(
            begin=strict["begin"].to_numpy() + shift * is_strict,
            until=strict["until"].to_numpy() + shift * ~is_strict,
        )
        clients = self._cut_by_account(
            _cut(nothing[receives == _CLIENT_RECEIVES], accepting, "session"), morning
        )
        clients = clients[~clients["is_strict"]]
        columns = ["session", "database", "anchor", "lo"]
        partners = nothing[receives == _PARTNER_RECEIVES]
        first = (
            _least(pd.concat([partners[columns], clients[columns]]), columns[:3], "lo")
            .rename(columns={"lo": "day"})
            .sort_values(["session", "anchor"])
        )
        soonest = first.groupby(["database", "anchor"])["day"].transform("min")
        return first[first["day"] == soonest].reset_index(drop=True)

    # --- strictness ----------------------------------------------------------------------------

    def _strict(self, successes: pd.DataFrame) -> pd.DataFrame:
        """Segments of accounts that are strict at some time: account, begin, until, is_strict.

        `by_success` marks both segments beside a success. Accounts that the fleet or a reset makes
        different from the others are few.
        """
        is_special = self.is_special[successes["account"].to_numpy()]
        simple = _least(successes[~is_special], ["account"], "lo")
        simple = simple.rename(columns={"lo": "day"}).assign(
            begin=np.int32(self.start), until=np.int32(self.end), by_success=True
        )
        special = self.stretches.merge(successes[is_special], on="account", how="left")
        begin, until = special["begin"], special["until"]
        falls_in = (special["lo"] < until) & (special["hi"] > begin)
        special["day"] = np.where(falls_in, np.maximum(special["lo"], begin), until).astype(
            np.int32
        )
        special = _least(special, ["account", "begin", "until", "is_strict"], "day")
        is_strict = special.pop("is_strict").to_numpy()
        special["by_success"] = ~is_strict & (special["day"] < special["until"])
        special["day"] = np.where(is_strict, special["begin"], special["day"])
        stretches = pd.concat([simple, special], ignore_index=True)
        return pd.concat(
            [
                stretches.drop(columns="until")
                .rename(columns={"day": "until"})
                .assign(is_strict=False),
                stretches.drop(columns="begin")
                .rename(columns={"day": "begin"})
                .assign(is_strict=True),
            ],
            ignore_index=True,
        )

    def _stretches(self) -> pd.DataFrame:
        """Stretches between resets of the accounts that have one, or are strict from the start."""
        accounts, actions = self.plan.fleet.accounts, self.actions
        strict_text = self.plan.vocabulary.texts.index(SessionSecurity.STRICT.name.capitalize())
        resets = actions[actions["action"] == Action.SET_SESSION_SECURITY]
        by_name = pd.DataFrame(
            {
                "account": np.arange(len(accounts), dtype=np.int32),
                "server": accounts.server,
                "account_name": accounts.name_number,
            }
        )
        resets = resets.merge(by_name, on=["server", "account_name"])
        has_stretch = accounts.strict.copy()
        has_stretch[resets["account"].to_numpy()] = True
        first = np.flatnonzero(has_stretch).astype(np.int32)
        return _segments(
            pd.DataFrame(
                {
                    "account": np.concatenate([first, resets["account"]]),
                    "begin": np.concatenate(
                        [np.full(len(first), self.start, dtype=np.int32), resets["day"]]
                    ),
                    "is_strict": np.concatenate(
                        [accounts.strict[first], resets["value"] == strict_text]
                    ),
                }
            ),
            "account",
            self.end,
        )

    def _cut_by_account(self, rows: pd.DataFrame, strict: pd.DataFrame) -> pd.DataFrame:
        """Cut rows where their account turns strict or is reset."""
        turns = np.zeros(len(self.is_special), dtype=np.bool_)
        turns[strict["account"].to_numpy()] = True
        depends = turns[rows["account"].to_numpy()]
        segments = strict[["account", "begin", "until", "is_strict"]]
        cut: pd.DataFrame = pd.concat(
            [rows[~depends].assign(is_strict=False), _cut(rows[depends], segments, "account")],
            ignore_index=True,
        )
        return cut

    # --- results -------------------------------------------------------------------------------

    def _packed(
        self, rows: pd.DataFrame, state: States, lo: NDArray[np.int32] | None = None
    ) -> NDArray[np.int64]:
        """Session, day and state of rows as one sortable integer."""
        day = rows["lo"].to_numpy() if lo is None else lo
        key = rows["session"].to_numpy().astype(np.int64) * self.span + (day - self.start)
        return np.asarray(key * _STATES + state)

    def _by_trust(self, rows: pd.DataFrame) -> NDArray[np.int64]:
        """Rows cut where the server's certificates enter the key database."""
        lo, hi = rows["lo"].to_numpy(), rows["hi"].to_numpy()
        trusted, known = rows["trusted"].to_numpy(), rows["known"].to_numpy()
        is_strict = rows["is_strict"].to_numpy()
        states = {
            name: _where(is_strict, refused(Reason.STRICT_ACCOUNT), rows[name].to_numpy())
            for name in ("nothing", "other", "right")
        }
        at_start = _where(
            trusted <= lo, states["right"], _where(known <= lo, states["other"], states["nothing"])
        )
        enters = (lo < trusted) & (trusted < hi)
        follows = (lo < known) & (known < np.minimum(hi, trusted))
        return np.concatenate(
            [
                self._packed(rows, at_start),
                self._packed(rows[enters], states["right"][enters], trusted[enters]),
                self._packed(rows[follows], states["other"][follows], known[follows]),
            ]
        )

    def _needing(
        self,
        asking: list[pd.DataFrame],
        turning: pd.DataFrame,
    ) -> pd.DataFrame:
        """Rows that need their anchor in the world in which every session trusts everything."""
        old_server, old_client, both_new = asking
        # There, only old clients with SSL depend on strictness.
        good = both_new[both_new["is_good"]]
        concerned = np.zeros(len(self.is_special), dtype=np.bool_)
        concerned[old_client["account"].to_numpy()] = True
        successes = pd.concat([turning, good[_SUCCESS]])
        strict = self._strict(successes[concerned[successes["account"].to_numpy()]])
        remaining = self._cut_by_account(old_client[old_client["is_good"]], strict)
        columns = ["database", "anchor", "lo"]
        return pd.concat(
            [
                good[columns],
                old_server.loc[old_server["is_good"], columns],
                remaining.loc[~remaining["is_strict"], columns],
            ]
        )

    def _deadlines(self, needing: pd.DataFrame) -> pd.DataFrame:
        fleet = self.plan.fleet
        certificates = fleet.certificates
        rows = _least(needing, ["database", "anchor"], "lo")
        entries = self.entries.rename(columns={"certificate": "anchor"})
        planned, needed = _days_of(rows, entries, "anchor"), rows["lo"].to_numpy()
        anchor = rows["anchor"].to_numpy()
        anchor = np.where(anchor < 0, -1 - anchor, anchor).astype(np.int32)
        latest_safe = fleet.calendar.latest_safe_days(self.start, self.end)[needed - self.start]
        opens = np.where(
            certificates.available == ALWAYS, certificates.not_before, certificates.available
        )[anchor]
        tests = (
            (planned == ALWAYS, Verdict.IN_PLACE),
            (opens > needed, Verdict.IMPOSSIBLE),
            (planned == NEVER, Verdict.MISSING),
            (planned <= latest_safe, Verdict.OK),
            (planned < needed, Verdict.TIGHT),
            (planned == needed, Verdict.SAME_DAY),
        )
        verdict = np.select(
            [holds for holds, _ in tests],
            [_VERDICT[value] for _, value in tests],
            default=_VERDICT[Verdict.LATE],
        ).astype(np.uint8)
        return pd.DataFrame(
            {
                "database": rows["database"].to_numpy(),
                "anchor": anchor,
                "needed": needed,
                "planned": planned,
                "latest_safe": latest_safe,
                "verdict": verdict,
            }
        ).sort_values(["database", "anchor"])


def _first_days(entries: pd.DataFrame) -> pd.DataFrame:
    """First day of each certificate in each key database."""
    return _least(entries, ["database", "certificate"], "day")


def _least(rows: pd.DataFrame, by: list[str], day: str) -> pd.DataFrame:
    """Least day of each group."""
    least: pd.DataFrame = rows.groupby(by, sort=False)[day].min().reset_index()
    return least


def _days_of(rows: pd.DataFrame, days: pd.DataFrame, column: str) -> NDArray[np.int32]:
    """Day of each row by key database and one more column; `NEVER` where there is none."""
    key = rows["database"].to_numpy().astype(np.int64) << 32 | rows[column].to_numpy()
    of_day = days["database"].to_numpy().astype(np.int64) << 32 | days[column].to_numpy()
    place = pd.Index(of_day).get_indexer(key)
    day = np.append(days["day"].to_numpy(), np.int32(NEVER))
    return np.asarray(day[place])


def _after_trust(rows: pd.DataFrame, state: States) -> tuple[States, States, States]:
    """States with nothing, another and the right certificate, where validity comes after trust."""
    valid = _where(rows["is_valid"].to_numpy(), state, refused(Reason.EXPIRED))
    return refused(Reason.UNTRUSTED), refused(Reason.WRONG_CERTIFICATE), valid


def _successes(rows: pd.DataFrame) -> pd.DataFrame:
    """Where sessions of two new ends succeed: account, lo, hi."""
    succeeds = (
        (rows["branch"].to_numpy() == _BOTH_NEW)
        & rows["is_good"].to_numpy()
        & (rows["trusted"].to_numpy() < rows["hi"].to_numpy())
    )
    found: pd.DataFrame = rows.loc[succeeds, [*_SUCCESS, "trusted"]]
    found["lo"] = np.maximum(found["lo"], found.pop("trusted"))
    return found
