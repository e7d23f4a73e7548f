"""Log lines: one JSON object each, Chinese readable, no personal data.

Numbers shaped like an identity card or a mobile phone are masked wherever they appear, tracebacks included. With
``LOG_FILE`` set the lines go to a rotating file, otherwise to standard error.
"""

import logging
import re
from collections.abc import MutableMapping
from datetime import datetime
from typing import Any

import structlog

_PERSONAL = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")
_TEN_MEGABYTES = 10 * 1024 * 1024


def mask_personal_numbers(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace identity-card and mobile numbers in every text of a log event."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _PERSONAL.sub("***", value)
    return event


def _stamp(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["timestamp"] = datetime.now().astimezone().isoformat(timespec="milliseconds")
    return event


def _to_text(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["event"] = str(event.get("event", ""))
    return event


def logging_settings(level: str, file: str = "") -> dict[str, Any]:
    """The ``LOGGING`` dictionary; also routes structlog loggers through it."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _stamp,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level.upper(), 20)),
        cache_logger_on_first_use=True,
    )
    handler: dict[str, Any] = {"class": "logging.StreamHandler", "formatter": "json"}
    if file:
        handler = {
            "class": "logging.handlers.RotatingFileHandler",
            "formatter": "json",
            "filename": file,
            "maxBytes": _TEN_MEGABYTES,
            "backupCount": 5,
            "encoding": "utf-8",
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    _to_text,
                    mask_personal_numbers,
                    structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=False),
                ],
            }
        },
        "handlers": {"log": handler},
        "root": {"handlers": ["log"], "level": level.upper()},
        "loggers": {
            "django": {"handlers": [], "level": level.upper(), "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
            "django.security.DisallowedHost": {"handlers": [], "propagate": False},
            "celery": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "waitress": {"level": "WARNING"},
        },
    }
