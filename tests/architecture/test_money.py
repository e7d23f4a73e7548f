"""Money is Decimal yuan in Python and integer fen in the database: a float near it is a lost fen."""

import ast

from tests.architecture.tree import modules, name, syntax

SHOWS_RATIOS = "core/templatetags/fund.py"
MONEY = ("rules", "ledger", "budgets", "settlement", "submissions", "monitoring", "audits")


def test_no_float_stands_near_money():
    found = [f"{name(path)}:{line}" for path in modules(*MONEY) for line in _floats(syntax(path))]
    assert found == []


def test_no_model_stores_a_float():
    found = [
        f"{name(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Attribute) and node.attr == "FloatField" and "models" in name(path)
    ]
    assert found == []


def test_only_the_money_module_rounds():
    found = [
        f"{name(path)}:{line}"
        for path in modules(*MONEY, "claims", "core")
        if name(path) not in {"rules/money.py", SHOWS_RATIOS}
        for line in _roundings(syntax(path))
    ]
    assert found == []


def test_the_checks_see_a_float_and_a_rounding_but_not_a_guard_against_them():
    assert list(_floats(ast.parse("share = 0.1 + float(text)"))) == [1, 1]
    assert list(_floats(ast.parse("if isinstance(value, float):\n    raise TypeError"))) == []
    assert list(_roundings(ast.parse("yuan = value.quantize(CENT)\nfen = round(value, 2)"))) == [1, 2]
    assert list(_roundings(ast.parse("if value != value.quantize(CENT):\n    raise ValueError"))) == []


def _floats(module):
    """Lines with a float literal or the name ``float``, except as the type that is looked for."""
    looked_for = {
        id(part)
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        for part in ast.walk(node.args[1])
    }
    for node in ast.walk(module):
        named = isinstance(node, ast.Name) and node.id == "float" and id(node) not in looked_for
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if named or literal:
            yield node.lineno


def _roundings(module):
    """Lines that round, except to compare: asking whether a value is exact changes nothing."""
    compared = {
        id(side)
        for node in ast.walk(module)
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and id(node) not in compared:
            method = isinstance(node.func, ast.Attribute) and node.func.attr == "quantize"
            builtin = isinstance(node.func, ast.Name) and node.func.id == "round" and len(node.args) == 2
            if method or builtin:
                yield node.lineno
