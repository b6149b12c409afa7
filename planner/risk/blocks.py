"""A fleet cut into blocks of clients that do not influence each other, ready for many runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from planner.domain.calendar import NEVER, Days
from planner.domain.fleet import Flags, Fleet, Numbers
from planner.domain.levels import LevelFact
from planner.domain.rules import Mode
from planner.engine.deadlines import Deadlines
from planner.engine.program import ACCOUNT_IS_SHARED
from planner.engine.retiming import (
    Members,
    Retimable,
    groups_of,
    numbered,
    part_of,
    retimable,
)
from planner.engine.settled import parts_of_clients, parts_of_servers, settled_table
from planner.engine.timeline import Timeline
from planner.engine.timelines import Facts
from planner.engine.walks import receivers
from planner.risk.draws import Draws, endpoints_of, restricted
from planner.risk.model import Block, Dated, Plain, Rest, Rows, flags_of_places, read_only
from planner.risk.pieces import Pieces, pieces_of

SESSIONS_OF_BLOCK: Final = 8_192
"""Sessions that a block has at least; so many, with all that they read, stay in a core's cache."""

_NEW, _INSTALLED = int(LevelFact.NEW), int(LevelFact.INSTALLED)
_REPLACES_MD5 = int(LevelFact.REPLACES_MD5)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Part:
    """A block, and what its numbers mean: rows of the plan's deadlines, places among the draws."""

    block: Block
    deadline: Numbers
    draw: Numbers


def parts_of(found: Deadlines, draws: Draws, size: int = SESSIONS_OF_BLOCK) -> Iterator[Part]:
    """Cut a plan into blocks of at least `size` sessions, one by one.

    Sessions that share an account, or whose endpoint is the same, stay together.
    """
    whole = _Whole(found, draws)
    blocks = _Blocks(whole, size)
    return (whole.part(blocks, number) for number in range(blocks.n))


def refused_days(timeline: Timeline) -> NDArray[np.int32]:
    """Refused days of each session."""
    is_refused = timeline.mode() == Mode.REFUSED
    lengths = np.where(is_refused, timeline.until() - timeline.day, 0)
    sums, first = np.concatenate([[0], np.cumsum(lengths)]), timeline.first
    days: NDArray[np.int32] = (sums[first[1:]] - sums[first[:-1]]).astype(np.int32)
    return days


