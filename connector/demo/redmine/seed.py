"""The starting data: Redmine's Catalan default data and the town hall of the tests.

Ids, logins, names, keys, roles and rights are those that the seed of the real test server produces. Keys and
passwords are public test values for loopback.
"""

from __future__ import annotations

from datetime import datetime

from .model import (
    Category,
    CustomField,
    Database,
    Enumeration,
    Member,
    News,
    Principal,
    Project,
    Role,
    Status,
    Tracker,
    WikiPage,
)

PASSWORD = "contrasenya-de-prova"  # noqa: S105  a public test value
MODULES = ("issue_tracking", "time_tracking", "news", "files", "wiki")

_READ = ["view_issues", "view_news", "view_wiki_pages", "view_files"]
_BOT = [
    *_READ, "add_issues", "edit_issues", "add_issue_notes", "view_private_notes", "set_notes_private",
    "view_issue_watchers", "add_issue_watchers", "delete_issue_watchers",
]  # fmt: skip
_STAFF = [
    *_BOT, "set_issues_private", "edit_issue_notes", "edit_own_issue_notes", "delete_issues", "copy_issues",
    "manage_categories", "manage_issue_relations", "manage_subtasks", "manage_news", "comment_news",
    "edit_wiki_pages", "save_queries", "manage_public_queries", "log_time", "view_time_entries",
]  # fmt: skip
_ELECTED = [
    *_READ, "add_issues", "edit_issues", "add_issue_notes", "view_private_notes", "set_notes_private",
    "view_issue_watchers", "add_issue_watchers",
]  # fmt: skip
_CREW = [*_READ, "edit_issues", "add_issue_notes"]
_NON_MEMBER = [
    "view_issues", "add_issues", "add_issue_notes", "save_queries", "view_time_entries", "view_news", "comment_news",
    "view_wiki_pages", "view_files",
]  # fmt: skip
_ANONYMOUS = ["view_issues", "view_time_entries", "view_news", "view_wiki_pages", "view_files"]

_USERS = (
    (5, "oac", "Oficina", "Atenció Ciutadana", "0a"),
    (6, "whatsapp-bot", "Robot", "WhatsApp", "b0"),
    (7, "alcalde", "Jordi", "Alcalde", "a1"),
    (8, "regidor.centre", "Marc", "Regidor Centre", "c1"),
    (9, "regidora.platja", "Laia", "Regidora Platja", "c2"),
    (10, "regidor.muntanya", "Pau", "Regidor Muntanya", "c3"),
    (11, "operari.brigada", "Nil", "Operari Brigada", "d1"),
)
_MEMBERS = (
    (1, 6, {6: None}), (1, 5, {7: None}), (1, 12, {9: None}), (1, 11, {9: 3}), (1, 7, {8: None}), (1, 8, {8: None}),
    (1, 9, {8: None}), (1, 10, {8: None}), (2, 5, {7: None}), (2, 12, {9: None}), (2, 11, {9: 10}),
    (3, 6, {10: None}), (3, 8, {11: None}), (3, 9, {11: None}), (3, 10, {11: None}), (3, 12, {12: None}), (3, 11, {12: 16}),
    (3, 5, {7: None}),
)  # fmt: skip
_NEWS = (
    ("Tall d'aigua al carrer Major", "Dimarts de 9 a 12 h", "Es tallarà l'aigua per obres al carrer Major."),
    ("Festa Major", "Programa disponible", "Ja es pot consultar el programa de la *Festa Major*."),
    ("Recollida de mobles vells", "Cada dimecres", "Cal trucar abans de deixar els mobles al carrer."),
)
_WIKI = "h1. Atenció ciutadana\n\nHorari de l'OAC: de dilluns a divendres, de 9 a 14 h.\n"


def defaults(db: Database, now: datetime) -> None:
    """Redmine's own default data in Catalan, and the administrator."""
    for name, closed in (
        ("Nou", False), ("En Progrés", False), ("Resolt", False), ("Comentaris", False), ("Tancat", True),
        ("Rebutjat", True),
    ):  # fmt: skip
        number = db.number("status")
        db.statuses[number] = Status(number, name, closed)
    for kind, entries in (
        ("issue_priorities", ("Baixa", "Normal", "Alta", "Urgent", "Immediata")),
        ("document_categories", ("Documentació d'usuari", "Documentació tècnica")),
        ("time_entry_activities", ("Disseny", "Desenvolupament")),
    ):
        for name in entries:
            number = db.number("enumeration")
            db.enumerations[number] = Enumeration(number, kind, name, name == "Normal")
    for name in ("Error", "Característica", "Suport"):
        number = db.number("tracker")
        db.trackers[number] = Tracker(number, name)
    manager = sorted({*_STAFF, "edit_own_issues", "set_own_issues_private", "manage_members", "add_project"})
    _role(db, "Non member", _NON_MEMBER, builtin=True, visibility="default")
    _role(db, "Anonymous", _ANONYMOUS, builtin=True, visibility="default")
    _role(db, "Gestor", manager, any_status=True)
    _role(db, "Desenvolupador", sorted({*_BOT, "log_time", "view_time_entries"}), visibility="default")
    _role(db, "Informador", [*_READ, "add_issues", "add_issue_notes", "log_time"], visibility="default")
    db.principals[db.number("principal")] = Principal(
        1, "user", "Admin", now, now, "admin", "Redmine", "admin@example.net", "ad" * 20, "admin", admin=True
    )
    for _ in range(3):
        db.number("principal")  # built-in groups and the anonymous user, which no list shows


