"""Certificates, their chains and trust anchors.

A certificate's *anchor* is itself when self-signed, else the last name reached by following
issuers up to the first self-signed or root. A last name that is a leaf or an intermediate is an
incomplete chain: holding it is not trust.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER, Days
from planner.domain.columns import check_columns, freeze_columns

DEFAULT_SUBJECT: Final = "CN=TSM Self-Signed Certificate,OU=TSM Network,O=TSM,C=US"
"""Subject of the self-signed certificate that a server makes for itself (EMPALIS)."""


class CertificateKind(IntEnum):
    """What a certificate is in its chain."""

    SELF_SIGNED = 0
    LEAF = 1
    INTERMEDIATE = 2
    ROOT = 3

    @property
    def label(self) -> str:
        """The name in files."""
        return self.name.casefold().replace("_", "-")


OWN_ANCHOR: Final = (CertificateKind.SELF_SIGNED, CertificateKind.ROOT)
"""Kinds of certificates that are their own anchor: holding one of them can be trust."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Certificates:
    """Columns of all certificates that a fleet names, in file order, undescribed ones last.

    Parameters
    ----------
    name, signature, file
        Texts, one a certificate.
    kind
        Shape `(n,)`, a `CertificateKind`.
    issuer, server
        Shape `(n,)`, a certificate and a server number, -1 for none.
    not_before, not_after, available
        Shape `(n,)`, days; valid in `[not_before, not_after)`. `available` is `ALWAYS` where not
        given.
    described
        Shape `(n,)`; false where no row of certificates.csv defines the name.
    line
        Shape `(n,)`, the line of certificates.csv; 0 for none.
    """

    name: tuple[str, ...]
    kind: NDArray[np.uint8]
    issuer: NDArray[np.int32]
    not_before: Days
    not_after: Days
    signature: tuple[str, ...]
    server: NDArray[np.int32]
    available: Days
    file: tuple[str, ...]
    described: NDArray[np.bool_]
    line: NDArray[np.int32]

    def __post_init__(self) -> None:
        check_columns(self, len(self.name))
        freeze_columns(self)

    def __len__(self) -> int:
        return len(self.name)

    def extended(self, names: tuple[str, ...]) -> "Certificates":
        """Return these and further, undescribed certificates: self-signed, always valid."""
        n = len(names)
        if not n:
            return self

        def more(column: NDArray[np.int32], value: int) -> NDArray[np.int32]:
            return np.concatenate([column, np.full(n, value, dtype=np.int32)])

        return Certificates(
            name=self.name + names,
            kind=np.concatenate([self.kind, np.zeros(n, dtype=np.uint8)]),
            issuer=more(self.issuer, -1),
            not_before=more(self.not_before, ALWAYS),
            not_after=more(self.not_after, NEVER),
            signature=self.signature + ("",) * n,
            server=more(self.server, -1),
            available=more(self.available, ALWAYS),
            file=self.file + ("",) * n,
            described=np.concatenate([self.described, np.zeros(n, dtype=np.bool_)]),
            line=more(self.line, 0),
        )

    def is_md5(self) -> NDArray[np.bool_]:
        """Whether each certificate's signature contains md5."""
        return np.array(["md5" in text.casefold() for text in self.signature], dtype=np.bool_)

    def chain(self, certificate: int) -> tuple[int, ...]:
        """Return the certificate itself, its issuers, and last its anchor."""
        chain = [certificate]
        while self.kind[chain[-1]] in (CertificateKind.LEAF, CertificateKind.INTERMEDIATE):
            issuer = int(self.issuer[chain[-1]])
            if issuer < 0 or issuer in chain:
                break
            chain.append(issuer)
        return tuple(chain)

    def is_anchor(self, certificate: int) -> bool:
        """Whether holding this certificate can be trust: it is self-signed or a root."""
        return self.kind[certificate] in OWN_ANCHOR

    def validity(self, certificate: int) -> tuple[int, int]:
        """Interval `[from, to)` in which the certificate and its whole chain are valid."""
        chain = list(self.chain(certificate))
        return int(self.not_before[chain].max()), int(self.not_after[chain].min())

    def all_open(self) -> Days:
        """First day on which each certificate can be had; `ALWAYS` where nothing says so."""
        return np.where(self.available == ALWAYS, self.not_before, self.available)

    def opens(self, anchor: int) -> int:
        """First day on which an anchor can be had; `ALWAYS` where nothing says so."""
        available = int(self.available[anchor])
        return int(self.not_before[anchor]) if available == ALWAYS else available
