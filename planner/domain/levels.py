"""Product levels, and which of the vendor's thresholds each one has passed.

Levels are compared as V.R.L; the sub-level never counts (8.1.2.1 is "level 8.1.2").
The order is not monotone in security: 7.1.8 is new, the later 8.1.0 is old.
"""

import re
from dataclasses import dataclass
from enum import IntFlag, StrEnum


class Era(StrEnum):
    """Which session protocol a level speaks."""

    OLD = "old"
    NEW = "new"


class LevelFact(IntFlag):
    """Thresholds of `semantics.md` sections 2-4 that an endpoint's level passes.

    An unknown level (installed, but not recorded) has `INSTALLED` alone: no test holds for it.
    """

    INSTALLED = 1
    NEW = 2
    TLS13 = 4  # >= 8.1.11
    REFUSES_MD5 = 8  # 7.1.8, 8.1.2, 8.1.3
    BELOW_63 = 16
    LOCAL_TURNS_STRICT = 32  # >= 8.1.6
    IS_812 = 64
    LIBRARY_814 = 128  # >= 8.1.4
    LIBRARY_718 = 256  # 7.1.8 <= level < 8.0
    REPLACES_MD5 = 512  # 7.1.9 <= level < 8.0 or >= 8.1.4
    OVERLAPS = 1024  # >= 8.1.19: CREATE CERTIFICATE / SET DEFAULTTLSCERT
    FIXES_CVE_2022_22496 = 2048  # >= 8.1.15


@dataclass(frozen=True, slots=True, order=True)
class Level:
    """A product level `V.R.L[.S]`; ordered as a tuple, a missing sub-level before `.0`.

    Examples
    --------
    >>> Level.parse("8.1.10") > Level.parse("8.1.9")
    True
    >>> Level.parse("7.1.8.1").era, Level.parse("8.1.1").era
    (<Era.NEW: 'new'>, <Era.OLD: 'old'>)
    """

    version: int
    release: int
    level: int
    sublevel: int = -1

    @classmethod
    def parse(cls, text: str) -> "Level":
        """Read `V.R.L` or `V.R.L.S`.

        Raises
        ------
        ValueError
            If the text is no product level.
        """
        if not re.fullmatch(r"\d{1,4}(\.\d{1,4}){2,3}", text, re.ASCII):
            raise ValueError(f"{text!r} is not a product level")
        return cls(*(int(part) for part in text.split(".")))

    def __str__(self) -> str:
        parts = (self.version, self.release, self.level)
        return ".".join(map(str, parts if self.sublevel < 0 else (*parts, self.sublevel)))

    @property
    def vrl(self) -> tuple[int, int, int]:
        """The part that is compared."""
        return (self.version, self.release, self.level)

    @property
    def era(self) -> Era:
        """New when `level >= 8.1.2` or `7.1.8 <= level < 8.0` (SEED, VE814)."""
        return Era.NEW if self.facts & LevelFact.NEW else Era.OLD

    @property
    def facts(self) -> LevelFact:
        """Every threshold that this level passes."""
        vrl = self.vrl
        tests = {
            LevelFact.NEW: vrl >= (8, 1, 2) or (7, 1, 8) <= vrl < (8, 0, 0),
            LevelFact.TLS13: vrl >= (8, 1, 11),
            LevelFact.REFUSES_MD5: vrl in {(7, 1, 8), (8, 1, 2), (8, 1, 3)},
            LevelFact.BELOW_63: vrl < (6, 3, 0),
            LevelFact.LOCAL_TURNS_STRICT: vrl >= (8, 1, 6),
            LevelFact.IS_812: vrl == (8, 1, 2),
            LevelFact.LIBRARY_814: vrl >= (8, 1, 4),
            LevelFact.LIBRARY_718: (7, 1, 8) <= vrl < (8, 0, 0),
            LevelFact.REPLACES_MD5: vrl >= (8, 1, 4) or (7, 1, 9) <= vrl < (8, 0, 0),
            LevelFact.OVERLAPS: vrl >= (8, 1, 19),
            LevelFact.FIXES_CVE_2022_22496: vrl >= (8, 1, 15),
        }
        facts = LevelFact.INSTALLED
        for fact, holds in tests.items():
            if holds:
                facts |= fact
        return facts


UNKNOWN_LEVEL_FACTS = LevelFact.INSTALLED
NOT_INSTALLED_FACTS = LevelFact(0)
