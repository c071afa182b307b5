"""python-redmine, a client written elsewhere, works against the stand-in as against a Redmine."""

from __future__ import annotations

import io

import pytest
from redminelib import Redmine
from redminelib.exceptions import (
    AuthError,
    ForbiddenError,
    ImpersonateError,
    ResourceNotFoundError,
    ServerError,
    ValidationError,
)

from .conftest import Served

BOT, OAC, ADMIN = "b0" * 20, "0a" * 20, "ad" * 20


@pytest.fixture
def bot(served: Served) -> Redmine:
    return Redmine(served.url, key=BOT)


@pytest.fixture
def oac(served: Served) -> Redmine:
    return Redmine(served.url, key=OAC)


def test_create_read_update(bot: Redmine, oac: Redmine) -> None:
    issue = bot.issue.create(
        project_id="atencio-ciutadana", tracker_id=6, subject="Fanal trencat", description="a\nb", assigned_to_id=12,
        custom_fields=[{"id": 2, "value": "SCV-1"}, {"id": 4, "value": 41.62}], watcher_user_ids=[5],
    )  # fmt: skip
    bot.issue.update(issue.id, notes="nota pública")
    bot.issue.update(issue.id, notes="nota privada", private_notes=True)
    oac.issue.update(issue.id, notes="resposta", status_id=3)
    read = bot.issue.get(issue.id, include=["journals", "watchers", "attachments"])
    assert (read.status.name, read.assigned_to.name, read.description) == (
        "Resolt",
        "Brigada municipal",
        "a\r\nb",
    )
    assert [(j.notes, j.private_notes) for j in read.journals] == [
        ("nota pública", False),
        ("nota privada", True),
        ("resposta", False),
    ]
    assert {f.id: f.value for f in read.custom_fields}[4] == "41.62"
    assert 5 in [w.id for w in read.watchers]


def test_upload_and_download(bot: Redmine) -> None:
    file = io.BytesIO(b"contingut")
    issue = bot.issue.create(
        project_id=1, subject="Amb fitxer", uploads=[{"path": file, "filename": "fotografia è.txt"}]
    )
    attachment = bot.issue.get(issue.id, include=["attachments"]).attachments[0]
    assert (attachment.filename, attachment.filesize) == ("fotografia è.txt", 9)
    assert b"".join(attachment.download().iter_content()) == b"contingut"
    assert bot.attachment.get(attachment.id).content_type == "text/plain"


def test_lists_and_filters(bot: Redmine, oac: Redmine) -> None:
    for number in range(3):
        bot.issue.create(
            project_id=1, subject=f"n {number}", custom_fields=[{"id": 2, "value": f"SCV-{number}"}]
        )
    oac.issue.update(2, status_id=5)
    assert [i.id for i in bot.issue.filter(project_id=1, cf_2="SCV-2")] == [3]
    assert [i.id for i in bot.issue.filter(project_id=1, sort="id")] == [1, 3]
    assert [i.id for i in bot.issue.filter(project_id=1, status_id="*", sort="updated_on:desc")] == [2, 3, 1]
    assert [i.id for i in bot.issue.filter(issue_id="1,3", sort="id:desc")] == [3, 1]
    assert len(bot.issue.filter(project_id=1, status_id="*", limit=2)) == 2
    assert len(bot.issue.filter(project_id=1, cf_99="no such field")) == 2, "an unknown filter is ignored"


def test_more_than_a_page(bot: Redmine) -> None:
    for number in range(103):
        bot.issue.create(project_id=1, subject=f"n {number}")
    assert len(list(bot.issue.filter(project_id=1))) == 103


def test_what_there_is(bot: Redmine) -> None:
    assert bot.user.get("current").login == "whatsapp-bot"
    assert [m.id for m in bot.project_membership.filter(project_id=1)] == list(range(1, 9))
    assert [p.identifier for p in bot.project.all()] == ["atencio-ciutadana", "regidories-reservat"]
    assert {t.name: t.id for t in bot.tracker.all()}["Incidència"] == 6
    assert next(s.name for s in bot.issue_status.all()) == "Nou"
    assert bot.enumeration.filter(resource="issue_priorities")[3].name == "Urgent"
    assert [t.id for t in bot.project.get(1, include=["trackers"]).trackers] == [4, 5, 6, 7]
    assert bot.wiki_page.get("Wiki", project_id=1).author.id == 5
    assert len(bot.news.all()) == 3


def test_watchers_and_deletion(bot: Redmine, oac: Redmine) -> None:
    issue = bot.issue.create(project_id=1, subject="x")
    issue.watcher.add(7)
    assert [w.id for w in bot.issue.get(issue.id, include=["watchers"]).watchers] == [7]
    issue.watcher.remove(7)
    oac.issue.delete(issue.id)
    with pytest.raises(ResourceNotFoundError):
        bot.issue.get(issue.id)


def test_errors(served: Served, bot: Redmine) -> None:
    issue = bot.issue.create(project_id=1, subject="x")
    with pytest.raises(ValidationError, match="Tema no pot estar en blanc"):
        bot.issue.create(project_id=1, subject="")
    with pytest.raises(ForbiddenError):
        bot.issue.delete(issue.id)
    with pytest.raises(ForbiddenError):
        list(bot.custom_field.all())
    wrong = Redmine(served.url, key="00" * 20)
    assert len(wrong.issue.all()) == 0, "a wrong key sees an empty list, no error"
    with pytest.raises(AuthError):
        wrong.user.get("current")
    with pytest.raises(ImpersonateError):
        Redmine(served.url, key=ADMIN, impersonate="nobody-here").user.get("current")
    served.stand_in.faults.add({"match": "GET /trackers.json", "http": 500})
    with pytest.raises(ServerError):
        list(bot.tracker.all())
