"""Settings of a Request Tracker."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

OSM = "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=18/{latitude}/{longitude}"


class Config(BaseModel):
    """Settings of a Request Tracker."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    """Address of RT, as staff open it, with the path where it has one."""
    api_key: SecretStr
    """Password of ``user``; or, without ``user``, an authentication token of the connector's account."""
    user: str = ""
    """Name of the connector's account. With it we log in once and keep the session: RT checks a token or a
    password anew with each call, which takes it a fifth of a second."""
    timeout: Annotated[float, Field(gt=0, le=120)] = 20.0
    """Seconds a single call may take as a whole; transfers get more by their size."""
    overlap: Annotated[float, Field(ge=2, le=3600)] = 60.0
    """Seconds by which every poll looks back; more than the server's longest transaction."""
    priorities: tuple[str, ...] = ("Low", "Medium", "High")
    """Names of priorities (RT's ``%PriorityAsString``); a number is always taken."""
    reference_field: str = ""
    """Custom field (one value, free text) for our reference, by its name or number."""
    latitude_field: str = ""
    longitude_field: str = ""
    address_field: str = ""
    max_subject: Annotated[int, Field(ge=60, le=200)] = 200
    """Bytes of UTF-8; RT cuts at 200, without a word."""
    max_attachment_bytes: int | None = None
    """RT's ``$MaxAttachmentSize`` where it drops or cuts what is larger; the API does not tell."""
    map_url: str = OSM
    """Link shown under a place, with ``{latitude}`` and ``{longitude}``."""
    place_label: str = "Lloc"
    """Label of a place in the description, in the language of the staff."""

    @field_validator("url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("api_key")
    @classmethod
    def _header(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
            raise ValueError("a token is one word of ASCII characters; is there a space or a line end in it?")
        return value