def town(db: Database, now: datetime) -> None:
    """People, rights, fields and projects of the tests' town hall."""
    for number, login, first, last, key in _USERS:
        db.number("principal")
        db.principals[number] = Principal(
            number, "user", last, now, now, login, first, f"{login.replace('.', '-')}@example.invalid", key * 20,
            PASSWORD, passwd_changed_on=now,
        )  # fmt: skip
    crew = db.number("principal")
    db.principals[crew] = Principal(crew, "group", "Brigada municipal", now, now)
    db.principals[11].groups.append(crew)
    _role(db, "Robot WhatsApp", _BOT, any_status=True, assignable=False)
    _role(db, "Personal municipal", _STAFF, any_status=True)
    _role(db, "Càrrec electe", _ELECTED, any_status=True)
    _role(db, "Brigada", _CREW, any_status=True)
    # of the private issues of the reserved project an account sees those it wrote and those assigned to it
    _role(
        db,
        "Robot WhatsApp (reservat)",
        [*_BOT, "set_own_issues_private"],
        any_status=True,
        assignable=False,
        visibility="default",
    )
    _role(
        db,
        "Càrrec electe (reservat)",
        [*_READ, "edit_issues", "add_issue_notes", "view_private_notes", "set_notes_private"],
        any_status=True,
        visibility="default",
    )
    _role(db, "Brigada (reservat)", _CREW, any_status=True, visibility="default")
    trackers = []
    for name in ("Alcaldia", "Regidories", "Incidència", "Bústia ciutadana"):
        trackers.append(db.number("tracker"))
        db.trackers[trackers[-1]] = Tracker(trackers[-1], name)
    _fields(db, trackers)
    for identifier, name in (
        ("atencio-ciutadana", "Atenció ciutadana"),
        ("obres-i-serveis", "Obres i serveis"),
        ("regidories-reservat", "Regidories (reservat)"),
    ):
        number = db.number("project")
        modules = [(db.number("module"), module) for module in MODULES]
        db.projects[number] = Project(number, identifier, name, now, now, list(trackers), modules)
    for project, person, roles in _MEMBERS:
        number = db.number("member")
        db.members[number] = Member(number, project, person, dict(roles))
    for name, person in (("Centre", 8), ("Platja", 9), ("Muntanya", 10), ("Via pública", crew)):
        number = db.number("category")
        db.categories[number] = Category(number, 1, name, person)
    db.pages.append(WikiPage(1, "Wiki", _WIKI, 5, now))
    for title, summary, description in _NEWS:
        number = db.number("news")
        db.news[number] = News(number, 1, 5, title, summary, description, now)


def _role(
    db: Database,
    name: str,
    permissions: list[str],
    *,
    builtin: bool = False,
    visibility: str = "all",
    any_status: bool = False,
    assignable: bool = True,
) -> None:
    number = db.number("role")
    moves = {(a, b) for a in db.statuses for b in db.statuses if a != b} if any_status else set()
    db.roles[number] = Role(number, name, list(permissions), assignable, builtin, visibility, moves)


def _fields(db: Database, trackers: list[int]) -> None:
    def add(name: str, kind: str, **options: object) -> None:
        number = db.number("field")
        made = CustomField(number, name, kind, list(trackers))
        for option, value in options.items():
            setattr(made, option, value)
        db.fields[number] = made

    add("Canal", "list", possible_values=["WhatsApp", "Presencial", "Telèfon", "Web"])
    add("Referència WhatsApp", "string", searchable=True, max_length=128)
    add("Telèfon (pseudònim)", "string", visible=False, max_length=64, role_ids=[6, 7])
    add("Latitud", "float")
    add("Longitud", "float")
    add("Adreça", "string", searchable=True)
    add("Barri", "list", possible_values=["Centre", "Platja", "Muntanya"])
