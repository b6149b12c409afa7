"""Endpoints in groups, for pictures of fleets with more clients than rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.domain.fleet import Fleet, Numbers

ROW_LIMIT: Final = 40
"""Most rows of a picture; with more, clients are drawn in groups."""
GROUP_LIMIT: Final = 12
"""Most groups where each one has several rows."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EndpointGroups:
    """Which group each endpoint is in; `by` says what the groups are.

    Parameters
    ----------
    number
        Shape `(n_endpoints,)`, places in `names`; -1 for endpoints that were left out.
    """

    by: str
    names: tuple[str, ...]
    number: Numbers

    def size(self) -> Numbers:
        """Count of endpoints in each group; shape `(len(names),)`."""
        inside = self.number[self.number >= 0]
        return np.bincount(inside, minlength=len(self.names)).astype(np.int32)


def group_endpoints(fleet: Fleet, endpoints: Numbers, *, limit: int) -> EndpointGroups:
    """Group endpoints by site, or by owner where sites do not tell them apart.

    What comes first of: sites, owners, if there are at least two and at most `limit`; else the
    largest sites or owners and the rest together; else all in one.
    """
    n_clients = len(fleet.clients)
    sites = [fleet.endpoint_site(int(endpoint)) for endpoint in endpoints]
    owners = [
        fleet.clients.owner[endpoint] if endpoint < n_clients else "" for endpoint in endpoints
    ]
    choices = (("site", sites), ("owner", owners))
    usable = [choice for choice in choices if 2 <= _n_distinct(choice[1]) <= limit]
    crowded = [choice for choice in choices if _n_distinct(choice[1]) > limit]
    by, texts = next(iter([*usable, *crowded]), ("fleet", [fleet.name] * len(endpoints)))
    names, number = _numbered(by, texts, limit)
    of_endpoint = np.full(fleet.n_endpoints, -1, dtype=np.int32)
    of_endpoint[endpoints] = number
    return EndpointGroups(by=by, names=names, number=of_endpoint)


def _n_distinct(texts: Sequence[str]) -> int:
    return len({text.casefold() for text in texts})


def _numbered(by: str, texts: Sequence[str], limit: int) -> tuple[tuple[str, ...], list[int]]:
    """Names in order, and the number of each text; past the limit the smallest share one."""
    shown: dict[str, str] = {}
    for text in texts:
        shown.setdefault(text.casefold(), text or f"no {by}")
    sizes = Counter(text.casefold() for text in texts)
    largest = sorted(shown, key=lambda key: (-sizes[key], key))
    kept = sorted(largest if len(largest) <= limit else largest[: limit - 1])
    names = [shown[key] for key in kept]
    place = {key: number for number, key in enumerate(kept)}
    if len(kept) < len(shown):
        names.append(f"{len(shown) - len(kept)} other {by}s")
    return tuple(names), [place.get(text.casefold(), len(kept)) for text in texts]
