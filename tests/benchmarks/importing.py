"""Benchmark of importing: `python -m tests.benchmarks.importing [nodes]`.

Nodes on twenty servers, each with a handshake in the log, every tenth with an options file of its
own. CPU time of the process, and its largest memory, both of one run in a fresh folder.
"""

import argparse
import datetime
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import planner
from planner.cli import Bar
from planner.inventory.importing.evidence import LineUse
from planner.reporting.import_run import Import

N_SERVERS = 20
_LEVELS = ("7,1,6,3", "8,1,0,2", "8,1,13,0", "8,1,22,0")


def write_site(folder: Path, n_nodes: int) -> None:
    """Write the exports of all servers, and the options files of every tenth client."""
    (folder / "servers").mkdir(parents=True)
    for server in range(N_SERVERS):
        text = "\n".join(_export(server, range(server, n_nodes, N_SERVERS)))
        (folder / "servers" / f"srv{server:02}.txt").write_text(text + "\n")
    for node in range(0, n_nodes, 10):
        own = folder / "hosts" / f"{node // 1_000:03}" / f"node{node:06}"
        own.mkdir(parents=True)
        (own / "dsm.sys").write_text(
            f"SErvername SRV{node % N_SERVERS:02}\n"
            f"   TCPServeraddress srv{node % N_SERVERS:02}.example\n"
            "   TCPPort 1500\n   PASSWORDAccess generate\n   SSLACCEPTCERTFROMSERV No\n"
        )


def _export(server: int, nodes: range) -> Iterator[str]:
    yield f"PLANNER-STATUS,SRV{server:02},8,1,{27 if server % 2 else 1},0,"
    yield "PLANNER-OPTION,TCPPort,1500,"
    for node in nodes:
        name, level = f"NODE{node:06}", _LEVELS[node % len(_LEVELS)]
        yield (
            f"PLANNER-NODE,{name},Linux x86-64,LNX,{level},{name.lower()},10.0.0.1,"
            "2026-07-20 10:00:00.000000,CLIENT,"
        )
        yield f"PLANNER-SECURITY,node,{name},{'Strict' if node % 3 else 'Transitional'},"
        yield (
            f'PLANNER-LOG,2026-07-20 10:00:00.000000,"ANR0406I Session {node:,} started for node '
            f'{name} (Linux x86-64) (Tcp/Ip {name.lower()}(4711)).  (SESSION: {node})",'
        )
    yield f'PLANNER-COUNT,node,"{len(nodes):,}",'


def run(n_nodes: int, observer: Callable[[str, int, int], None] | None = None) -> Import:
    """Write a site of so many nodes, import it, and print time and memory of the import."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_site(folder / "site", n_nodes)
        before = _peak()
        started = time.process_time()
        made = planner.import_fleet(
            folder / "site",
            out=folder / "fleet",
            start=datetime.date(2026, 7, 20),
            observer=observer,
        )
        spent = time.process_time() - started
    n_lines = sum(made.count(use) for use in LineUse)
    print(
        f"{n_nodes:,} nodes, {n_lines:,} lines: {spent:.1f} s CPU, "
        f"{spent / n_nodes * 1e6:.0f} us a node, {(_peak() - before) / n_nodes * 1024:.0f} B a "
        f"node, {_peak() / 1024:.0f} MB at most; {made!r}; {made.as_is!r}"
    )
    return made


def _peak() -> int:
    """Largest memory of the process so far [KiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Run the benchmark of the size that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", type=int, nargs="?", default=100_000)
    bar = Bar()
    run(parser.parse_args().nodes, bar)
    bar.close()


if __name__ == "__main__":
    main()
