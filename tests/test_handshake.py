"""Real TLS on the loopback interface: it succeeds exactly where the engine and the judge say so."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import planner
from planner.domain.calendar import to_day
from planner.domain.certificates import CertificateKind
from planner.domain.rules import RULES, Mode
from planner.engine import kernel
from tests.authorities import DEFAULT, FAR_AHEAD, Made, make, root
from tests.builders import action, case, client, server, session, trust, write_case

# Everything "valid" is valid today and on the plan's days; everything "expired" long since is not.
EXPIRED = "2010-01-01"
NOT_YET = "2150-01-01"
DAY = datetime.date(2025, 3, 10)

ROOT = root()
ISSUING = make("Issuing", ROOT, is_ca=True)
OLD_ROOT = root("Old root", not_after=EXPIRED)
OLD_ISSUING = make("Old issuing", ROOT, is_ca=True, not_after=EXPIRED)
FORGER = root("Forger")
OWN = make(DEFAULT, key_name="own")
OTHER = make(DEFAULT, key_name="other")

PRESENTED: Mapping[str, tuple[Made, ...]] = {
    "own": (OWN,),
    "own-with-ca-flag": (make(DEFAULT, key_name="flagged", is_ca=True),),
    "own-expired": (make(DEFAULT, key_name="late", not_after=EXPIRED),),
    "own-not-yet": (make(DEFAULT, key_name="soon", not_before=NOT_YET),),
    "leaf": (make("leaf", ISSUING), ISSUING),
    "direct": (make("direct", ROOT),),
    "leaf-expired": (make("late leaf", ISSUING, not_after=EXPIRED), ISSUING),
    "leaf-of-expired-issuing": (make("leaf 2", OLD_ISSUING), OLD_ISSUING),
    "leaf-of-expired-root": (make("leaf 3", OLD_ROOT),),
    "forged": (make("forged", FORGER, issuer_name="Root"),),
}
"""What a server presents: its certificate, and the intermediates that it sends along."""

HELD: Mapping[str, tuple[Made, ...]] = {
    "nothing": (),
    "own": (OWN,),
    "another-servers": (OTHER,),
    "own-with-ca-flag": PRESENTED["own-with-ca-flag"],
    "reissued": (make(DEFAULT, key_name="flagged", is_ca=True, serial=2),),
    "own-expired": PRESENTED["own-expired"],
    "own-not-yet": PRESENTED["own-not-yet"],
    "root": (ROOT,),
    "intermediate-alone": (ISSUING,),
    "leaf-alone": (PRESENTED["leaf"][0],),
    "expired-root": (OLD_ROOT,),
    "forger": (FORGER,),
    "old-and-new": (OWN, ROOT),
}
"""What lies in a key database."""

EVERYTHING: Mapping[bytes, Made] = {
    made.der: made
    for made in (*itertools.chain(*PRESENTED.values()), *itertools.chain(*HELD.values()))
}
NAMES = {der: f"c{number:02}" for number, der in enumerate(EVERYTHING)}


@contextmanager
def tls_server(made: tuple[Made, ...], folder: Path) -> Iterator[int]:
    """Serve TLS on the loopback interface until the block ends; gives the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made[0].write_with_key(folder / "server.pem", made[1:]))
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return  # the block has ended
                try:
                    with context.wrap_socket(plain, server_side=True) as secured:
                        secured.sendall(b"hello")
                except (ssl.SSLError, OSError):
                    plain.close()  # the client did not trust the certificate

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def shakes_hands(port: int, held: bytes) -> bool:
    """Whether a client that holds some certificates, in PEM, gets a word from the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the product's own certificates name no host
    # The flags of newer versions of Python make an intermediate an anchor, and demand key ids.
    context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST
    if held:
        context.load_verify_locations(cadata=held.decode("ascii"))
    try:
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain) as secured,
        ):
            presented = secured.getpeercert(binary_form=True)
            word = secured.recv(5)
    except ssl.SSLCertVerificationError:
        return False
    assert presented is not None
    is_own = EVERYTHING[presented].read.kind in (CertificateKind.SELF_SIGNED, CertificateKind.ROOT)
    anchors = [ssl.PEM_cert_to_DER_cert(part) for part in parts(held)]
    # A self-signed certificate is pinned: a namesake with the same key is not the same one.
    return word == b"hello" and (not is_own or presented in anchors)


def write_certificates(folder: Path) -> None:
    """Write every certificate of the tables under its name."""
    folder.mkdir()
    for der, made in EVERYTHING.items():
        (folder / f"{NAMES[der]}.pem").write_bytes(made.pem)


def parts(pem: bytes) -> list[str]:
    end = "-----END CERTIFICATE-----\n"
    return [part + end for part in pem.decode("ascii").split(end) if part.strip()]


def fleet_folder(folder: Path) -> Path:
    """Write a fleet with a server for each presented certificate and a client for each content."""
    clients, sessions, held = [], [], []
    for content, what in HELD.items():
        clients.append(client(f"has-{content}", "8.1.13"))
        held += [trust(f"has-{content}", NAMES[made.der]) for made in what]
        sessions += [session(f"has-{content}", presented, ssl="Yes") for presented in PRESENTED]
    servers = [
        server(name, "8.1.13", certificate=NAMES[made[0].der]) for name, made in PRESENTED.items()
    ]
    built = case(servers=servers, clients=clients, sessions=sessions, trust=held)
    write_case(built, folder)
    write_certificates(folder / "certs")
    return folder


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bool]:
    """Whether the engine lets each client talk to each server."""
    fleet = planner.read_fleet(fleet_folder(tmp_path_factory.mktemp("fleet") / "fleet"))
    timeline = planner.simulate(fleet.draft_plan())
    rules = timeline.rule_on(to_day(DAY))
    found = {}
    for number, rule in enumerate(rules.tolist()):
        name = fleet.endpoint_name(int(fleet.sessions.client[number])).removeprefix("has-")
        key = (fleet.servers.name[fleet.sessions.server[number]], name)
        found[key] = kernel.MODE_OF_RULE[rule] == Mode.TLS_FULL
        assert found[key] or RULES[rule].mode is Mode.REFUSED
    return found


@pytest.mark.parametrize("presented", PRESENTED)
def test_handshakes_agree_with_the_engine_and_with_the_judge(
    presented: str, verdicts: dict[tuple[str, str], bool], tmp_path: Path
) -> None:
    folder = tmp_path / "certs"
    write_certificates(folder)
    inventory = planner.certificates(folder)
    own = PRESENTED[presented]
    with tls_server(own, tmp_path) as port:
        for content, held in HELD.items():
            happened = shakes_hands(port, b"".join(one.pem for one in held))
            judged = inventory.trust(
                NAMES[own[0].der], held=[NAMES[one.der] for one in held], on=DAY
            )
            assert (happened, bool(judged)) == (verdicts[presented, content],) * 2, content


def test_the_table_holds_both_outcomes(verdicts: dict[tuple[str, str], bool]) -> None:
    trusted = {pair for pair, holds in verdicts.items() if holds}
    assert trusted == {
        ("own", "own"),
        ("own", "old-and-new"),
        ("own-with-ca-flag", "own-with-ca-flag"),
        ("leaf", "root"),
        ("leaf", "old-and-new"),
        ("direct", "root"),
        ("direct", "old-and-new"),
    }
    assert len(verdicts) == len(PRESENTED) * len(HELD)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """Files of the bundle of a client for each presented certificate, from a completed plan."""
    folder = tmp_path_factory.mktemp("bundles")
    built = dataclasses.replace(
        case(
            servers=[
                server(
                    name,
                    certificate=NAMES[made[0].der],
                    target_level="8.1.13",
                    upgrade="2025-03-24",
                )
                for name, made in PRESENTED.items()
            ],
            clients=[client(f"for-{name}", "8.1.13", platform="Linux") for name in PRESENTED],
            sessions=[session(f"for-{name}", name) for name in PRESENTED],
        ),
        plan=None,
    )
    write_case(built, folder / "fleet")
    write_certificates(folder / "fleet" / "certs")
    planner.plan(folder / "fleet", out=folder / "out", runbooks=True)
    return {
        name: {
            file.stem: file.read_bytes()
            for file in (folder / "out" / "bundles" / f"for-{name}" / "default").glob("*.arm")
        }
        for name in PRESENTED
    }


def test_a_bundle_is_generated_where_a_certificate_can_be_trusted_at_all(
    bundles: dict[str, dict[str, bytes]],
) -> None:
    assert {name: sorted(files) for name, files in bundles.items()} == {
        "own": [NAMES[OWN.der]],
        "own-with-ca-flag": [NAMES[PRESENTED["own-with-ca-flag"][0].der]],
        "own-expired": [],
        "own-not-yet": [],
        "leaf": [NAMES[ROOT.der]],
        "direct": [NAMES[ROOT.der]],
        "leaf-expired": [],
        "leaf-of-expired-issuing": [],
        "leaf-of-expired-root": [],
        "forged": [],
    }


@pytest.mark.parametrize("presented", PRESENTED)
def test_handshakes_with_exactly_the_generated_bundles_agree_with_the_engine(
    presented: str, bundles: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    built = case(
        servers=[server(presented, "8.1.13", certificate=NAMES[PRESENTED[presented][0].der])],
        clients=[client(f"for-{name}", "8.1.13") for name in PRESENTED],
        sessions=[session(f"for-{name}", presented) for name in PRESENTED],
        trust=[trust(f"for-{name}", held) for name, files in bundles.items() for held in files],
    )
    write_case(built, tmp_path / "fleet")
    write_certificates(tmp_path / "fleet" / "certs")
    timeline = planner.simulate(planner.read_fleet(tmp_path / "fleet").draft_plan())
    modes = dict(zip(PRESENTED, timeline.mode_on(to_day(DAY)).tolist(), strict=True))
    with tls_server(PRESENTED[presented], tmp_path) as port:
        for name, files in bundles.items():
            happened = shakes_hands(port, b"".join(files.values()))
            assert happened is (modes[name] == Mode.TLS_PARTIAL), name
            assert happened or modes[name] == Mode.REFUSED
    if bundles[presented]:  # what it was made for works
        assert modes[presented] == Mode.TLS_PARTIAL


def test_a_client_with_exactly_its_bundle_reaches_every_server_before_and_after_a_replacement(
    tmp_path: Path,
) -> None:
    built = case(
        servers=[
            server("srv1", "8.1.19", certificate="own"),
            server("srv2", "8.1.19", certificate="direct"),
            server("srv3", "8.1.19", certificate="other"),
        ],
        clients=[client("BA01", "8.1.13", platform="Linux"), client("BA02", "8.1.13")],
        sessions=[
            session("BA01", "srv1", ssl="Yes"),
            session("BA01", "srv2", ssl="Yes"),
            session("BA02", "srv3", ssl="Yes"),
        ],
        trust=[trust("BA01", "own"), trust("BA02", "other")],
        plan=[
            action("2025-03-03", "import-certificate", client="BA01", certificate="root"),
            action("2025-03-17", "replace-certificate", server="srv1", certificate="leaf"),
        ],
    )
    write_case(built, tmp_path / "fleet")
    (tmp_path / "fleet" / "certs").mkdir()
    leaf, direct = PRESENTED["leaf"], PRESENTED["direct"]
    for name, made in (
        ("own", OWN),
        ("other", OTHER),
        ("root", ROOT),
        ("issuing", ISSUING),
        ("leaf", leaf[0]),
        ("direct", direct[0]),
    ):
        (tmp_path / "fleet" / "certs" / f"{name}.pem").write_bytes(made.pem)
    run = planner.plan(tmp_path / "fleet", out=tmp_path / "out", runbooks=True)
    assert run.measures.refused_session_days == 0
    bundle = tmp_path / "out" / "bundles" / "BA01" / "default"
    files = sorted(bundle.glob("*.arm"))
    assert [file.name for file in files] == ["own.arm", "root.arm"]  # and not one more
    held = b"".join(file.read_bytes() for file in files)
    for number, (shown, is_reached) in enumerate(
        [((OWN,), True), (leaf, True), (direct, True), ((OTHER,), False)]
    ):
        (tmp_path / f"server{number}").mkdir()
        with tls_server(shown, tmp_path / f"server{number}") as port:
            assert shakes_hands(port, held) is is_reached


def test_the_handshake_can_tell_the_difference(tmp_path: Path) -> None:
    with tls_server((OWN,), tmp_path) as port:
        assert shakes_hands(port, OWN.pem)
        assert not shakes_hands(port, OTHER.pem)
        assert not shakes_hands(port, b"")
    assert FAR_AHEAD > NOT_YET
