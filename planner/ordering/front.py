"""The trade-off front: what less import work or an earlier finish costs in exposure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from planner.domain import views
from planner.domain.calendar import NEVER, iso
from planner.domain.errors import InfeasibleError
from planner.domain.fleet import Fleet
from planner.domain.plan import Plan
from planner.ordering.optimise import Limits, Observer, Run
from planner.ordering.result import Result
from planner.ordering.stopping import Stop

if TYPE_CHECKING:
    import pandas as pd

_PEAKS: Final = (0.75, 0.5, 0.35)
"""Parts of the best order's fullest week of imports that are tried as capacity."""
_FINISHES: Final = (0.85, 0.7)
"""Parts of the best order's time to its finish that are tried as the last day."""


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """Orders none of which is better than another in exposure, finish and peak imports at once."""

    results: tuple[Result, ...]

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __repr__(self) -> str:
        if not self.results:
            return "Front(0 orders)"
        exposures = [result.measures.exposure for result in self.results]
        peaks = [result.measures.peak_imports_per_week for result in self.results]
        finishes = [result.measures.finish for result in self.results]
        return (
            f"Front({len(self)} orders, exposure {min(exposures):,.0f} to {max(exposures):,.0f}, "
            f"finish {iso(min(finishes))} to {iso(max(finishes))}, "
            f"{min(peaks)} to {max(peaks)} imports in the fullest week)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each order: exposure, finish, peak imports, bound and gap."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def front(
    fleet: Fleet,
    *,
    peaks: Sequence[int] | None = None,
    finishes: Sequence[int] | None = None,
    stop: Stop | None = None,
    seed: int = 0,
    initial: Plan | None = None,
    observer: Observer | None = None,
) -> Front:
    """Find orders with the least exposure under ever less import work and ever earlier finishes.

    Parameters
    ----------
    peaks
        Imports in the fullest week that are tried as a limit; parts of the best order's if None.
    finishes
        Last days of upgrades that are tried as a limit; parts of the best order's if None.
    stop, seed, initial, observer
        As for `optimise`, for each of the orders.

    Returns
    -------
    The orders that no other one beats, the least exposure first. A limit that no order keeps has
    none.

    References
    ----------
    The epsilon-constraint method (Haimes, Lasdon and Wismer 1971).
    """

    def search(limits: Limits) -> Result:
        return Run(fleet, None, stop, initial, limits).optimised(seed, observer)

    best = search(Limits())
    measured = best.measures
    if peaks is None:
        peaks = [max(1, int(part * measured.peak_imports_per_week)) for part in _PEAKS]
    if finishes is None and measured.finish != NEVER:
        days = measured.finish - fleet.start
        finishes = [fleet.start + int(part * days) for part in _FINISHES]
    tried = [Limits(imports_per_week=peak) for peak in sorted(set(peaks), reverse=True)]
    tried += [Limits(until=day) for day in sorted(set(finishes or ()), reverse=True)]
    found = [best]
    for limits in tried:
        try:
            found.append(search(limits))
        except InfeasibleError:
            continue
    return Front(tuple(sorted(_not_beaten(found), key=lambda r: r.measures.exposure)))


def _key(result: Result) -> tuple[float, int, int]:
    measured = result.measures
    return measured.exposure, measured.finish, measured.peak_imports_per_week


def _not_beaten(results: Sequence[Result]) -> Iterator[Result]:
    seen = set()
    for result in results:
        mine = _key(result)
        others = (_key(other) for other in results)
        is_beaten = any(
            other != mine and all(a <= b for a, b in zip(other, mine, strict=True))
            for other in others
        )
        if not is_beaten and mine not in seen:
            seen.add(mine)
            yield result
