"""Certificate files of a site, in any form and with any name."""

from planner.domain.errors import CertificateError
from planner.inventory.importing.evidence import (
    CertificateFound,
    Evidence,
    Lines,
    LineUse,
    Source,
)
from planner.inventory.x509 import read_certificates


def read_certificate(file: str, content: bytes, *, server: str = "") -> Evidence:
    """Read a certificate file; one that cannot be read, or holds a private key, is a fault.

    Parameters
    ----------
    file, content
        What the source is called, and its content.
    server
        The server that presents the first certificate of the file, where that is known.
    """
    n_lines = max(1, content.count(b"\n") + (not content.endswith(b"\n")))
    try:
        parts = read_certificates(file, content)
    except CertificateError as error:
        lines = Lines(file, 1, n_lines, LineUse.FAULT, "", "no certificate")
        return Evidence(lines=(lines,), faults=error.faults)
    what = "certificate" if len(parts) == 1 else f"{len(parts)} certificates"
    found = CertificateFound(
        file=file, content=content, parts=parts, server=server, source=Source(file, 1)
    )
    lines = Lines(file, 1, n_lines, LineUse.USED, parts[0].subject, what)
    return Evidence(certificates=(found,), lines=(lines,))
