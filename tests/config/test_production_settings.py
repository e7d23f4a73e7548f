"""A production installation starts with every secret given, or says everything that is missing."""

import os
import stat
import subprocess
import sys

import pytest

from config.environment import kept_secret
from tests.architecture.tree import ROOT

GOOD = {
    "DATABASE_URL": "postgres://fund:fund@127.0.0.1:5432/fund",
    "SECRET_KEY": "b1c8f3a97d2e4650b1c8f3a97d2e4651",
    "PERSON_KEY": "0f9e8d7c6b5a49382716f0e1d2c3b4a5",
    "ALLOWED_HOSTS": "fund.example.gov.cn",
}


def start(data_dir, **variables):
    """Load the settings in a fresh process with these variables only."""
    code = "from config import settings as s; print(s.SESSION_COOKIE_SECURE, s.SECURE_HSTS_SECONDS, s.DEBUG)"
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir), "PYTHONIOENCODING": "utf-8", **variables}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8"
    )


def test_a_complete_production_environment_starts_with_secure_cookies(tmp_path):
    run = start(tmp_path, **GOOD)
    assert run.stdout.split() == ["True", "31536000", "False"], run.stderr


def test_everything_that_is_missing_is_told_at_once(tmp_path):
    run = start(tmp_path, ENV="production", DEBUG="1", PORT="eight")
    assert run.returncode != 0
    assert "ImproperlyConfigured" in run.stderr
    for name in ("SECRET_KEY", "PERSON_KEY", "ALLOWED_HOSTS", "DEBUG", "PORT"):
        assert name in run.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "django-insecure-0123456789abcdefghijklmnop"),
        ("SECRET_KEY", "changeme-changeme-changeme-changeme-1234"),
        ("SECRET_KEY", "a" * 64),
        ("SECRET_KEY", GOOD["PERSON_KEY"]),
        ("PERSON_KEY", ""),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "*"),
        ("DEBUG", "1"),
        ("HTTPS", "maybe"),
        ("ENV", "prod"),
    ],
)
def test_production_refuses_a_missing_weak_or_unreadable_setting(tmp_path, variable, value):
    run = start(tmp_path, **{**GOOD, variable: value})
    assert run.returncode != 0
    assert variable in run.stderr


def test_a_bureau_without_a_certificate_may_switch_the_transport_rules_off(tmp_path):
    assert start(tmp_path, **GOOD, HTTPS="0").stdout.split() == ["False", "0", "False"]


def test_an_embedded_installation_makes_its_keys_once_and_keeps_them_to_itself(tmp_path):
    assert start(tmp_path).returncode == 0
    keys = {path.name: path.read_text() for path in tmp_path.glob("*.key")}
    assert sorted(keys) == ["person.key", "secret.key"]
    assert len(set(keys.values())) == 2
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600 for name in keys)
    assert start(tmp_path).returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.glob("*.key")} == keys


def test_a_key_that_others_may_read_is_closed_again(tmp_path):
    kept = kept_secret(tmp_path / "person.key")
    (tmp_path / "person.key").chmod(0o644)
    assert kept_secret(tmp_path / "person.key") == kept
    assert stat.S_IMODE((tmp_path / "person.key").stat().st_mode) == 0o600