class _Whole:
    """A plan, its deadlines and its draws, laid out so that blocks are cut by slicing."""

    def __init__(self, found: Deadlines, draws: Draws) -> None:
        plan = found.timeline.plan
        fleet = plan.fleet
        self.fleet, self.draws = fleet, draws
        self._taken, rows = retimable(plan, found.timeline.compiled)
        self._servers = np.arange(len(fleet.clients), fleet.n_endpoints, dtype=np.int32)
        self._before = refused_days(found.timeline)
        self.endpoint_of_draw = endpoints_of(plan)[draws.row]
        place_of_row = np.full(len(plan) + 1, -1, dtype=np.int32)
        place_of_row[draws.row] = np.arange(len(draws.row))
        self._level_day = plan.day[rows.of_level]
        self._level_draw = place_of_row[rows.of_level]
        self._trust_draw = place_of_row[rows.of_trust]
        self._first_level, self._has_level = _only_levels(self._taken)
        self._is_emptied = np.zeros(len(fleet.key_databases), dtype=np.bool_)
        self._is_emptied[self._databases_of_trust()[~self._taken.program.trust_held]] = True
        n_clients = len(fleet.clients)
        pieces, is_plain = pieces_of(
            self._taken.program,
            self._taken.servers,
            self._taken.facts_before[n_clients:],
            self._new_facts()[n_clients:],
            self._maybe_plain(),
        )
        self._is_plain, self._is_receiving = self._kept_plain(is_plain)
        kept = self._is_plain[pieces.session]
        self._pieces = Pieces(*(column[kept] for column in pieces))
        counts = np.bincount(self._pieces.session, minlength=len(fleet.sessions))
        self._piece_first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self._old_parts = self._parts(self._taken.facts_before)
        self._new_parts = self._parts(self._new_facts())
        self._lay_out_rows(found)

    def _new_facts(self) -> Facts:
        """Facts of each endpoint after its only action on its level, if it has one."""
        taken = self._taken
        if not len(taken.level_facts):
            return taken.facts_before
        return np.where(
            self._has_level, taken.level_facts[self._first_level], taken.facts_before
        ).astype(np.uint16)

    def _parts(self, facts: Facts) -> Numbers:
        """Part of a place in `settled_table` that a level of each endpoint gives."""
        n_clients = len(self.fleet.clients)
        return np.concatenate(
            [parts_of_clients(facts[:n_clients]), parts_of_servers(facts[n_clients:])]
        )

    def _maybe_plain(self) -> Flags:
        """Whether one change of level at each end, and trust, may be all that slips decide."""
        taken, p = self._taken, self._taken.program
        before, after = taken.facts_before, self._new_facts()
        kept = _NEW | _REPLACES_MD5
        has_one = (np.diff(taken.level_first) <= 1) & (before & kept & ~after == 0)
        has_one &= (before & _INSTALLED != 0) & (after & _INSTALLED != 0)
        alone = p.account_state & ~np.uint8(ACCOUNT_IS_SHARED) < ACCOUNT_IS_SHARED
        plain: Flags = (
            (p.session_client < p.n_clients)
            & has_one[p.session_client]
            & has_one[p.n_clients + p.session_server]
            & alone[p.session_account]
            & ~self._is_emptied[p.session_key_database]
        )
        return plain

    def _kept_plain(self, is_plain: Flags) -> tuple[Flags, Flags]:
        """Sessions that stay plain, and those among them that distribution may touch.

        Shared accounts, and key databases that may receive, are plain as a whole. Distribution
        touches the sessions of such key databases, and those that share an account with them.
        """
        fleet, p = self.fleet, self._taken.program
        is_shared = fleet.account_is_shared[p.session_account]
        is_receiving = _shares(p.session_key_database, receivers(p))
        n_before = -1
        while n_before != (n_before := int(np.count_nonzero(is_plain))):
            others = np.flatnonzero(~is_plain)
            is_plain = is_plain & ~(is_receiving & _shares(p.session_key_database, others))
            is_plain &= ~(is_shared & _shares(p.session_account, np.flatnonzero(~is_plain)))
        by_account = is_shared & _shares(p.session_account, np.flatnonzero(is_receiving))
        return is_plain, is_plain & (is_receiving | by_account)

    def _databases_of_trust(self) -> Numbers:
        first = self._taken.program.trust_first
        return np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first))

    def _lay_out_rows(self, found: Deadlines) -> None:
        """Pairs of a key database and an anchor: the deadlines, and what plain sessions present.

        By key database; with the entries of trust of each.
        """
        taken, p = self._taken, self._taken.program
        n = int(max(len(taken.servers.anchor), p.trust_certificate.max(initial=0) + 1))
        pieces = self._pieces
        of_piece = p.session_key_database[pieces.session].astype(np.int64) * n
        of_old, of_new = of_piece + pieces.anchor_old, of_piece + pieces.anchor_new
        of_deadline = found.key_database().astype(np.int64) * n + found.anchor
        pairs = np.unique(np.concatenate([of_deadline, of_old, of_new]))
        self._row_anchor = (pairs % n).astype(np.int32)
        of_row = pairs // n
        self._row_first = np.searchsorted(
            of_row, np.arange(len(self.fleet.key_databases) + 1)
        ).astype(np.int32)
        place = np.searchsorted(pairs, of_deadline)
        self._row_deadline = np.full(len(pairs), -1, dtype=np.int32)
        self._row_deadline[place] = np.arange(len(found))
        has_lead, _ = found.slack()
        self._has_lead = np.zeros(len(pairs), dtype=np.bool_)
        self._has_lead[place] = has_lead
        calendar, days = self.fleet.calendar, range(p.start, p.end)
        self._working_before = np.cumsum(
            [0, *(calendar.is_working(day) for day in days)], dtype=np.int32
        )
        planned = np.where(has_lead, found.planned, p.start) - p.start
        self._margin = np.zeros(len(pairs), dtype=np.int32)
        self._margin[place] = self._working_before[found.needed - p.start]
        self._margin[place] -= self._working_before[planned]
        self._row_is_emptied = self._is_emptied[of_row]
        self._row_old = np.searchsorted(pairs, of_old).astype(np.int32)
        self._row_new = np.searchsorted(pairs, of_new).astype(np.int32)
        of_entry = self._databases_of_trust().astype(np.int64) * n + p.trust_certificate
        entries = np.flatnonzero(np.isin(of_entry, pairs))
        entries = entries[np.argsort(of_entry[entries], kind="stable")]
        self._entry = entries.astype(np.int32)
        self._entry_first = np.searchsorted(
            of_entry[entries], np.append(pairs, np.iinfo(np.int64).max)
        ).astype(np.int32)

    def part(self, blocks: "_Blocks", number: int) -> Part:
        """Cut one block."""
        p = self._taken.program
        sessions, databases = blocks.sessions(number), blocks.databases(number)
        clients = blocks.clients(number)
        own = blocks.draws(number)
        draw = np.concatenate([blocks.draws_of_servers, own]).astype(np.int32)
        place = np.full(len(self.draws.row) + 1, -1, dtype=np.int32)
        place[draw] = np.arange(len(draw))
        _, rows = groups_of(self._row_first, databases)
        entry_first, entries = groups_of(self._entry_first, rows)
        entries = self._entry[entries]
        endpoint = self.endpoint_of_draw[draw]
        is_own = np.arange(len(draw)) >= len(blocks.draws_of_servers)
        is_of_client = is_own & (endpoint < p.n_clients)
        client = np.where(is_of_client, numbered(endpoint, clients), len(clients))
        is_plain, is_receiving = self._is_plain[sessions], self._is_receiving[sessions]
        plain, receiving = self._sharing_first(sessions[is_plain]), sessions[is_receiving]
        block = Block(
            start=p.start,
            end=p.end,
            slipping=restricted(self.draws, draw).slipping,
            slipping_client=client.astype(np.int32),
            clients=self._dated(clients, place),
            servers=self._dated(self._servers, place),
            plain=self._plain(plain, clients, rows),
            rows=Rows(
                anchor=self._row_anchor[rows],
                has_lead=self._has_lead[rows],
                margin=self._margin[rows],
                working_before=self._working_before,
                is_emptied=self._row_is_emptied[rows],
                entry_first=entry_first,
                entry_day=p.trust_day[entries],
                entry_slipping=place[self._trust_draw[entries]],
            ),
            receiving=self._rest(receiving, plain, clients, rows, place),
            rest=self._rest(sessions[~is_plain], plain, clients, rows, place),
            flags=flags_of_places(),
        )
        return Part(block=read_only(block), deadline=self._row_deadline[rows], draw=draw)

    def _sharing_first(self, sessions: Numbers) -> Numbers:
        is_shared = self.fleet.account_is_shared[self.fleet.sessions.account[sessions]]
        return sessions[np.argsort(~is_shared, kind="stable")]

    def _accounts_of(self, plain: Numbers, accounts: Numbers) -> Numbers:
        """Number of each account among the shared ones of plain sessions, -1 for none."""
        of_plain = self.fleet.sessions.account[plain]
        shared = np.unique(of_plain[self.fleet.account_is_shared[of_plain]])
        found: Numbers = np.where(np.isin(accounts, shared), numbered(accounts, shared), -1)
        return found.astype(np.int32)

    def _plain(self, sessions: Numbers, clients: Numbers, rows: Numbers) -> Plain:
        p, pieces = self._taken.program, self._pieces
        piece_first, inside = groups_of(self._piece_first, sessions)
        sharing = sessions[self.fleet.account_is_shared[p.session_account[sessions]]]
        return Plain(
            client=numbered(p.session_client[sessions], clients),
            server=p.session_server[sessions],
            account=numbered(p.session_account[sharing], np.unique(p.session_account[sharing])),
            refused_before=self._before[sessions],
            piece_first=piece_first,
            begin=pieces.begin[inside],
            end=pieces.end[inside],
            constants=pieces.constants[inside],
            certificate_old=pieces.certificate_old[inside],
            certificate_new=pieces.certificate_new[inside],
            row_old=numbered(self._row_old[inside], rows),
            row_new=numbered(self._row_new[inside], rows),
        )

    def _dated(self, endpoints: Numbers, place: Numbers) -> Dated:
        has_level = self._has_level[endpoints]
        level = self._first_level[endpoints]
        day: Days = np.full(len(endpoints), NEVER, dtype=np.int32)
        slipping = np.full(len(endpoints), -1, dtype=np.int32)
        day[has_level] = self._level_day[level[has_level]]
        slipping[has_level] = place[self._level_draw[level[has_level]]]
        return Dated(
            old=self._old_parts[endpoints],
            new=self._new_parts[endpoints],
            day=day,
            slipping=slipping,
        )

    def _rest(
        self, sessions: Numbers, plain: Numbers, clients: Numbers, rows: Numbers, place: Numbers
    ) -> Rest:
        """Lay out the sessions that only the engine's own walk can follow."""
        fleet, p = self.fleet, self._taken.program
        groups = fleet.sessions_of_key_database
        endpoints = np.unique(p.session_client[sessions])
        inside = Members(
            sessions,
            np.concatenate([endpoints[endpoints < p.n_clients], self._servers]),
            np.unique(p.session_account[sessions]),
            np.unique(p.session_key_database[sessions]),
        )
        _, levels = groups_of(self._taken.level_first, inside.endpoints)
        _, trust = groups_of(p.trust_first, inside.databases)
        _, of_databases = groups_of(groups.first, inside.databases)
        member = groups.member[of_databases]
        member = member[np.isin(member, sessions)]
        place_of = np.full(len(fleet.sessions), -1, dtype=np.int32)
        place_of[plain] = np.arange(len(plain))
        counts = np.bincount(
            numbered(p.session_key_database[member], inside.databases),
            minlength=len(inside.databases),
        )
        first, is_shared = np.concatenate([[0], np.cumsum(counts)]), fleet.account_is_shared
        return Rest(
            retimable=part_of(self._taken, inside),
            plain=place_of[sessions],
            account=self._accounts_of(plain, inside.accounts),
            client=numbered(inside.endpoints[inside.endpoints < p.n_clients], clients),
            sharing=np.flatnonzero(is_shared[p.session_account[sessions]]).astype(np.int32),
            session_first=first.astype(np.int32),
            session=numbered(member, sessions),
            refused_before=self._before[sessions],
            row_begin=numbered(self._row_first[inside.databases], rows),
            row_end=numbered(self._row_first[inside.databases + 1], rows),
            level_day=self._level_day[levels],
            level_slipping=place[self._level_draw[levels]],
            trust_slipping=place[self._trust_draw[trust]],
            settled_table=settled_table(),
        )


