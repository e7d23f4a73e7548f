"""后台: what administrators configure, saved through services only."""

from django.contrib import admin
from django.contrib.auth.models import Group

from core.admin import people, places, policy  # noqa: F401

if admin.site.is_registered(Group):
    admin.site.unregister(Group)
