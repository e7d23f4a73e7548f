"""Settings, all read from the environment (docs/operations.md lists every variable).

With nothing set the site runs *embedded*: SQLite and the job queue live in ``DATA_DIR``, keys are made on the first
start. With ``DATABASE_URL=postgres://…`` or ``ENV=production`` it is a *production* installation and refuses to start
until every secret is given, telling all that is missing at once. Without LocaleMiddleware: the interface is Chinese.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment, kept_secret
from config.logs import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
_environment = Environment(os.environ)

DATABASE_URL = _environment.text("DATABASE_URL")
REDIS_URL = _environment.text("REDIS_URL")
DATA_DIR = Path(_environment.text("DATA_DIR", str(BASE_DIR / "var"))).resolve()

# --- what kind of installation this is -------------------------------------------------------------------------------

_default_kind = "production" if DATABASE_URL.startswith(("postgres", "pgsql")) else "embedded"
ENV = _environment.text("ENV", _default_kind)
if ENV not in {"embedded", "production", "test"}:
    _environment.problems.append(f"ENV 的值“{ENV}”无法识别：可用 embedded、production、test。")
PRODUCTION = ENV == "production"

DEBUG = _environment.flag("DEBUG", default=False)
_LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
_hosts = _environment.words("ALLOWED_HOSTS")
ALLOWED_HOSTS = _hosts + [host for host in _LOCAL_HOSTS if host not in _hosts]

if PRODUCTION:
    SECRET_KEY = _environment.secret("SECRET_KEY", "会话与表单的签名密钥")
    PERSON_KEY = _environment.secret("PERSON_KEY", "参保人标识的加密摘要密钥，设定后不可更改")
    if SECRET_KEY and SECRET_KEY == PERSON_KEY:
        _environment.problems.append("SECRET_KEY 与 PERSON_KEY 相同：请各用一个随机值。")
    if DEBUG:
        _environment.problems.append("DEBUG 已打开：生产环境必须关闭。")
    if not _hosts:
        _environment.problems.append("缺少 ALLOWED_HOSTS（本站的域名或地址，逗号分隔）。")
    elif "*" in _hosts:
        _environment.problems.append("ALLOWED_HOSTS 不能为 *：请写明本站的域名或地址。")
else:
    SECRET_KEY = _environment.text("SECRET_KEY") or kept_secret(DATA_DIR / "secret.key")
    PERSON_KEY = _environment.text("PERSON_KEY") or kept_secret(DATA_DIR / "person.key")

# A bureau's own network may have no certificate: HTTPS=0 says so openly and drops the cookie and transport rules.
# With HTTPS the site stands behind a proxy that sets X-Forwarded-Proto itself; ``up`` believes only TRUSTED_PROXY.
HTTPS = _environment.flag("HTTPS", default=PRODUCTION)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
CSRF_TRUSTED_ORIGINS = _environment.words("CSRF_TRUSTED_ORIGINS")
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

HOST = _environment.text("HOST", "127.0.0.1")
PORT = _environment.number("PORT", 8000)
TRUSTED_PROXY = _environment.text("TRUSTED_PROXY")
WEB_THREADS = _environment.number("WEB_THREADS", 8)
SITE_URL = _environment.text("SITE_URL", f"http://127.0.0.1:{PORT}")

# --- applications ----------------------------------------------------------------------------------------------------

HOUSE_APPS = [
    "core",
    "ledger",
    "claims",
    "budgets",
    "settlement",
    "submissions",
    "monitoring",
    "audits",
    "portal",
]

INSTALLED_APPS = [
    *HOUSE_APPS,
    "core.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.RequestLogMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.SlidingSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "core.middleware.PlainTextMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.KeptFiguresMiddleware",
    "core.middleware.PasswordChangeMiddleware",
    "core.middleware.RefusalMiddleware",
    "axes.middleware.AxesMiddleware",
]

KEEP_FIGURES = True  # core.kept

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.context.page",
            ],
        },
    },
]

# --- data ------------------------------------------------------------------------------------------------------------

if DATABASE_URL:
    DATABASES: dict[str, Any] = {
        "default": dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
    }
else:
    DATABASES = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "db.sqlite3", "CONN_MAX_AGE": 600}
    }

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
else:
    # Wait for a lock as long as SQLite does, instead of for ever.
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 10,
        "options": "-c lock_timeout=20000",
    }

for _directory in (DATA_DIR, DATA_DIR / "tmp"):
    _directory.mkdir(parents=True, exist_ok=True)

UPLOAD_MAX_BYTES = _environment.number("UPLOAD_MAX_MB", 2048) * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "tmp"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
MIN_FREE_BYTES = _environment.number("MIN_FREE_MB", 512) * 1024 * 1024

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- language and time -----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文")]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

# --- people ----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "core:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "core:login"

SESSION_COOKIE_AGE = 30 * 60
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = False
CSRF_COOKIE_HTTPONLY = False  # static/app.js sends the token with htmx requests

AXES_FAILURE_LIMIT = 7
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "errors/locked.html"
AXES_VERBOSE = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

# --- mail (only when a server is named) ------------------------------------------------------------------------------

EMAIL_HOST = _environment.text("SMTP_HOST")
EMAIL_PORT = _environment.number("SMTP_PORT", 465)
EMAIL_HOST_USER = _environment.text("SMTP_USER")
EMAIL_HOST_PASSWORD = _environment.text("SMTP_PASSWORD")
EMAIL_USE_SSL = _environment.flag("SMTP_SSL", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = _environment.text("SMTP_FROM", EMAIL_HOST_USER)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"

# --- API -------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNICODE_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "紧密型医共体医保基金监管平台",
    "DESCRIPTION": "与页面同权同责：同样的权限范围、同样的校验、同样的留痕。金额单位为元，两位小数，以字符串传送。",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "SettlementStateEnum": "settlement.states.VersionState.choices",
        "OtherPaymentKindEnum": "budgets.models.payments.OtherPaymentKind.choices",
        "RecoveryMethodEnum": "settlement.models.recovery.RecoveryMethod.choices",
        "FactSourceEnum": "claims.models.facts.FactSource.choices",
        "PackageStateEnum": "budgets.models.packages.PackageState.choices",
        "ActEnum": "settlement.states.Act.choices",
        "FundTypeEnum": "core.models.FundType.choices",
        "VersionKindEnum": "settlement.models.versions.VersionKind.choices",
        "FundSheetEnum": "submissions.models.versions.FUND_SHEETS",
        "QuarterlyStateEnum": "submissions.states.SubmissionState.choices",
        "QuarterlyKindEnum": "submissions.states.SubmissionKind.choices",
        "QuarterlyAssignmentStateEnum": "submissions.states.AssignmentState.choices",
        "ReportKindEnum": "monitoring.models.reports.ReportKind.choices",
        "ReportStateEnum": "monitoring.models.reports.ReportState.choices",
        "ReportActEnum": "monitoring.models.reports.ReportAct.choices",
        "MeasureKindEnum": "audits.models.decisions.MeasureKind.choices",
        "PhysicianKindEnum": "audits.models.agreements.PhysicianKind.choices",
        "AgreementStateEnum": "audits.models.agreements.AgreementState.choices",
        "DecidedStatusEnum": "audits.models.agreements.DECIDED",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- jobs ------------------------------------------------------------------------------------------------------------

LONGEST_JOB = timedelta(hours=6)
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "tmp" / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "requeue stuck jobs": {"task": "core.tasks.requeue_stuck", "schedule": 60, "options": {"expires": 50}},
    "look for what is due": {"task": "core.tasks.tick", "schedule": 300, "options": {"expires": 280}},
    "append the trail heads": {"task": "core.tasks.append_trail_heads", "schedule": crontab(hour=23, minute=50)},
}
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"visibility_timeout": int(LONGEST_JOB.total_seconds())}
else:
    BROKER_DIR = DATA_DIR / "broker"
    for _directory in (BROKER_DIR / "messages", BROKER_DIR / "control"):
        _directory.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_URL = "filesystem://localhost"
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
        "store_processed": False,
    }

# --- logs ------------------------------------------------------------------------------------------------------------

LOGGING = logging_settings(level=_environment.text("LOG_LEVEL", "INFO"), file=_environment.text("LOG_FILE"))

if _environment.problems:
    raise ImproperlyConfigured("不能启动，请先补齐以下设置：\n" + "\n".join(f"  · {p}" for p in _environment.problems))
