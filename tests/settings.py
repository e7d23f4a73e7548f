"""Settings of the tests: the site's own, with a data directory that is thrown away and a quick password hash.

Without ``DATABASE_URL`` the test database is an SQLite file there: threads and processes meet in it as they do in use.
"""

import atexit
import os
import shutil
import tempfile

_data_dir = tempfile.mkdtemp(prefix="tests-")
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)
os.environ.update(
    ENV="test",
    DEBUG="0",
    DATA_DIR=_data_dir,
    SECRET_KEY="tests-only-" + "k" * 40,
    PERSON_KEY="tests-only-" + "p" * 40,
    LOG_LEVEL="ERROR",
    DJANGO_ALLOW_ASYNC_UNSAFE="1",
)
os.environ.pop("LOG_FILE", None)
os.environ.pop("ALLOWED_HOSTS", None)

from config.settings import *  # noqa: E402, F403
from config.settings import DATA_DIR, DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "whitenoise.runserver_nostatic"]
KEEP_FIGURES = False  # tests write past the services; test_kept_figures has its own
WHITENOISE_AUTOREFRESH = True
CELERY_TASK_DEFAULT_QUEUE = f"tests-{os.getpid()}"

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=OFF;"
