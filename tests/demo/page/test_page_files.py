"""The page's files: served with a strict policy, complete, and without anything from outside."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from connector.demo.page import PREFIX, STATIC, page_routes

OUR_OWN_LINKS = ("http://www.w3.org/2000/svg", "https://www.openstreetmap.org/")


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=page_routes()))


def test_the_page_and_all_its_parts_are_there(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    seen, todo = set(), set(re.findall(rf'(?:href|src)="({PREFIX}/[^"]+)"', page.text))
    assert len(todo) >= 5
    while todo:
        path = todo.pop()
        seen.add(path)
        part = client.get(path)
        assert part.status_code == 200, path
        if path.endswith(".js"):
            assert part.headers["content-type"].startswith("text/javascript")
            todo |= {f"{PREFIX}/{name}" for name in re.findall(r'from "\./([^"]+)"', part.text)} - seen
    assert {path.rpartition("/")[2] for path in seen} == {f.name for f in STATIC.iterdir()} - {"index.html"}
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    assert client.get(f"{PREFIX}/../desk.py").status_code == 404


@pytest.mark.parametrize("path", ["/", f"{PREFIX}/app.js", f"{PREFIX}/base.css"])
def test_nothing_but_the_pages_own_files_may_run(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda f: f.name)
def test_nothing_comes_from_outside_and_no_text_is_parsed_as_html(file) -> None:  # type: ignore[no-untyped-def]
    words = file.read_text(encoding="utf-8")
    addresses = re.findall(r"https?://[\w.-]+\.\w[\w./?=&-]*", words)
    assert [a for a in addresses if not a.startswith(OUR_OWN_LINKS)] == []
    for parser in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert parser not in words
    if file.suffix == ".html":
        assert not re.search(r"\son\w+=|\sstyle=|<script>|<style", words)
