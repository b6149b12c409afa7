"""Names of things: found without regard to letter case, shown in the spelling that defined them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


class Names(Sequence[str]):
    """An immutable column of distinct names with a look-up that is built on first use."""

    __slots__ = ("_index", "_texts")

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = tuple(texts)
        self._index: dict[str, int] | None = None

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        return self._texts[place]

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def find(self, text: str) -> int:
        """Place of a name in any letter case; -1 where there is none."""
        if self._index is None:
            self._index = {name.casefold(): place for place, name in enumerate(self._texts)}
        return self._index.get(text.casefold(), -1)

    def array(self) -> NDArray[np.object_]:
        """Return the names as an array of texts, to be picked from by number."""
        texts = np.empty(len(self._texts), dtype=object)
        texts[:] = self._texts
        return texts


class NameRegister:
    """Gives each new name the next number; the first spelling stays."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = list(texts)
        self._index: dict[str, int] = {}
        for number, text in enumerate(self._texts):
            self._index.setdefault(text.casefold(), number)

    def number(self, text: str) -> int:
        """Return the number of a name, a new one where it was not known."""
        folded = text.casefold()
        known = self._index.get(folded)
        if known is None:
            known = self._index[folded] = len(self._texts)
            self._texts.append(text)
        return known

    def __len__(self) -> int:
        return len(self._texts)

    def names(self, start: int = 0) -> Names:
        """Return the names from a number on."""
        return Names(self._texts[start:])
