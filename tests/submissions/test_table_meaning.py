"""A loaded version may word and arrange the table anew; what changes a figure's meaning, or cannot be a workbook, is refused."""

import pytest

from core.errors import Refused
from submissions import services
from submissions.declaration import parse_table
from submissions.models import TableVersion
from tests.submissions.test_table_versions import official


def refusal_of(world, text):
    with pytest.raises(Refused) as refusal:
        services.load_table_version(world.admin, world.area, text)
    assert not TableVersion.objects.exists()
    return refusal.value


def within(head, old, new, text=None):
    """The official form with one thing changed behind ``head``."""
    text = text or official()
    before, found, after = text.partition(head)
    assert found and old in after
    return before + head + after.replace(old, new, 1)


@pytest.mark.parametrize(
    ("head", "old", "new", "words"),
    [
        ('code = "4"\n', 'unit = "wan"', 'unit = "yuan"', "行次 4 的 unit：第 1 版为“wan”，现为“yuan”。"),
        ('code = "4"\n', '["4.1", "4.2", "4.3"]', '["4.1", "4.2"]', "行次 4 的 sum：第 1 版为“4.1、4.2、4.3”，现为“4.1、4.2”。"),
        ('code = "4"\n', "budget = true", "budget = false", "行次 4 的 budget：第 1 版为“true”，现为“false”。"),
        ('code = "4"\n', 'member = "spending"', 'member = "budget"', "行次 4 的 member：第 1 版为“spending”，现为“budget”。"),
        ('code = "1.3"\n', 'within = "1"', "", "行次 1.3 的 within：第 1 版为“1”，现为“”。"),
        ('code = "2"\n', 'prefill = "package"', 'prefill = "prepaid"', "行次 2 的 prefill：第 1 版为“package”，现为“prepaid”。"),
        ('key = "visits"\n', 'unit = "visits"', 'unit = "persons"', "成员表的列 visits 的 unit"),
        ('key = "spending"\n', '"chronic_fund", ', "", "成员表的列 spending 的 sum"),
        ('key = "due"\n', 'unit = "date"', 'unit = "text"', "原因分析表的列 due 的 unit"),
        ("[[member_column]]\n", 'key = "score"', 'key = "mark"', "成员表的列 mark 是多出的"),
    ],
)
def test_a_version_that_changes_a_meaning_is_refused_by_row_and_field(world, head, old, new, words):
    assert words in str(refusal_of(world, within(head, old, new)))


def test_every_change_of_meaning_is_told_at_once(world):
    text = within('code = "4"\n', 'unit = "wan"', 'unit = "yuan"')
    text = within('code = "2"\n', 'prefill = "package"', 'prefill = "prepaid"', text)
    text = within('key = "visits"\n', 'unit = "visits"', 'unit = "persons"', text)
    fields = [problem.field for problem in refusal_of(world, text).problems]
    assert fields == ["2.prefill", "4.unit", "visits.unit"]


def test_wording_level_width_order_and_optional_are_free(world):
    text = within('code = "4"\n', '["4.1", "4.2", "4.3"]', '["4.3", "4.1", "4.2"]')
    text = within('code = "4"\n', "level = 0", "level = 1\noptional = true", text)
    text = within('code = "4.1"\n', 'label = "普通门诊"', 'label = "门诊"', text)
    text = within('key = "visits"\n', "width = 12", "width = 20\noptional = true", text)
    text = within('key = "due"\n', 'label = "完成时限"', 'label = "时限"', text)
    assert services.load_table_version(world.admin, world.area, text).status == "proposed"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("header_row = 5", "header_row = 4", "表头行（header_row）须在第 5"),
        ('members = "成员表"', f'members = "{"成" * 32}"', "有 32 个字符，Excel 最多 31 个"),
        ('members = "成员表"', 'members = "成员/表"', "含有 Excel 不接受的字符：/"),
        ('members = "成员表"', 'members = " "', "没有写明工作表“members”的名称"),
        ('members = "成员表"', 'members = "居民"', "工作表名称“居民”重复"),
        ('guide = "填报说明"', "guide = 3", "工作表“guide”的名称须为文字"),
        ('key = "fund_type"', 'key = "fund"', "member_column 缺少列：fund_type"),
        ('key = "measure"', 'key = "remedy"', "cause_column 缺少列：measure"),
        ('key = "visits"', 'key = "name"', "member_column 的列“name”重复"),
        ("valid_from = 2026-09-30", 'valid_from = "2026-09-30"', "valid_from 应为日期"),
        ("valid_from = 2026-09-30", "valid_from = 2026-09-30T08:00:00", "valid_from 应为日期"),
        ('code = "4.3"\n', "code = 4.3\n", "code 应为文字，现为“4.3”"),
    ],
)
def test_a_document_no_workbook_can_be_made_of_is_refused_in_words(world, old, new, words):
    text = official()
    assert old in text
    with pytest.raises(Refused) as refusal:
        parse_table(text.replace(old, new, 1))
    assert words in str(refusal.value)
    assert words in str(refusal_of(world, text.replace(old, new, 1)))


def test_a_version_whose_template_cannot_be_made_is_refused_before_it_is_kept(world):
    text = within('code = "4"\n', 'label = "医共体内"', 'label = "医共体\\u0001内"')
    assert "不能生成可用的模板" in str(refusal_of(world, text))


def test_a_sheet_named_like_one_of_ours_is_refused(world):
    text = official().replace('guide = "填报说明"', 'guide = "检查结果"', 1)
    assert "工作表名称“检查结果”由系统自用" in str(refusal_of(world, text))
