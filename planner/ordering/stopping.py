"""When a search stops: after so many iterations, and in any case after so many seconds."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Limits of a search; it also stops once an order is proven best.

    Parameters
    ----------
    iterations
        Equal seeds and iterations give equal plans, as long as the time does not run out before.
    seconds
        Time of the search, without compilation; where no order exists, the search for the
        constraints in conflict has as much [s].
    gap
        The proven gap that is small enough; 0 searches on until nothing is left [1].
    """

    iterations: int = 400
    seconds: float = 60.0
    gap: float = 0.0


class Clock:
    """Time since a search began."""

    def __init__(self, stop: Stop) -> None:
        self._stop, self._began = stop, time.monotonic()
        self._is_stopped = False

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return 0.0 if self._is_stopped else max(0.0, self._stop.seconds - self.seconds)

    def stop(self) -> None:
        """Leave no time, whatever the limit is."""
        self._is_stopped = True
