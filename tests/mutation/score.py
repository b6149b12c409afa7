"""The score of a sample of mutants, with and without those that are accounted for as equivalent."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

ACCOUNT = Path(__file__).parent / "survivors.csv"
Key = tuple[str, str, str, str]


class Ending(StrEnum):
    """How a mutant ends."""

    FOUND = "found"  # a test failed
    STOPPED = "stopped"  # it ran for too long, or ended the process
    SURVIVED = "survived"
    UNREACHED = "unreached"  # no test runs its lines


class Verdict(StrEnum):
    """What the account says of a survivor."""

    EQUIVALENT = "equivalent"  # no input can show the change
    ACCEPTED = "accepted"  # it could be shown, and is left for the reason given


@dataclass(frozen=True, slots=True)
class Result:
    """One mutant and how it ended."""

    module: str
    number: int
    function: str
    line: int
    before: str
    after: str
    ending: Ending
    killer: str

    @property
    def key(self) -> Key:
        """What tells its change from others, wherever its lines move to."""
        return self.module, self.function, self.before, self.after

    @property
    def is_survivor(self) -> bool:
        """Tell whether no test noticed the change."""
        return self.ending in {Ending.SURVIVED, Ending.UNREACHED}

    def row(self) -> dict[str, str | int]:
        """Return it as a line of results.jsonl."""
        return asdict(self)


def read_result(row: Mapping[str, str | int]) -> Result:
    """Return a result that `Result.row` wrote."""
    texts = {name: str(row[name]) for name in ("module", "function", "before", "after", "killer")}
    return Result(
        number=int(row["number"]),
        line=int(row["line"]),
        ending=Ending(str(row["ending"])),
        **texts,
    )


def read_account(file: Path = ACCOUNT) -> dict[Key, Verdict]:
    """Return what is known of survivors: module, function, before, after, and the verdict."""
    with file.open(encoding="utf-8", newline="") as lines:
        return {
            (row["module"], row["function"], row["before"], row["after"]): Verdict(row["verdict"])
            for row in csv.DictReader(lines)
        }


@dataclass(frozen=True, slots=True)
class Score:
    """An estimate of the share of all mutants that are found, with its standard error."""

    share: float
    error: float

    def __str__(self) -> str:
        return f"{100 * self.share:.1f} % +- {100 * self.error:.1f}"


def score(found: Mapping[str, tuple[int, int]], sizes: Mapping[str, int]) -> Score:
    """Weigh the samples of modules by their numbers of mutants.

    Parameters
    ----------
    found
        By module: mutants found, and mutants tried.
    sizes
        By module: all mutants.

    Notes
    -----
    Stratified sampling without replacement. The error of a module's share is that of its share
    with one more mutant found and one more missed, as a sample without any survivor is no proof.

    References
    ----------
    W. G. Cochran, Sampling Techniques, 3rd edition, 1977, chapter 5.
    """
    total = sum(sizes[module] for module in found)
    share = variance = 0.0
    for module, (n_found, n_tried) in found.items():
        weight = sizes[module] / total
        share += weight * n_found / n_tried
        rest = 1 - n_tried / sizes[module]
        smoothed = (n_found + 1) / (n_tried + 2)
        variance += weight**2 * rest * smoothed * (1 - smoothed) / n_tried
    return Score(share, math.sqrt(variance))


def report(
    results: Sequence[Result], sizes: Mapping[str, int], account: Mapping[Key, Verdict]
) -> str:
    """Return the table of modules, the two scores, and the survivors not accounted for."""
    by_module: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_module[result.module].append(result)
    raw: dict[str, tuple[int, int]] = {}
    judged: dict[str, tuple[int, int]] = {}
    lines = [f"{'module':<38}{'mutants':>8}{'tried':>7}{'found':>7}{'equiv.':>7}{'share':>8}"]
    for module, own in sorted(by_module.items()):
        equal = [r for r in own if r.is_survivor and account.get(r.key) is Verdict.EQUIVALENT]
        n_found = sum(not result.is_survivor for result in own)
        raw[module] = n_found, len(own)
        if len(own) > len(equal):
            judged[module] = n_found, len(own) - len(equal)
        share = 100 * n_found / max(1, len(own) - len(equal))
        counts = f"{sizes[module]:>8}{len(own):>7}{n_found:>7}{len(equal):>7}"
        lines.append(f"{module:<38}{counts}{share:>7.1f}%")
    unknown = [r for r in results if r.is_survivor and r.key not in account]
    return "\n".join(
        [
            *(text for result in unknown for text in _shown(result)),
            *lines,
            f"score {score(raw, sizes)}; without equivalent mutants {score(judged, sizes)}",
            f"{len(unknown)} survivors are not accounted for",
            "",
        ]
    )


def _shown(result: Result) -> list[str]:
    place = f"{result.module}:{result.line} {result.function} ({result.ending})"
    return [place, f"  - {result.before}", f"  + {result.after}"]