def _shares(groups: Numbers, members: NDArray[np.integer]) -> Flags:
    """Whether each row is of a group that one of the members is of."""
    has_member = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.bool_)
    has_member[groups[members]] = True
    shares: Flags = has_member[groups]
    return shares


def _only_levels(taken: Retimable) -> tuple[Numbers, Flags]:
    """First action on the level of each endpoint, and whether it has one."""
    has_level = np.diff(taken.level_first) > 0
    first = np.where(has_level, taken.level_first[:-1], 0).astype(np.int32)
    return first, has_level


class _Blocks:
    """Which block everything of a fleet is in."""

    def __init__(self, whole: _Whole, size: int) -> None:
        fleet, n_clients = whole.fleet, len(whole.fleet.clients)
        of_session, of_endpoint = _blocks_of(fleet, size)
        endpoint = whole.endpoint_of_draw
        is_of_server = (endpoint >= n_clients) & (endpoint < fleet.n_endpoints)
        of_draw = np.where(is_of_server, -1, np.append(of_endpoint, 0)[endpoint])
        self.n = int(of_session.max(initial=0)) + 1
        self.draws_of_servers = np.flatnonzero(is_of_server)
        self.sessions = _MembersOf(of_session)
        self.clients = _MembersOf(of_endpoint[:n_clients])
        self.databases = _MembersOf(of_endpoint[fleet.key_databases.endpoint])
        self.draws = _MembersOf(of_draw)


class _MembersOf:
    """Members of each block, ascending."""

    def __init__(self, block: Numbers) -> None:
        self._order = np.argsort(block, kind="stable").astype(np.int32)
        self._sorted = block[self._order]

    def __call__(self, number: int) -> Numbers:
        begin, end = np.searchsorted(self._sorted, [number, number + 1])
        return self._order[begin:end]


def _blocks_of(fleet: Fleet, size: int) -> tuple[Numbers, Numbers]:
    """Block of each session, and of each endpoint; those without sessions are in the first one."""
    sessions, n = fleet.sessions, fleet.n_endpoints
    ends = (sessions.client, sessions.account + n)
    graph = coo_matrix(
        (np.ones(len(sessions), dtype=np.bool_), ends), shape=(n + len(fleet.accounts),) * 2
    )
    _, component = connected_components(graph, directed=False)
    of_session = component[sessions.client]
    used, place, counts = np.unique(of_session, return_inverse=True, return_counts=True)
    # A block is full with the component that makes it as large as wanted.
    before = np.cumsum(counts) - counts
    _, block = np.unique(before // size, return_inverse=True)
    of_component = np.zeros(len(component), dtype=np.int32)
    of_component[used] = block
    return block[place].astype(np.int32), of_component[component[:n]]
