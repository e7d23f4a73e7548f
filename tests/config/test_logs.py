"""Log lines are JSON, readable in Chinese, and without personal numbers."""

import json
import logging
import logging.config

import pytest
import structlog

from config.logs import logging_settings


@pytest.fixture
def lines(tmp_path, settings):
    path = tmp_path / "site.log"
    logging.config.dictConfig(logging_settings("INFO", str(path)))
    yield lambda: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    logging.config.dictConfig(settings.LOGGING)


def test_a_line_is_one_json_object_with_chinese_as_written(lines, tmp_path):
    structlog.get_logger("claims").info("导入完成", rows=3)
    assert lines()[0]["event"] == "导入完成"
    assert lines()[0]["rows"] == 3
    assert "导入完成" in (tmp_path / "site.log").read_text(encoding="utf-8")


def test_identity_and_mobile_numbers_are_masked_even_in_tracebacks(lines):
    try:
        raise ValueError("参保人 36010219800101123X 电话 13800138000")
    except ValueError:
        logging.getLogger("claims").exception("行 %s", "360102198001011234")
    text = json.dumps(lines(), ensure_ascii=False)
    assert "参保人 *** 电话 ***" in text
    assert "3601021980" not in text and "13800138000" not in text


def test_money_and_counts_in_a_line_stay_as_they_are(lines):
    logging.getLogger("ledger").warning("金额 286543210.37 笔数 3000000")
    assert lines()[0]["event"] == "金额 286543210.37 笔数 3000000"
