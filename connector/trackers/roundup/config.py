"""Settings of a Roundup: keys of ``[tracker]`` in config.toml, and what the mapping says of its properties."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

OSM = "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=18/{latitude}/{longitude}"
Property = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""A property of a class in Roundup's ``schema.py``."""
OrNone = Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")]
"""The same, "" for none."""


class Config(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    url: str
    """Address of the tracker, as staff open it."""
    api_key: SecretStr
    """The connector's own account: its login and its password, with a colon between them."""
    timeout: Annotated[float, Field(ge=1, le=120)] = 20
    """Deadline of a call in seconds, 1 to 120; a file gets more for its size."""
    overlap: Annotated[int, Field(ge=60, le=3600)] = 300
    """Seconds that each poll looks back, 60 to 3600: more than the longest transaction, in which Roundup also sends its
    mail."""
    project_property: Property = "project"
    """Property of issues that says where a request belongs: a Link to a class of the same name."""
    public_property: OrNone = "public"
    """Boolean of messages that says which are for the citizen. "" where there is none: then no message goes out, and no
    internal note is written."""
    closed: tuple[str, ...] = ("resolved", "done-cbb")
    """Statuses in which an issue is done."""
    place_label: str = "Lloc"
    """What stands before a place in the text of an issue."""
    reference_field: OrNone = ""
    latitude_field: OrNone = ""
    longitude_field: OrNone = ""
    address_field: OrNone = ""
    map_url: str = OSM

    @field_validator("api_key")
    @classmethod
    def _account(cls, value: SecretStr) -> SecretStr:
        login, colon, password = value.get_secret_value().partition(":")
        if not (login and colon and password):
            raise ValueError("write the account's login and password with a colon between them")
        return value

    @property
    def login(self) -> str:
        """Of the connector's account."""
        return self.api_key.get_secret_value().partition(":")[0]
