"""The two rules by which a key database makes a presented certificate trusted.

*Exact match*: the very certificate, self-signed, lies in the key database. *Chain to a root*: a
path of valid signatures leads from the certificate to a root that lies there. Holding a leaf or an
intermediate is neither (ANS1692E; MSG821, documented).

Paths are built and validated by `pyhanko-certvalidator` (RFC 5280) without the rules of the web:
no subject alternative name is asked for, no host name compared, no extended key usage, no
revocation, and every signature algorithm and key size is taken. Weak ones are findings instead.
"""

import time
import warnings
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from asn1crypto import x509 as asn1
from cryptography.exceptions import UnsupportedAlgorithm
from pyhanko_certvalidator.authority import CertTrustAnchor, TrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import PathBuildingError, ValidationError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    AcceptAllAlgorithms,
    CertRevTrustPolicy,
)
from pyhanko_certvalidator.registry import (
    CertificateRegistry,
    PathBuilder,
    SimpleTrustManager,
    TrustManager,
)
from pyhanko_certvalidator.validate import async_validate_path

from planner.domain.certificates import OWN_ANCHOR
from planner.inventory.hints import printable, quoted
from planner.inventory.x509 import MALFORMED, CertificateFile

_T = TypeVar("_T")
_UNREADABLE: Final = (*MALFORMED, UnsupportedAlgorithm)
"""What the parsers raise for certificates that are no strict DER of RFC 5280."""


class TrustRule(StrEnum):
    """The rule by which a presented certificate is trusted."""

    EXACT_MATCH = "exact-match"
    CHAIN_TO_ROOT = "chain-to-root"


class Obstacle(StrEnum):
    """Why neither rule holds."""

    NOT_HELD = "not-held"
    INVALID = "chain-invalid"
    EXPIRED = "expired"
    TOO_LONG = "chain-too-long"
    TOO_COSTLY = "chain-too-costly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much work one chain may take.

    Parameters
    ----------
    depth
        Most certificates of a chain, the anchor included.
    steps
        Most candidates for an issuer that are looked at, over all paths.
    names
        Most comparisons of a name with a name constraint.
    parts
        Most parts of the names of a certificate's subject and issuer together.
    seconds
        Longest time for one chain [s]; the counts above are met long before, except on a machine
        that is busy with something else.
    """

    depth: int = 10
    steps: int = 500
    names: int = 100_000
    parts: int = 200
    seconds: float = 5.0


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whether a presented certificate is trusted, and by which rule or why not.

    Parameters
    ----------
    rule
        The rule that holds; None where neither does.
    chain
        From the presented certificate to its anchor; empty where neither rule holds.
    obstacle, detail
        Why neither holds, as a kind and in words.
    """

    rule: TrustRule | None = None
    chain: tuple[CertificateFile, ...] = ()
    obstacle: Obstacle | None = None
    detail: str = ""

    @property
    def anchor(self) -> CertificateFile | None:
        """The certificate of the key database that makes the trust."""
        return self.chain[-1] if self.chain else None

    def __bool__(self) -> bool:
        return self.rule is not None

    def __str__(self) -> str:
        if self.rule is None:
            return f"{self.obstacle}, {self.detail}"
        if self.rule is TrustRule.EXACT_MATCH:
            return self.rule
        return f"{self.rule}, {' < '.join(quoted(link.subject) for link in self.chain)}"


class _TooMuchWorkError(Exception):
    """A limit is met; says which."""


