"""The container files: no default secret, everything watched, nothing that the supervisor's own rules forbid."""

import re

import pytest
import yaml

from tests.architecture.tree import ROOT

SECRETS = ("SECRET_KEY", "PERSON_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "ALLOWED_HOSTS")


@pytest.fixture(scope="module")
def text():
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services(text):
    return yaml.safe_load(text)["services"]


@pytest.mark.parametrize("secret", SECRETS)
def test_every_secret_must_be_given_and_none_has_a_default(text, secret):
    uses = re.findall(r"\$\{" + secret + r"\b[^}]*\}", text)
    assert uses
    assert all(use.startswith("${" + secret + ":?") for use in uses)


def test_each_process_of_production_runs_in_a_service_of_its_own(services):
    assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "beat"}
    assert "prefork" in str(services["worker"]["command"])
    assert "-B" not in str(services["worker"]["command"]).split()


def test_every_lasting_service_is_watched_and_restarted(services):
    for name in ("postgres", "redis", "worker", "beat"):
        assert "test" in services[name]["healthcheck"], name
        assert services[name]["restart"] == "unless-stopped", name
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_runs_as_a_person_without_rights(services):
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER (?!root)\w+", dockerfile, re.MULTILINE)
    assert dockerfile.index("USER ") < dockerfile.index("CMD [\"sh\"")


def test_the_image_leaves_data_secrets_and_history_outside():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", "var", ".env", ".venv"} <= set(ignored)
