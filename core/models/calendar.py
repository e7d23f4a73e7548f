"""Shifted working days that the State Council's yearly notice sets and no library can know in advance."""

from __future__ import annotations

from django.db import models


class WorkdayOverride(models.Model):
    day = models.DateField("日期", unique=True)
    is_working = models.BooleanField("上班")
    note = models.CharField("依据", max_length=120)

    class Meta:
        verbose_name = "调休安排"
        verbose_name_plural = "调休安排"
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day} {'上班' if self.is_working else '休息'}"
