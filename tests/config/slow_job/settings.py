"""The embedded settings with the slow job installed."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.config.slow_job.apps.SlowJobConfig"]
