"""Rows are locked as FOR NO KEY UPDATE, which a foreign key's check at the end of another transaction may pass.

The trail's head is locked last in every act, but PostgreSQL checks deferred foreign keys after it, at the COMMIT: with
FOR UPDATE on a county, the act that holds the county and the act that only refers to it would wait for each other.
"""

import ast

from tests.architecture.tree import modules, name, syntax

APPS = ("core", "ledger", "claims", "budgets", "settlement", "submissions", "monitoring", "audits", "portal")


def test_every_row_lock_lets_foreign_keys_pass():
    found = [f"{name(path)}:{line}" for path in modules(*APPS) for line in _key_locks(syntax(path))]
    assert found == []


def test_the_check_sees_a_lock_that_does_not():
    assert list(_key_locks(ast.parse("County.objects.select_for_update().get()"))) == [1]
    assert list(_key_locks(ast.parse("rows.select_for_update(of=('self',), no_key=True)"))) == []


def _key_locks(module):
    for node in ast.walk(module):
        locks = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if locks and node.func.attr == "select_for_update" and "no_key" not in {word.arg for word in node.keywords}:
            yield node.lineno
