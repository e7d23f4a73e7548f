"""Users and the dated grants that give them a role at a place."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from core.models.places import Alliance, County, Institution, Place, PoolingArea, valid_on


class Role(models.TextChoices):
    FUND_OFFICER = "fund_officer", "基金经办"
    FUND_REVIEWER = "fund_reviewer", "基金复核"
    FUND_FINANCE = "fund_finance", "基金财务"
    HOSPITAL_FINANCE = "hospital_finance", "医共体财务"
    MEMBER_INSTITUTION = "member_institution", "成员单位"
    AUDITOR = "auditor", "稽核"
    AUDIT_REVIEWER = "audit_reviewer", "稽核复核"
    LEGAL_REVIEWER = "legal_reviewer", "法制审核"
    TIP_SECRECY = "tip_secrecy", "举报保密"
    DUTY_BODY = "duty_body", "责任单位"
    OBSERVER = "observer", "领导与观察"
    ADMINISTRATOR = "administrator", "系统管理员"


class User(AbstractUser):
    """A person with an account. Leavers are disabled with their grants ended, never deleted."""

    full_name = models.CharField("姓名", max_length=40)
    employer = models.CharField("单位", max_length=80, blank=True)
    must_change_password = models.BooleanField("下次登录须改密码", default=True)
    previous_login_at = models.DateTimeField("上次登录", null=True, blank=True)

    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        verbose_name = "用户"
        verbose_name_plural = "用户"
        ordering = ["username"]

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        return self.full_name

    def grants_on(self, day: date) -> list[RoleGrant]:
        """Valid grants with their places, read once per day and user object."""
        cache: dict[date, list[RoleGrant]] = self.__dict__.setdefault("_grants_by_day", {})
        if day not in cache:
            cache[day] = list(
                self.grants.filter(valid_on(day)).select_related(
                    "pooling_area", "county__pooling_area", "alliance__county__pooling_area", "institution__county"
                )
            )
        return cache[day]


class RoleGrant(models.Model):
    """A role at exactly one place for a period. Who gave it is kept; nobody grants to herself."""

    user = models.ForeignKey(User, models.PROTECT, related_name="grants", verbose_name="用户")
    role = models.CharField("岗位", max_length=20, choices=Role.choices)
    pooling_area = models.ForeignKey(PoolingArea, models.PROTECT, null=True, blank=True, verbose_name="统筹区")
    county = models.ForeignKey(County, models.PROTECT, null=True, blank=True, verbose_name="县（区）")
    alliance = models.ForeignKey(Alliance, models.PROTECT, null=True, blank=True, verbose_name="医共体")
    institution = models.ForeignKey(Institution, models.PROTECT, null=True, blank=True, verbose_name="机构")
    valid_from = models.DateField("开始日期")
    valid_to = models.DateField("结束日期", null=True, blank=True)
    granted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="grants_given", verbose_name="授权人"
    )

    class Meta:
        verbose_name = "岗位授权"
        verbose_name_plural = "岗位授权"
        ordering = ["user", "role"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(pooling_area__isnull=False, county=None, alliance=None, institution=None)
                    | Q(pooling_area=None, county__isnull=False, alliance=None, institution=None)
                    | Q(pooling_area=None, county=None, alliance__isnull=False, institution=None)
                    | Q(pooling_area=None, county=None, alliance=None, institution__isnull=False)
                ),
                name="grant_at_exactly_one_place",
            ),
            models.CheckConstraint(
                condition=Q(granted_by__isnull=True) | ~Q(granted_by=models.F("user")), name="nobody_grants_to_herself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.place}"

    @property
    def place(self) -> Place:
        place = self.pooling_area or self.county or self.alliance or self.institution
        assert place is not None  # the constraint holds exactly one
        return place
