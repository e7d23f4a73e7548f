"""Registers the job."""

import time
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class SlowJobConfig(AppConfig):
    """``tests.slow``: one line per start in ``DATA_DIR/starts``, done as soon as ``DATA_DIR/go`` is there."""

    name = "tests.config.slow_job"
    label = "slow_job"

    def ready(self) -> None:
        from core.jobs import job

        @job("tests.slow", label="等待放行")
        def wait_for_go(run):
            folder = Path(settings.DATA_DIR)
            with (folder / "starts").open("a") as starts:
                starts.write("started\n")
            while not (folder / "go").exists():
                time.sleep(0.1)
            return "已放行"