class _Registry(CertificateRegistry):
    """Candidates for issuers, counted, so that no tangle of cross-signatures is walked for long."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._steps, self._until = 0, 0.0

    def register(self, cert: asn1.Certificate) -> bool:
        """Add a certificate; several of one issuer and serial number are no rarity in the field.

        They are told apart by identity: `dump` of one that is no strict DER would change it, and
        its signature with that.
        """
        if id(cert) in self.certs:
            return False
        self.certs[id(cert)] = cert
        self._subject_map[cert.subject.hashable].append(cert)
        return True

    def begin(self) -> None:
        """Start to count for one chain."""
        self._steps, self._until = 0, time.monotonic() + self._limits.seconds

    def count(self) -> None:
        """Take one step, if the limits allow it."""
        self._steps += 1
        if self._steps > self._limits.steps:
            raise _TooMuchWorkError(f"more than {self._limits.steps} possible issuers")
        if time.monotonic() > self._until:
            raise _TooMuchWorkError(f"more than {self._limits.seconds:g} seconds")

    def find_potential_issuers(
        self, cert: asn1.Certificate, trust_manager: TrustManager
    ) -> Iterator[TrustAnchor | asn1.Certificate]:
        """Return anchors first, then other certificates, each a counted step."""
        self.count()
        for issuer in super().find_potential_issuers(cert, trust_manager):
            self.count()
            yield issuer


class TrustJudge:
    """Judges presented certificates against one key database.

    Parameters
    ----------
    held
        What lies in the key database.
    known
        Further certificates that a server may send with its own: intermediates.
    """

    def __init__(
        self,
        held: Iterable[CertificateFile],
        known: Iterable[CertificateFile] = (),
        *,
        limits: Limits = LIMITS,
    ) -> None:
        held = tuple(held)
        self._limits = limits
        self._held = {one.der for one in held}
        self._file_of: dict[int, CertificateFile] = {}
        self._registry = _Registry(limits)
        roots = []
        for one in {one.der: one for one in (*known, *held)}.values():
            try:
                read = _strictly(one, limits)
                self._file_of[id(read)] = one
                if one.der in self._held and _may_be_root(one):
                    roots.append(CertTrustAnchor(read))
                else:
                    self._registry.register(read)
            except (*_UNREADABLE, _TooMuchWorkError):
                continue  # it cannot issue anything; presented itself, it is reported
        self._trust_manager = SimpleTrustManager.build(trust_roots=roots)

    def judge(self, presented: CertificateFile, *, on: int | None = None) -> Trust:
        """Say which of the two rules makes a presented certificate trusted.

        Parameters
        ----------
        on
            The day on which the whole chain must be valid; None leaves validity aside.

        Notes
        -----
        Bounded by the limits, whatever the certificates say.
        """
        if presented.kind in OWN_ANCHOR:
            if presented.der not in self._held:
                detail = "the self-signed certificate itself is not in the key database"
                return Trust(obstacle=Obstacle.NOT_HELD, detail=detail)
            return _dated(Trust(rule=TrustRule.EXACT_MATCH, chain=(presented,)), on)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old certificates are what this kit is about
            try:
                return self._chain(presented, on)
            except _TooMuchWorkError as error:
                return Trust(obstacle=Obstacle.TOO_COSTLY, detail=str(error))
            except _UNREADABLE as error:
                detail = f"it cannot be read strictly ({_first_line(error)})"
                return Trust(obstacle=Obstacle.INVALID, detail=detail)

    def _chain(self, presented: CertificateFile, on: int | None) -> Trust:
        self._registry.begin()
        own = _strictly(presented, self._limits)
        builder = PathBuilder(self._trust_manager, self._registry)
        paths = builder.async_build_paths_lazy(own)
        failed: Trust | None = None
        while True:
            try:
                path = _result(anext(paths))
            except StopAsyncIteration:
                break
            except PathBuildingError:
                break
            found = self._validated(presented, path, on)
            if found:
                return found
            failed = found if failed is None else failed
        if failed is not None:
            return failed
        missing = "no chain of known certificates leads to a root in the key database"
        return Trust(obstacle=Obstacle.NOT_HELD, detail=missing)

    def _validated(self, presented: CertificateFile, path: ValidationPath, on: int | None) -> Trust:
        self._registry.count()
        links = [*path.iter_certs(include_root=True)][::-1]
        chain = tuple(self._file_of.get(id(link), presented) for link in links)
        if len(chain) > self._limits.depth:
            detail = f"the chain has {len(chain)} certificates, more than {self._limits.depth}"
            return Trust(obstacle=Obstacle.TOO_LONG, detail=detail)
        _check_names(links, self._limits)
        context = ValidationContext(
            # Within the validity of all, where there is such a time; `_dated` judges the day.
            moment=max(link.not_valid_before for link in links),
            certificate_registry=self._registry,
            trust_manager=self._trust_manager,
            revinfo_policy=CertRevTrustPolicy(NO_REVOCATION),
            algorithm_usage_policy=AcceptAllAlgorithms(),
        )
        try:
            _result(async_validate_path(context, path))
        except ValidationError as error:
            never = max(one.not_before for one in chain) > min(one.not_after for one in chain)
            kind = Obstacle.EXPIRED if never else Obstacle.INVALID
            return Trust(obstacle=kind, detail=_first_line(error))
        return _dated(Trust(rule=TrustRule.CHAIN_TO_ROOT, chain=chain), on)


def _dated(trust: Trust, on: int | None) -> Trust:
    """Return the verdict if the whole chain is valid on a day, its anchor included."""
    outside = [
        one for one in trust.chain if on is not None and not one.not_before <= on < one.not_after
    ]
    if not outside:
        return trust
    names = ", ".join(quoted(one.subject) for one in outside)
    return Trust(obstacle=Obstacle.EXPIRED, detail=f"outside its validity: {names}")


def _may_be_root(one: CertificateFile) -> bool:
    """Whether a held certificate may end a chain: self-signed, and not marked as no CA."""
    return one.kind in OWN_ANCHOR and one.is_ca is not False


def _strictly(one: CertificateFile, limits: Limits) -> asn1.Certificate:
    """Parse a certificate for the path builder, all that it looks at, so that faults show here."""
    read = asn1.Certificate.load(one.der, strict=True)
    parts = len(read.subject.chosen) + len(read.issuer.chosen)
    if parts > limits.parts:
        raise _TooMuchWorkError(f"names of {parts:,} parts, more than {limits.parts}")
    _ = (read.subject.hashable, read.issuer.hashable, read.public_key.sha1, read.issuer_serial)
    _ = (read.key_identifier, read.authority_key_identifier, read.authority_issuer_serial)
    return read


def _check_names(links: Sequence[asn1.Certificate], limits: Limits) -> None:
    """Refuse chains in which many names meet many name constraints."""
    n_names, n_constraints = 0, 0
    for one in links:
        n_names += len(one.subject_alt_name_value or ())
        if constraints := one.name_constraints_value:
            n_constraints += sum(
                len(constraints[kind]) for kind in ("permitted_subtrees", "excluded_subtrees")
            )
    if n_names * n_constraints > limits.names:
        raise _TooMuchWorkError(f"{n_names:,} names under {n_constraints:,} name constraints")


def _result(awaited: Awaitable[_T]) -> _T:
    """Return what an awaitable gives that never waits, as nothing is fetched.

    An event loop of its own would fail in a notebook, which has one already.
    """
    steps = awaited.__await__()
    try:
        next(steps)
    except StopIteration as done:
        value: _T = done.value
        return value
    raise RuntimeError("the path validation waits for something; it was given nothing to fetch")


def _first_line(error: Exception) -> str:
    """Return the first line of a message, without what a terminal would obey."""
    return printable(str(error).partition("\n")[0][:200] or type(error).__name__)
