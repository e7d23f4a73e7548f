"""What a start prepares: the demonstration city in an empty embedded installation, nothing invented in any other."""

import pytest

from core.management.commands.up import fingerprint_of_static_files, prepare_installation
from core.models import PoolingArea


@pytest.fixture
def site(db, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    (tmp_path / ".stamp").write_text(fingerprint_of_static_files())
    return settings


def test_an_empty_embedded_installation_begins_with_the_demonstration_city(site):
    site.ENV = "embedded"
    prepare_installation()
    prepare_installation()
    assert PoolingArea.objects.get().is_demo


def test_a_production_database_is_never_filled_with_people_of_a_known_password(site):
    site.ENV = "production"
    prepare_installation()
    assert not PoolingArea.objects.exists()


def test_an_installation_with_a_city_gets_no_demonstration_beside_it(site):
    PoolingArea.objects.create(code="360900", name="宜春市")
    site.ENV = "embedded"
    prepare_installation()
    assert list(PoolingArea.objects.values_list("code", flat=True)) == ["360900"]
