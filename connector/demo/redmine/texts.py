"""The messages of a 422, as Redmine 5.0 words them in Catalan and English.

The server answers in the language of the person whose key is used, so no client may match on them.
"""

from __future__ import annotations

_LABELS = {
    "subject": ("Tema", "Subject"),
    "project": ("Projecte", "Project"),
    "tracker": ("Tipus d'assumpte", "Tracker"),
    "status": ("Estat", "Status"),
    "priority": ("Prioritat", "Priority"),
    "author": ("Autor", "Author"),
    "category": ("Categoria", "Category"),
    "assigned_to": ("Assignat a", "Assignee"),
    "parent_issue": ("Tasca pare", "Parent task"),
    "start_date": ("Inici", "Start date"),
    "due_date": ("Data de venciment", "Due date"),
    "done_ratio": ("% realitzat", "% Done"),
    "estimated_hours": ("Temps previst", "Estimated time"),
    "watchers": ("Watchers", "Watchers"),
    "filename": ("Fitxer", "File"),
    "issue": ("Assumpte", "Issue"),
    "description": ("Descripció", "Description"),
    "notes": ("Notes", "Notes"),
    "created_on": ("Creat", "Created"),
    "updated_on": ("Actualitzat", "Updated"),
    "closed_on": ("Tancada", "Closed"),
    "is_private": ("Privat", "Private"),
    "user": ("Usuari", "User"),
    "role": ("Rol", "Role"),
    "login": ("Identificador", "Login"),
    "identifier": ("Identificador", "Identifier"),
    "name": ("Nom", "Name"),
}
_PROBLEMS = {
    "blank": ("no pot estar en blanc", "cannot be blank"),
    "empty": ("no pot estar buit", "cannot be empty"),
    "too_long": ("és massa llarg", "is too long (maximum is {} characters)"),
    "invalid": ("no és vàlid", "is invalid"),
    "inclusion": ("no està inclòs a la llista", "is not included in the list"),
    "taken": ("ja s'està utilitzant", "has already been taken"),
    "not_a_date": ("no és una data vàlida", "is not a valid date"),
    "greater_than_start_date": (
        "ha de ser superior que la data inicial",
        "must be greater than start date",
    ),
}
_SENTENCES = {
    "attachments_not_saved": ("No s'han pogut desar {} fitxers.", "{} file(s) could not be saved."),
    "too_big": (
        "Aquest fitxer no es pot pujar perquè excedeix de la mida màxima ({})",
        "This file cannot be uploaded because it exceeds the maximum allowed file size ({})",
    ),
    "extension": ("L'extensió {} no està permesa", "Attachment extension {} is not allowed"),
}


def label(name: str, language: str) -> str:
    """The name of an attribute in ``language`` (Catalan, or English for anything else)."""
    catalan, english = _LABELS.get(name, (name, name))
    return catalan if language == "ca" else english


def problem(attribute: str, what: str, language: str, value: object = "", *, named: str = "") -> str:
    """A message about an attribute; ``named`` replaces its label (a custom field's own name)."""
    catalan, english = _PROBLEMS[what]
    words = catalan if language == "ca" else english
    return f"{named or label(attribute, language)} {words.format(value)}"


def sentence(what: str, language: str, value: object = "") -> str:
    """A message of its own."""
    catalan, english = _SENTENCES[what]
    return (catalan if language == "ca" else english).format(value)


def humanized(name: str) -> str:
    """A custom field's name as validation messages show it: only the first letter is a capital."""
    return name[:1].upper() + name[1:].lower()
