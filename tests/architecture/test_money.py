"""Money is Decimal yuan in Python and integer fen in the database: a float near it is a lost fen."""

import ast

from tests.architecture.tree import modules, name, syntax

SHOWS_RATIOS = "core/templatetags/fund.py"
MONEY = ("rules", "ledger", "budgets", "settlement")


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
        f"{name(path)}:{node.lineno}"
        for path in modules(*MONEY, "claims", "core")
        if name(path) not in {"rules/money.py", SHOWS_RATIOS}
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Attribute) and node.attr in {"quantize", "ROUND_HALF_UP", "ROUND_HALF_EVEN"}
    ]
    assert found == []


def _floats(module):
    for node in ast.walk(module):
        named = isinstance(node, ast.Name) and node.id == "float"
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if named or literal:
            yield node.lineno
