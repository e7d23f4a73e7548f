"""The Celery application.

Settings come from the ``CELERY_`` names in ``config.settings``; each ``tasks.py`` is discovered. The ``Job`` table
is the truth about work, a message only says that there is some: no result backend, a lost message is no lost work.
"""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def use_the_log_settings_of_the_site(**_: Any) -> None:
    """Keep Celery from installing its own log format."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@celeryd_init.connect
def give_way_to_the_pages(**_: Any) -> None:
    """A worker and its children take what the web processes leave of the processors: somebody is waiting for a page."""
    os.nice(10)
