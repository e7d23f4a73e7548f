"""``manage.py up`` as an operator meets it: real processes, killed for real."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from tests.architecture.tree import ROOT

PATIENCE = 40
pytestmark = pytest.mark.slow


class Site:
    """One embedded installation in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        self.environment = {
            **kept,
            "DATA_DIR": str(folder),
            "PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "tests.config.slow_job.settings",
            "PYTHONIOENCODING": "utf-8",
        }

    def manage(self, *arguments):
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )

    def enqueue(self):
        code = "import django; django.setup(); from core.jobs import enqueue; enqueue('tests.slow')"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=self.environment, check=True, timeout=PATIENCE)

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        wait_until(self.answers, "the first page")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.told = self.process.communicate(timeout=PATIENCE)[0]

    def answers(self):
        try:
            return urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1).status == 200
        except OSError:
            return False

    def parts(self):
        """Process numbers by part, read from the kernel."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat") as stat, open(f"/proc/{entry}/cmdline") as cmdline:
                        parent, command = int(stat.read().rsplit(")", 1)[1].split()[1]), cmdline.read()
                except OSError:
                    continue
                if parent == self.process.pid:
                    children["worker" if "celery" in command else "web"] = int(entry)
        return children

    def starts(self):
        path = self.folder / "starts"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def job(self):
        with sqlite3.connect(self.folder / "db.sqlite3", timeout=20) as database:
            return database.execute("SELECT state, outcome FROM core_job WHERE name = 'tests.slow'").fetchall()


def wait_until(true, what):
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with a database as a first start leaves it."""
    folder = tmp_path_factory.mktemp("installed")
    migrated = Site(folder).manage("migrate", "--noinput", "-v", "0")
    assert migrated.returncode == 0, migrated.stderr
    return folder


@pytest.fixture
def site(installed, tmp_path):
    shutil.copytree(installed, tmp_path, dirs_exist_ok=True)
    return Site(tmp_path)


def test_a_job_whose_worker_is_killed_is_finished_once_by_the_next_worker(site):
    with site:
        site.enqueue()
        wait_until(lambda: site.starts() == 1, "the first start")
        os.kill(site.parts()["worker"], signal.SIGKILL)
        wait_until(lambda: site.starts() == 2, "the second start")
        (site.folder / "go").touch()
        wait_until(lambda: site.job() == [("done", "已放行")], "the end of the job")
    assert site.starts() == 2
    assert "后台任务意外停止（代码 -9）" in site.told


def test_a_terminated_site_stops_every_part_and_says_so(site):
    with site:
        wait_until(lambda: len(site.parts()) == 2, "web and worker")
        parts = site.parts().values()
    assert site.process.returncode == 0
    assert not any(map(alive, parts))
    assert f"系统已启动：http://127.0.0.1:{site.port}" in site.told
    assert "系统已停止" in site.told


def test_a_killed_supervisor_leaves_no_part_behind(site):
    with site:
        parts = list(site.parts().values())
        site.process.kill()
        wait_until(lambda: not any(map(alive, parts)), "the end of all parts")


def test_a_second_site_on_the_same_data_or_port_is_refused_in_words(site, tmp_path):
    with site:
        same_data = site.manage("up")
        site.environment["DATA_DIR"] = str(tmp_path / "other")
        same_port = site.manage("up")
    assert same_data.returncode == same_port.returncode == 1
    assert "已有一个系统在运行" in same_data.stderr
    assert f"127.0.0.1:{site.port} 无法使用" in same_port.stderr
