"""The first minutes of a new colleague: signs in, must choose a password, is let in with it."""

import re

import pytest
from playwright.sync_api import expect

NEW_PASSWORD = "qingxi-spring-2026"


@pytest.mark.parametrize("width", [1440, 390])
def test_the_login_page_is_accessible_and_fits_its_screen(city, watched, live_server, accessible, width):
    watched.set_viewport_size({"width": width, "height": 900})
    watched.goto(f"{live_server.url}/login/")
    expect(watched.get_by_role("heading", name="登录")).to_be_visible()
    assert watched.evaluate("document.documentElement.scrollWidth <= innerWidth")
    accessible(watched)


def test_a_new_colleague_must_choose_a_password_before_anything_else(city, sign_in, live_server, accessible):
    city.officer.must_change_password = True
    city.officer.save()
    page = sign_in("officer")
    page.goto(f"{live_server.url}/trail/")
    expect(page).to_have_url(f"{live_server.url}/password/")
    accessible(page)
    page.get_by_label("当前密码").fill("correct-horse-9")
    page.get_by_label("新密码", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("再输一次新密码").fill(NEW_PASSWORD)
    page.get_by_role("button", name="保存新密码").click()
    expect(page).not_to_have_url(re.compile("/password/"))
    sign_in("officer", NEW_PASSWORD)
    expect(page).not_to_have_url(re.compile("/(login|password)/"))


def test_a_wrong_password_is_told_without_saying_which_part_was_wrong(city, sign_in):
    page = sign_in("officer", "wrong-horse-9")
    expect(page.get_by_role("alert")).to_contain_text("请输入一个正确的")
    expect(page.get_by_label("用户名")).to_have_value("officer")
