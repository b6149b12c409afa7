"""What the tests of rollout orders share: small fleets, and their best orders by brute force."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

import planner
from planner.domain.fleet import Fleet
from planner.ordering.model import Ints, Model
from tests.builders import case, client, rule, server, session, trust, write_case
from tests.oracle import Row

START = date(2025, 3, 3)

IS_COMPILED = not os.environ.get("NUMBA_DISABLE_JIT")


def fleet_of(folder: Path, **parts: object) -> Fleet:
    """Read a fleet that is built as `tests.builders.case` does."""
    write_case(case(**parts), folder)  # type: ignore[arg-type]
    return planner.read_fleet(folder)


def small_fleet(folder: Path, seed: int, *, has_alike_clients: bool = False) -> Fleet:
    """Draw a fleet of at most seven endpoints and three weeks, with some of every constraint.

    Alike clients stand at one site, and have sessions of one weight with the same servers.
    """
    rng = random.Random(seed)
    n_servers, n_clients = rng.randint(1, 3), rng.randint(1, 4)
    sites = ("quay", "yard")
    targets = {"target_level": "8.1.13"}
    servers = [server(f"s{k}", site=rng.choice(sites), **targets) for k in range(n_servers)]
    clients = [client(f"c{k}", site=rng.choice(sites), **targets) for k in range(n_clients)]
    sessions = [
        session(f"c{c}", f"s{s}", weight=str(rng.choice((1, 1, 2, 3.5, 7))))
        for c in range(n_clients)
        for s in rng.sample(range(n_servers), rng.randint(1, min(2, n_servers)))
    ]
    if n_servers > 1 and rng.random() < 0.5:
        sessions.append(session("s0", "s1", kind="server", weight="2"))
    in_place: list[Row] = []
    if rng.random() < 0.5:
        in_place = [trust(row["client"], row["server"]) for row in sessions if rng.random() < 0.7]
    if has_alike_clients:
        clients = [client(row["client"], site="quay", **targets) for row in clients]
        sessions = [
            session(row["client"], f"s{s}") for row in clients for s in range(min(2, n_servers))
        ]
        in_place = []
    capacity = {"clients_per_week": rng.choice((1, 2, 4)), "servers_per_week": rng.choice((1, 2))}
    if rng.random() < 0.6:
        capacity["imports_per_week"] = rng.choice((2, 3, 5))
    names = [*(f"c{k}" for k in range(n_clients)), *(f"s{k}" for k in range(n_servers))]
    return fleet_of(
        folder,
        servers=servers,
        clients=clients,
        sessions=sessions,
        trust=in_place,
        plan=None,
        end=START + timedelta(days=21),
        lead_days=rng.choice((1, 2, 5)),
        windows={"quay": rng.choice((["Tue", "Thu"], ["Mon"])), "yard": ["Wed"]},
        freezes=[("2025-03-12", "2025-03-15")] if rng.random() < 0.4 else [],
        capacity=capacity,
        rules=list(_rules(rng, names)),
    )


def _rules(rng: random.Random, names: list[str]) -> Iterator[Row]:
    if len(names) < 2 or rng.random() < 0.4:
        return
    first, then = rng.sample(names, 2)
    yield rng.choice(
        [
            rule("before", first, then, days=str(rng.choice((0, 3)))),
            rule("together", first, then, days=str(rng.choice((0, 7)))),
            rule("earliest", first, "2025-03-11"),
            rule("latest", first, "2025-03-19"),
            rule("pilot", first, days="1"),
        ]
    )


def true_optimum(model: Model) -> tuple[int, Ints] | None:
    """Least cost of all feasible orders in which each block goes on one of its days, and one order.

    A plain search through all of them, cut where what is placed costs too much already; written
    from the meaning of the columns alone, no compiled loop is used.
    """
    n = model.n_blocks
    rules: dict[int, list[tuple[int, int, int]]] = {block: [] for block in range(n)}
    for then in range(n):
        for k in range(model.rule_first[then], model.rule_first[then + 1]):
            first, gap = int(model.rule_other[k]), int(model.rule_gap[k])
            rules[max(first, then)].append((first, then, gap))
    links = {
        (min(block, int(model.link_other[k])), max(block, int(model.link_other[k]))): int(
            model.link_weight[k]
        )
        for block in range(n)
        for k in range(model.link_first[block], model.link_first[block + 1])
    }
    best: list[tuple[int, Ints]] = []
    chosen = [0] * n

    def descend(block: int, cost: int) -> None:
        if best and cost >= best[0][0]:
            return
        if block == n:
            days = np.array(chosen, dtype=np.int32)
            if fits(model, days):
                best[:] = [(cost, days)]
            return
        for day in model.choices(block).tolist():
            chosen[block] = day
            if any(chosen[then] - chosen[first] < gap for first, then, gap in rules[block]):
                continue
            if not has_room(model, np.array(chosen[: block + 1], dtype=np.int32)):
                continue
            more = int(model.own_weight[block]) * day
            more += int(model.moved_weight[block]) * abs(day - int(model.drafted_day[block]))
            more += sum(
                weight * max(chosen[a], chosen[b]) for (a, b), weight in links.items() if b == block
            )
            descend(block + 1, cost + more)

    descend(0, 0)
    return best[0] if best else None


def has_room(model: Model, days: Ints) -> bool:
    """Whether the first blocks, on their days, keep the capacities of upgrades."""
    week, n = model.week_of_day[days], len(days)
    return all(
        taken[:n][week == w].sum() <= room[w]
        for taken, room in (
            (model.n_clients, model.client_room),
            (model.n_servers, model.server_room),
        )
        for w in range(model.n_weeks)
    )


def fits(model: Model, days: Ints) -> bool:
    """Whether an order keeps capacities and leads."""
    if not has_room(model, days):
        return False
    weeks = np.arange(model.n_weeks)
    due = []
    for job in range(model.n_jobs):
        servers = model.job_server[model.job_first[job] : model.job_first[job + 1]].tolist()
        first = min(0 if s < 0 else int(days[s]) for s in servers)
        own = int(model.job_client[job])
        need = max(first, 0 if own < 0 else int(days[own]), int(model.job_release[job]))
        due.append(int(model.due_week[need]))
        if due[-1] < 0 or need < model.job_earliest[job]:
            return False
    return all(sum(d <= w for d in due) <= model.import_room[w] for w in weeks.tolist())
