"""Settings of a django-helpdesk."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

OSM = "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=18/{latitude}/{longitude}"
Number = Annotated[int, Field(ge=1)]


class Config(BaseModel):
    """Settings of a django-helpdesk."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    """Address of django-helpdesk, as staff open it, with the path where it has one."""
    api_key: SecretStr
    """Token of the connector's own account (``rest_framework.authtoken``)."""
    account: Number
    """Number of the connector's own account, as in the address of its page in the administration (Users): the API does not
    tell whose a token is."""
    queues: dict[str, Number] = {}
    """Queues by the name that the mapping uses: the API knows them by number only. ``{ "Alcaldia" = 1 }``, or in one line
    as «Alcaldia=1, Regidories=2»."""
    people: dict[str, Number] = {}
    """People by the name that the mapping uses, likewise."""
    open_statuses: Annotated[tuple[Number, ...], Field(min_length=1)] = (1, 2)
    """Numbers of the statuses in which a ticket is not done (Django's ``HELPDESK_TICKET_OPEN_STATUSES``)."""
    timeout: Annotated[float, Field(gt=0, le=300)] = 60.0
    """Seconds a single call may take as a whole; transfers get more by their size."""
    overlap: Annotated[float, Field(ge=2, le=3600)] = 60.0
    """Seconds by which every poll looks back; more than the server's longest transaction."""
    look_every: Annotated[float, Field(ge=0, le=86400)] = 300.0
    """Seconds between two comparisons of all open tickets, for what leaves no follow-up behind. It costs the server some
    milliseconds a ticket."""
    reference_field: str = ""
    """Custom field (one line of text) for our reference, by its name or label."""
    latitude_field: str = ""
    longitude_field: str = ""
    address_field: str = ""
    max_attachment_bytes: int | None = None
    """Where the web server before it takes no larger files; the API does not tell."""
    extensions: tuple[str, ...] = (".txt", ".asc", ".pdf", ".doc", ".docx", ".odt", ".jpg", ".png", ".eml")
    """Django's ``HELPDESK_VALID_EXTENSIONS``, which the API does not tell; empty where it takes any. A file of another kind
    would be answered with a failure, and half of it kept."""
    media_url: str = ""
    """Where files are served, when that is not at ``url``: Django's ``MEDIA_URL`` with its host. The key never goes there."""
    map_url: str = OSM
    """Link shown under a place, with ``{latitude}`` and ``{longitude}``."""
    place_label: str = "Lloc"
    """Label of a place in the description, in the language of the staff."""

    @field_validator("url", "media_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("queues", "people", mode="before")
    @classmethod
    def _in_one_line(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [part.rpartition("=") for part in value.split(",") if part.strip()]
        return {name.strip(): number.strip() for name, _, number in pairs}

    @field_validator("extensions")
    @classmethod
    def _small(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(extension.lower() for extension in value)

    @field_validator("api_key")
    @classmethod
    def _header(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
            raise ValueError("a token is one word of ASCII characters; is there a space or a line end in it?")
        return value
