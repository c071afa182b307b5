"""Settings of a Redmine."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connector.core.ticket import Markup

OSM = "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=18/{latitude}/{longitude}"


class Config(BaseModel):
    """Settings of a Redmine."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    """Address of Redmine, as staff open it, with the path where it has one."""
    api_key: SecretStr
    """API key of an ordinary account (no administrator) that is a member of the projects."""
    text_format: Literal["textile", "common_mark"] = "textile"
    """Administration > Settings > General > Text formatting. New installations from 5.1 on:
    ``common_mark``."""
    timeout: Annotated[float, Field(gt=0, le=120)] = 20.0
    """Seconds a single call may take as a whole; transfers get more by their size."""
    overlap: Annotated[float, Field(ge=2, le=3600)] = 120.0
    """Seconds by which every poll looks back; more than the server's longest transaction."""
    reference_field: str = ""
    """Custom field (text, used as a filter) for our reference: its id, or its name where our account sees
    it."""
    latitude_field: str = ""
    longitude_field: str = ""
    address_field: str = ""
    max_subject: Annotated[int, Field(ge=60, le=255)] = 255
    """Characters; Redmine's own limit is 255."""
    max_attachment_bytes: int | None = None
    """Administration > Settings > Files > Maximum size; the API does not tell."""
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
            raise ValueError(
                "an API key is one word of ASCII characters; is there a space or a line end in it?"
            )
        return value

    @property
    def markup(self) -> Markup:
        """What notes, news and wiki pages are written in."""
        return "textile" if self.text_format == "textile" else "markdown"
