"""Settings of an Open311 server."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

OSM = "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=18/{latitude}/{longitude}"
IN_WORDS = "description"
"""As ``reference_field``: the reference stands in the description only."""


class Config(BaseModel):
    """Settings of an Open311 server."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    """Address of the endpoint, without «/services.json»: https://api.example.org/open311/v2"""
    api_key: SecretStr
    """The key with which requests are sent in; reading needs none."""
    jurisdiction: str = ""
    """``jurisdiction_id``, where the endpoint serves several."""
    format: Literal["json", "xml"] = "json"
    """In what the server answers. Every server has XML, most have JSON."""
    answers: Literal["status_notes", "updates", "none"] = "status_notes"
    """Where what staff answer is read: in ``status_notes`` of the request, in the feed of updates (mySociety's
    extension), or nowhere."""
    timeout: Annotated[float, Field(gt=0, le=120)] = 20.0
    """Seconds a single call may take as a whole."""
    overlap: Annotated[float, Field(ge=60, le=86_400)] = 7200.0
    """Seconds by which every poll of the updates looks back; an update may become visible so late."""
    batch: Annotated[int, Field(ge=1, le=200)] = 50
    """How many requests are asked for in one call, by their ids."""
    without_place: str = ""
    """``address_string`` of a request in which the citizen sent no place: the standard wants one of each."""
    reference_field: str = IN_WORDS
    """Attribute of the services for our reference, by its code; «description»: it stands in the text only."""
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
    def _one_word(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
            raise ValueError("a key is one word of ASCII characters; is there a space or a line end in it?")
        return value
