"""Clients that a relaxation cannot tell apart, taken as one: the same bound from fewer nodes.

Clients are alike if they may go on the same days and have sessions of equal weight with the same
servers; one with a rule, a session with another client or an import that others need is like none.
A relaxation is convex: where a best solution treats alike clients differently, giving each of them
the mean of their shares is as good. So it loses nothing by giving them equal ones.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.ordering.model import Ints, Longs, Model
from planner.ordering.relaxation import Bound, told_apart
from planner.ordering.relaxation_kernel import Relaxation, Singles


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Merged:
    """A relaxation in which one node stands for all that are alike.

    Parameters
    ----------
    whole
        The relaxation with a node for each block and each import.
    relaxation
        The one with fewer nodes.
    node, link
        By node and by link of the whole: the one that stands for it.
    """

    whole: Relaxation
    relaxation: Relaxation
    node: Ints
    link: Ints

    def unfolded(self, bound: Bound) -> Bound:
        """Return a bound of fewer nodes as one of the whole."""
        alike = np.bincount(self.link).astype(np.float32)[:, None]
        gap = bound.gap[self.link]
        rows = np.flatnonzero(gap >= 0)

        def of_links(prices: Singles) -> Singles:
            return (prices / alike)[self.link]

        def of_gaps(prices: Singles) -> Singles:
            return prices[gap[rows]] / alike[self.link[rows]]

        prices = bound.prices
        prices = prices._replace(
            on_first=of_links(prices.on_first),
            on_job=of_links(prices.on_job),
            needs=of_links(prices.needs),
            gap_on_first=of_gaps(prices.gap_on_first),
            gap_on_job=of_gaps(prices.gap_on_job),
        )
        row = np.full(len(gap), -1, dtype=np.int32)
        row[rows] = np.arange(len(rows))
        return Bound(
            value=bound.value,
            left=bound.left[self.node],
            share=told_apart(bound.share, self.node),
            prices=prices,
            gap=row,
            node_of=self.whole.node_of,
        )


def merged(model: Model, whole: Relaxation) -> Merged:
    """Take alike clients as one."""
    like_node = np.arange(len(whole.may_end))
    like_link = np.arange(len(whole.first))
    for clients in _alike(model, whole):
        leader, *others = clients
        for client in others:
            like_node[client.node] = leader.node
            like_node[client.jobs] = leader.jobs
            like_link[client.links] = leader.links
    nodes, node, alike = _as_one(like_node)
    links, link, alike_links = _as_one(like_link)
    gap = whole.gap[links]
    rows = gap[gap >= 0]
    gap[gap >= 0] = np.arange(len(rows))
    job = whole.job[links]
    n_blocks = len(whole.day)
    relaxation = whole._replace(
        may_end=whole.may_end[nodes],
        day=whole.day[nodes[nodes < n_blocks]],
        own=whole.own[nodes] * alike[:, None],
        first=node[whole.first[links]],
        second=node[whole.second[links]],
        job=np.where(job < 0, job, node[job]),
        weight=whole.weight[links] * alike_links,
        needed=whole.needed[links],
        days=whole.days[links],
        gap=gap,
        first_leads=whole.first_leads[rows],
        second_leads=whole.second_leads[rows],
        n_clients=whole.n_clients[nodes] * alike,
        n_servers=whole.n_servers[nodes] * alike,
        n_imports=whole.n_imports[nodes] * alike,
        rule_earlier=node[whole.rule_earlier],
        rule_later=node[whole.rule_later],
        alike=alike,
        node_of=node[whole.node_of],
    )
    return Merged(whole=whole, relaxation=relaxation, node=node, link=link)


def _as_one(leader: Longs) -> tuple[Longs, Ints, Longs]:
    """Leaders, by row the place of its leader among them, and by leader its count of rows."""
    leaders, place, count = np.unique(leader, return_inverse=True, return_counts=True)
    return leaders, place.astype(np.int32), count.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Client:
    """A client, its links, and its imports in the order in which the links name them."""

    node: int
    links: list[int]
    jobs: list[int]


def _alike(model: Model, r: Relaxation) -> Iterable[list[_Client]]:
    """Clients by all that a relaxation knows of them."""
    client = _clients_of_links(model, r)
    kind_of_client, kind_of_link = _kinds_of_clients(r), _kinds_of_links(r, client)
    links_of: defaultdict[int, list[int]] = defaultdict(list)
    for link in np.argsort(kind_of_link, kind="stable").tolist():
        if client[link] >= 0:
            links_of[int(client[link])].append(link)
    found: defaultdict[tuple[int, ...], list[_Client]] = defaultdict(list)
    for node, links in links_of.items():
        jobs = list(dict.fromkeys(r.job[links].tolist()))
        named = [jobs.index(job) for job in r.job[links].tolist()]
        key = (int(kind_of_client[node]), *kind_of_link[links].tolist(), *named)
        found[key].append(_Client(node, links, [job for job in jobs if job >= 0]))
    return found.values()


def _clients_of_links(model: Model, r: Relaxation) -> Longs:
    """By link the client that may have others alike, or -1.

    Such a client has no rule, no link to another one, and no import that others need.
    """
    is_single = (r.n_clients[: len(r.day)] > 0) & (r.n_servers[: len(r.day)] == 0)
    is_single[r.node_of[model.rule_other]] = False
    is_single[r.node_of[np.flatnonzero(np.diff(model.rule_first))]] = False
    is_within = is_single[r.first] & is_single[r.second]
    is_single[r.first[is_within]] = is_single[r.second[is_within]] = False
    client = np.where(is_single[r.second], r.second.astype(np.int64), -1)
    client[is_single[r.first]] = r.first[is_single[r.first]]
    pairs = np.unique(np.stack([r.job, client])[:, r.job >= 0], axis=1)
    jobs, n_clients = np.unique(pairs[0], return_counts=True)
    has_shared = np.isin(r.job, jobs[n_clients > 1])
    client[np.isin(client, client[has_shared])] = -1
    return client


def _kinds_of_clients(r: Relaxation) -> Longs:
    """By block: equal numbers where nothing but links differs."""
    n = len(r.day)
    return _numbered(r.may_end[:n], r.day, r.own[:n], r.n_clients[:n, None])


def _kinds_of_links(r: Relaxation, client: Longs) -> Longs:
    """By link: equal numbers where nothing but the client and the import differs."""
    is_first = r.first == client
    server = np.where(is_first, r.second, r.first)
    no_gap = np.zeros((1, r.may_end.shape[1]), dtype=np.int64)
    leads = [np.concatenate([leads, no_gap])[r.gap] for leads in (r.first_leads, r.second_leads)]
    no_job = np.zeros(no_gap.shape, dtype=np.bool_)
    may_need = np.concatenate([r.may_end, no_job])[r.job]
    single = (column[:, None] for column in (server, is_first, r.weight, r.needed))
    return _numbered(*single, r.days, *leads, may_need)


def _numbered(*columns: NDArray[np.generic]) -> Longs:
    """Number rows; equal rows have equal numbers."""
    rows = np.concatenate([column.astype(np.int64) for column in columns], axis=1)
    whole_rows = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1] * 8))).ravel()
    _, number = np.unique(whole_rows, return_inverse=True)
    return number.astype(np.int64)
