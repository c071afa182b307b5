"""A django-helpdesk for tests: settings, addresses and WSGI application in one file, as a town would set it up.

Its state (database, files, mail that would have been sent) is in the folder ``HELPDESK_HOME_DIR``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

HOME = Path(os.environ["HELPDESK_HOME_DIR"])

SECRET_KEY = "a-public-value-of-the-tests"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "desk_urls"
INSTALLED_APPS = [
    *(f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages", "staticfiles", "sites")),
    "django.contrib.humanize", "django.contrib.admin", "helpdesk", "rest_framework", "rest_framework.authtoken",
]  # fmt: skip
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
_CONTEXT = ("template.context_processors.request", "contrib.auth.context_processors.auth", "contrib.messages.context_processors.messages")  # fmt: skip
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [f"django.{name}" for name in _CONTEXT]},
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / "helpdesk.sqlite3",
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"},
    }
}  # fmt: skip
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
SITE_ID = 1
LANGUAGE_CODE, TIME_ZONE, USE_TZ = "ca", "Europe/Madrid", True
STATIC_URL, MEDIA_URL, MEDIA_ROOT = "/static/", "/media/", HOME / "media"
LOGIN_URL = "/login/"
# a login costs the tests nothing
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND, EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", HOME / "mail"

# What docs/trackers/django-helpdesk.md asks a town for.
_AUTHENTICATION = "rest_framework.authentication"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [f"{_AUTHENTICATION}.TokenAuthentication", f"{_AUTHENTICATION}.SessionAuthentication"]
}  # fmt: skip
HELPDESK_ENABLE_PER_QUEUE_STAFF_PERMISSION = True
HELPDESK_TEAMS_MODE_ENABLED = False
HELPDESK_KB_ENABLED = (
    True  # without it 2.6.1 does not start: its list of addresses names what it has not imported
)


def _hooks() -> list[str]:
    """Addresses that are told of each change: one a line of a file, so that a test can set its own."""
    file = HOME / "hooks"
    return re.split(r"\s+", file.read_text().strip()) if file.exists() and file.read_text().strip() else []


HELPDESK_GET_NEW_TICKET_WEBHOOK_URLS = HELPDESK_GET_FOLLOWUP_WEBHOOK_URLS = _hooks
