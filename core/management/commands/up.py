"""``manage.py up``: the whole site in one foreground process group (web, worker, scheduler).

Starts each part, watches them every second, restarts one that died (waiting longer each time it dies young), and puts
unfinished jobs back into the queue before every start of the worker: the ``Job`` table is the truth, a message may be
lost. SIGTERM or SIGINT stops all parts and kills after 15 seconds what has not stopped. One ``up`` per data directory.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from core import jobs

SECONDS_TO_STOP = 15
LONGEST_WAIT = 30
LIVED_WELL = 60
"""Seconds: a part that lived longer than this is restarted at once and its back-off forgotten."""


@dataclass
class Part:
    """One supervised process; ``before`` runs ahead of every start."""

    name: str
    label: str
    command: list[str]
    before: Callable[[], None] = lambda: None
    stop_signal: int = signal.SIGTERM
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    wait: int = 0
    start_at: float = 0.0

    def start(self) -> None:
        """Start the process in a group of its own, its log lines in ``DATA_DIR/logs``."""
        self.before()
        logs = settings.DATA_DIR / "logs"
        with open(logs / f"{self.name}.err", "wb") as errors:
            self.process = subprocess.Popen(
                self.command,
                cwd=settings.BASE_DIR,
                env={**os.environ, "LOG_FILE": str(logs / f"{self.name}.log")},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
                preexec_fn=die_with_the_supervisor,
            )
        self.started = time.monotonic()

    def look_after(self) -> str:
        """Start the process when it is due, notice when it has died; returns what to tell, or an empty text."""
        now = time.monotonic()
        if self.process is None:
            if now < self.start_at:
                return ""
            try:
                self.start()
            except Exception as error:  # for example a database that is away for a moment
                self._back_off(now)
                return f"{self.label}无法启动（{error}），{self.wait} 秒后再试。"
            return ""
        code = self.process.poll()
        if code is None:
            return ""
        self.signal_group(signal.SIGKILL)  # children of a killed parent must not work on beside the new one
        if now - self.started > LIVED_WELL:
            self.wait = 0
        self._back_off(now)
        self.process = None
        return f"{self.label}意外停止（代码 {code}），{self.wait} 秒后重新启动。{self._last_words() if code > 0 else ''}"

    def _last_words(self) -> str:
        text = (settings.DATA_DIR / "logs" / f"{self.name}.err").read_text(encoding="utf-8", errors="replace").strip()
        return "\n    " + text.splitlines()[-1] if text else ""

    def _back_off(self, now: float) -> None:
        self.wait = min(max(1, self.wait * 2), LONGEST_WAIT)
        self.start_at = now + self.wait

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and its children."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


class Command(BaseCommand):
    help = "启动整个系统：网页、后台任务、定时任务（前台运行，Ctrl+C 停止）"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prepare", action="store_true", help="先升级数据库、收集静态文件；空的内置库载入演示城市")

    def handle(self, *args: Any, prepare: bool = False, **options: Any) -> None:
        (settings.DATA_DIR / "logs").mkdir(parents=True, exist_ok=True)
        lock = self._only_one()
        refuse_taken_port(settings.HOST, settings.PORT)
        if prepare:
            prepare_installation()
        connections.close_all()
        self._supervise()
        lock.close()

    def _only_one(self) -> TextIO:
        lock = open(settings.DATA_DIR / "up.lock", "w")  # noqa: SIM115  held until the process ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            busy = f"数据目录 {settings.DATA_DIR} 已有一个系统在运行：请先停止它，或另设 DATA_DIR。"
            raise CommandError(busy) from None
        return lock

    def _supervise(self) -> None:
        stopping = False

        def stop(_number: int, _frame: Any) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        parts = [web(), *workers()]
        announced = False
        try:
            while not stopping:
                for part in parts:
                    told = "" if stopping else part.look_after()
                    if told:
                        self.stderr.write(told)
                if not announced and answers(settings.HOST, settings.PORT):
                    announced = True
                    self.stdout.write(f"系统已启动：{settings.SITE_URL}")
                    self.stdout.write(f"按 Ctrl+C 停止；日志在 {settings.DATA_DIR / 'logs'}")
                    self.stdout.flush()
                time.sleep(1 if announced else 0.1)
        finally:
            stop_all(parts)
            self.stdout.write("系统已停止。")


def stop_all(parts: list[Part]) -> None:
    """Terminate every part, wait up to 15 seconds together, then kill what is left."""
    for part in parts:
        if part.process is not None:
            part.process.send_signal(part.stop_signal)
    deadline = time.monotonic() + SECONDS_TO_STOP
    for part in parts:
        if part.process is None:
            continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            part.process.wait(max(0.1, deadline - time.monotonic()))
        part.signal_group(signal.SIGKILL)
        part.process.wait()


def web() -> Part:
    """The web server: waitress with a few threads; behind a proxy only the named one is believed."""
    host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
    command = [
        *(sys.executable, "-m", "waitress"),
        f"--listen={host}:{settings.PORT}",
        f"--threads={settings.WEB_THREADS}",
        f"--max-request-body-size={settings.UPLOAD_MAX_BYTES}",
    ]
    if settings.TRUSTED_PROXY:
        command += [
            f"--trusted-proxy={settings.TRUSTED_PROXY}",
            "--trusted-proxy-headers=x-forwarded-proto x-forwarded-for",
        ]
    # waitress finishes the requests in hand on SIGINT only
    return Part("web", "网页服务", [*command, "config.wsgi:application"], stop_signal=signal.SIGINT)


def workers() -> list[Part]:
    """Worker and scheduler.

    On the filesystem broker one threaded worker with the scheduler inside: there, a killed child of a prefork worker
    hangs it for good. On Redis a prefork worker beside a scheduler of its own.
    """
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    quiet = ["--loglevel", "WARNING"]
    if not settings.REDIS_URL:
        command = [*celery, "worker", "-P", "threads", "-c", "2", "-B", *quiet, "--without-gossip", "--without-mingle"]
        return [Part("worker", "后台任务", command, before=requeue)]
    return [
        Part("worker", "后台任务", [*celery, "worker", "-P", "prefork", "-c", "2", *quiet], before=requeue),
        Part("beat", "定时任务", [*celery, "beat", "--pidfile=", *quiet]),
    ]


def requeue() -> None:
    """Put unfinished jobs back into the queue, then let go of the connection: the parent only watches.

    Embedded, this worker is the only one, so every running job has died with it; on Redis others may be at work.
    """
    jobs.requeue_stale() if settings.REDIS_URL else jobs.requeue_all_running()
    connections.close_all()


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def die_with_the_supervisor() -> None:
    """Runs in the new process: when the supervisor itself is killed, no part stays behind on its port or its queue."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def answers(host: str, port: int) -> bool:
    """Whether something listens there."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        socket.create_connection((reachable, port), timeout=1).close()
    except OSError:
        return False
    return True


def refuse_taken_port(host: str, port: int) -> None:
    """Raise ``CommandError`` when the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = f"地址 {host}:{port} 无法使用（{error.strerror}）：请停止占用它的程序，或设 PORT 换一个端口。"
            raise CommandError(taken) from None


def prepare_installation() -> None:
    """Upgrade the database, collect static files when they changed, fill an empty embedded one with the demo city."""
    call_command("migrate", interactive=False, verbosity=0)
    stamp, now = settings.STATIC_ROOT / ".stamp", fingerprint_of_static_files()
    if not stamp.exists() or stamp.read_text() != now:
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        stamp.write_text(now)
    if settings.ENV == "embedded":  # its people have a documented password: nothing for a production database
        call_command("demo", first_start=True)


def fingerprint_of_static_files() -> str:
    """A digest of names, sizes and times of the static sources and of the installed package list."""
    digest = hashlib.sha256((settings.BASE_DIR / "requirements.txt").read_bytes())
    for path in _static_sources():
        status = path.stat()
        digest.update(f"{path}|{status.st_size}|{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _static_sources() -> Iterator[Path]:
    roots = [Path(root) for root in settings.STATICFILES_DIRS]
    yield from (path for root in roots for path in sorted(root.rglob("*")) if path.is_file())
