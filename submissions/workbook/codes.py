"""Every code the reader of a workbook gives: F… a whole file that cannot be read, V… a single cell.

The codes are stable: findings, answers, the handbook and ``tests/workbooks`` name them.
"""

from __future__ import annotations

from dataclasses import dataclass

from submissions.figures import Found


@dataclass(frozen=True)
class Code:
    code: str
    title: str
    remedy: str

    @property
    def severity(self) -> str:
        return "refusal" if self.code.startswith("F") else "hard"

    def found(self, text: str, remedy: str = "", **where: str) -> Found:
        """A finding of this code; ``where`` fills the other fields of :class:`Found`."""
        return Found(code=self.code, severity=self.severity, text=text, remedy=remedy or self.remedy, **where)


def _code(code: str, title: str, remedy: str) -> Code:
    return Code(code, title, remedy)


_AGAIN = "请从本系统重新下载本期模板，把数据填入后上传。"
_SAVE = "请用 Excel 或 WPS 打开，另存为 xlsx 后再上传。"

OLD_XLS = _code("F01", "旧版 xls 工作簿", _SAVE)
ENCRYPTED = _code("F02", "工作簿设有打开密码", "请去掉打开密码（文件—信息—保护工作簿），另存为 xlsx 后上传。")
OTHER_FORMAT = _code("F03", "不是 xlsx 工作簿", _SAVE + "只改扩展名不行。")
CUT_OFF = _code("F04", "文件不完整或已损坏", "请重新上传；仍不行的，用 Excel 或 WPS 打开并另存为 xlsx。")
BOMB = _code("F05", "解压后异常大", "请删去模板以外的内容后另存。" + _AGAIN)
ENTITIES = _code("F06", "内部文件带有实体声明", _AGAIN)
MACRO = _code("F07", "含有宏", "请另存为不含宏的 xlsx。")
LINKS = _code("F08", "含有外部链接", "请断开外部链接（数据—编辑链接），或把公式粘贴为数值后另存。")
NO_MARK = _code("F09", "没有模板标识", _AGAIN)
WRONG_TABLE = _code("F10", "不是本报表", _AGAIN)
WRONG_VERSION = _code("F11", "报表版本不能识别", _AGAIN)
WRONG_ALLIANCE = _code("F12", "不是本医共体的报表", "请核对是否拿错了文件。" + _AGAIN)
WRONG_PERIOD = _code("F13", "不是本期的报表", "请核对是否拿错了文件。" + _AGAIN)
NO_SHEET = _code("F14", "缺少工作表或工作表改了名", "请把工作表名称改回原样，或重新下载模板填写。")
WRONG_FUND = _code("F15", "工作表与险种不符", "请把两张表的名称换回原样；工作表名称须与表内标题的险种一致。")
ROWS_MOVED = _code("F16", "插入或删除了行", "请删去插入的行、补回删除的行，或重新下载模板填写。")
HEADER_CHANGED = _code("F17", "表头、行次或项目名称被改动", "请改回模板原样，或重新下载模板填写。")
MERGED = _code("F18", "数据区有合并单元格", "请取消合并，每格各填一个数。")
FAR_CELL = _code("F19", "表外有多余内容", "请选中该单元格所在的行和列，整行整列删除后保存。")
HIDDEN = _code("F20", "有隐藏的行、列或工作表", "请取消隐藏（选中整张表，右键—取消隐藏；有筛选的先清除筛选）后保存。")
MEMBER_TWICE = _code("F21", "成员单位重复", "请合并为一行，每个机构每个险种只留一行。")
MEMBER_UNKNOWN = _code("F22", "不是本医共体的成员单位", "请删去该行；成员名单有误的，请联系医保局维护后重新下载模板。")
MEMBER_MISSING = _code("F23", "缺少成员单位", "请补回该行（机构编号、险种照模板），没有数据的填 0。")
NO_RESULT = _code("F24", "公式没有计算结果", "请用 Excel 或 WPS 打开，重新计算并保存；或把公式粘贴为数值。")
ERROR_VALUE = _code("F25", "单元格是错误值", "请改正公式，或直接填数。")

BLANK = _code("V01", "必填格空着", "请填写；确实没有发生的填 0，空着不等于零。")
NO_NUMBER = _code("V02", "不是数字", "请只填数字；没有数据的：可不填的行空着，没有发生的填 0。")
DATE = _code("V03", "数字格里是日期", "请把单元格格式改为数值，重新填写数字。")
DECIMALS = _code("V04", "小数位数过多", "请按规定的小数位数填写；系统不替您四舍五入。")
FRACTION = _code("V05", "应为整数", "人数、人次、床日、例数须为整数，请核对后改正。")
NEGATIVE = _code("V06", "不能为负数", "请核对正负号；需要冲减的，冲减后填净额。")
TOO_LARGE = _code("V07", "数值过大", "请核对位数和单位；金额按万元填写。")
UNIT = _code("V08", "单位不符", "请按本行的单位换算后只填数字；单位已写在项目名称或表头里。")
CHOICE = _code("V09", "不在可选范围内", "请从下拉列表中选择。")
NO_DATE = _code("V10", "日期不能识别", "请按“2026-12-31”的格式填写。")
LONG_TEXT = _code("V11", "文字过长", "请压缩到 500 字以内，详细材料另附。")
HALF_LINE = _code("V12", "原因分析一行没有填全", "请把险种、原因类别、原因分析、整改措施填全，或删去整行。")

CODES: dict[str, Code] = {value.code: value for value in list(globals().values()) if isinstance(value, Code)}
"""Every code by its name, in order: the handbook lists them, a test holds a workbook for each."""
