"""From an empty folder to the first page and to the complete demo city: ``./run`` cold, then warm.

    python benchmarks/startup.py                    # the committed tree, packages from the configured index
    WHEELS=/media/wheels python benchmarks/startup.py   # offline

Copies the tree as committed (git archive) into a temporary folder, starts ``./run`` there on a free port, and waits for
the login page, then for the end of the demo's loading; stops it and starts it once more. Says where pip took the
packages from, because that decides the cold figure.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 900


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(tree: Path, port: int) -> Iterator[float]:
    """``./run`` in ``tree``; gives the moment it was started."""
    kept = ("PATH", "HOME", "LANG", "WHEELS", "PYTHON", "PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"PORT": str(port), "SITE_URL": f"http://127.0.0.1:{port}"}
    began = time.monotonic()
    site = subprocess.Popen(["./run"], cwd=tree, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield began
    finally:
        site.send_signal(signal.SIGTERM)
        site.wait(timeout=60)


def seconds_until(true: Callable[[], bool], began: float, what: str) -> float:
    while not true():
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"waited {PATIENCE} s for {what}")
        time.sleep(0.1)
    return time.monotonic() - began


def page_answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def demo_is_loaded(tree: Path) -> bool:
    with contextlib.closing(sqlite3.connect(tree / "var" / "db.sqlite3", timeout=20)) as database:
        rows = database.execute("SELECT state, outcome FROM core_job WHERE name = 'demo.load'").fetchall()
    if any(state == "failed" for state, _outcome in rows):
        raise SystemExit(f"the demo failed: {rows}")
    return bool(rows) and all(state == "done" for state, _outcome in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, default=None, help="keep the tree here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="startup-") as scratch:
        tree = given.folder or Path(scratch) / "tree"
        tree.mkdir(parents=True)
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(tree)], input=archive, check=True)
        wheels = os.environ.get("WHEELS", "")
        print(
            f"packages from {wheels or 'the configured index and the cache of uv or pip'}; load {os.getloadavg()[0]:.1f}"
        )
        port = free_port()
        with running(tree, port) as began:
            cold = seconds_until(lambda: page_answers(port), began, "the first page")
            print(f"cold ./run to the first page   {cold:7.1f} s   (target 120)", flush=True)
            loaded = seconds_until(lambda: demo_is_loaded(tree), began, "the demo city") - cold
            print(f"demo city complete after that  {loaded:7.1f} s   (target 90)", flush=True)
        with running(tree, port) as began:
            warm = seconds_until(lambda: page_answers(port), began, "the first page")
            print(f"warm ./run to the first page   {warm:7.1f} s   (target 10)")
    return 0 if cold <= 120 and warm <= 10 and loaded <= 90 else 1


if __name__ == "__main__":
    sys.exit(main())
