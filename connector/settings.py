"""The typed settings of one municipality: every key of ``config.toml`` with its form, default and meaning.

The descriptions under the fields are what ``connector check`` shows as the mend, so they say how a value
looks and where it is found. ``connector/config.py`` reads them from file, environment and secret files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    Secret,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from connector.core.errors import Finding

from .layers import Layers
from .toml_file import KeyPath, dotted

MIN_KEY = 32
"""Characters a ``privacy.key`` has at least."""


def _text(value: Any) -> Any:
    """Ids are often written as numbers; and nobody means the spaces around a value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else value


def _token(value: Any) -> Any:
    """A secret that travels in an HTTP header, or several of them (rotation) as a list or with commas."""
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        value = ",".join(value)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str):
        raise ValueError("it must be a text, between quotation marks")
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if any(not part.isascii() or not part.isprintable() or " " in part for part in parts):
        raise ValueError("it holds a space, a line break or a letter no token has — copy it again, whole")
    return SecretStr(",".join(parts))


def _keys(value: Any) -> Any:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str):
        raise ValueError("it must be a text, between quotation marks")
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if any(len(part) < MIN_KEY for part in parts):
        raise ValueError(
            f"a key must have at least {MIN_KEY} characters — make one with `connector key new`; "
            "several keys are separated by commas"
        )
    return SecretStr(",".join(parts))


def _http_url(value: Any) -> Any:
    """An http(s) address without user, password, query or closing slash. "" stays "" (not set)."""
    value = _text(value)
    if not isinstance(value, str) or not value:
        return value
    if any(ord(sign) <= ord(" ") for sign in value):
        raise ValueError("there is a space in the address")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("this is no web address — write it whole: https://host.example")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "an address must not hold a user or a password — take them out; keys have settings of their own"
        )
    if parts.query or parts.fragment:
        raise ValueError("an address stands here without «?» and «#» — keep what is in front of them")
    return value.rstrip("/")


def _database(value: Any) -> Any:
    """``sqlite:///file`` or a PostgreSQL address, the latter made ``postgresql+psycopg://``."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    forms = "write sqlite:///var/connector.db or postgresql://user:password@host/database"
    if not isinstance(value, str) or "://" not in value:
        raise ValueError(f"this is no database address — {forms}")
    scheme, rest = value.strip().split("://", 1)
    if scheme == "sqlite":
        if not rest.startswith("/") or rest.strip("/") in ("", ":memory:"):
            raise ValueError(
                "a file is missing, the database must outlive the program — write sqlite:///var/connector.db"
            )
        return SecretStr(f"sqlite://{rest}")
    if scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise ValueError(f"this kind of database is not known — {forms}")
    try:
        url = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        raise ValueError(f"this address cannot be taken apart — {forms}") from None
    if not url.database:
        raise ValueError(f"the name of the database is missing — {forms}")
    return SecretStr(url.render_as_string(hide_password=False))


Text = Annotated[str, BeforeValidator(_text)]
HttpUrl = Annotated[str, BeforeValidator(_http_url)]
Token = Annotated[SecretStr, BeforeValidator(_token)]


class Section(BaseModel):
    """Base of all tables: frozen, an unknown key is an error, and no value is part of an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Server(Section):
    host: Text = "127.0.0.1"
    """Address the web server listens on; 0.0.0.0 for all, as in a container."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """Port the web server listens on, 1 to 65535."""
    max_body_bytes: Annotated[int, Field(ge=65_536, le=67_108_864)] = 4_194_304
    """Largest notification taken, in bytes (65536 to 67108864); larger ones are answered with 413."""
    ops: bool = False
    """Whether the operations page /ops is served. It has no login: only behind a proxy that asks for one."""


class WhatsApp(Section):
    api_url: HttpUrl = "https://graph.facebook.com"
    """Where WhatsApp's API is; another host for tests and for API providers."""
    api_version: Annotated[Text, Field(pattern=r"^v\d{1,3}\.\d{1,2}$")] = "v23.0"
    """Version of Meta's Graph API, like "v23.0"."""
    phone_number_id: Annotated[Text, Field(pattern=r"^\d*$")] = ""
    """Meta's id of the number, digits only, not the number itself (WhatsApp Manager, API Setup)."""
    business_account_id: Annotated[Text, Field(pattern=r"^\d*$")] = ""
    """Meta's id of the WhatsApp Business Account, digits only (WhatsApp Manager, API Setup)."""
    access_token: Token = SecretStr("")
    """Token of a system user, one that does not expire (Business settings, System users)."""
    app_secret: Token = SecretStr("")
    """Secret of the Meta app (App settings, Basic). While it changes both, with a comma or as a list."""
    verify_token: Token = SecretStr("")
    """A word of your own that Meta repeats when the webhook is set up."""

    @property
    def app_secrets(self) -> tuple[str, ...]:
        """Every app secret a signature may have been made with."""
        return tuple(filter(None, self.app_secret.get_secret_value().split(",")))


class Tracker(Section):
    """``[tracker]``: what all trackers have in common. Further keys are the adapter's (``kind``)."""

    model_config = ConfigDict(extra="allow")

    kind: Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_]*$")] = "redmine"
    """Which ticket system: the name of an adapter, in small letters."""
    url: HttpUrl = ""
    """Address of the tracker, as staff open it in the browser."""
    api_key: Token = SecretStr("")
    """Key of the connector's own account in the tracker (Redmine: My account, API access key)."""
    poll_every: Annotated[float, Field(ge=5, le=3600)] = 30
    """How often the tracker is asked for news, in seconds, 5 to 3600."""
    webhook_secret: Token = SecretStr("")
    """Shared secret of POST /webhook/tracker; empty switches that address off."""

    @model_validator(mode="after")
    def _hide(self) -> Tracker:
        """An adapter's keys may be secret, and nobody knows here which: none of their values is shown."""
        extra = self.__pydantic_extra__ or {}
        extra.update({name: Secret(value) for name, value in extra.items() if not isinstance(value, Secret)})
        return self

    def extras(self) -> dict[str, Any]:
        """The adapter's own keys with their bare values, secrets too: never log them."""
        return {name: value.get_secret_value() for name, value in (self.__pydantic_extra__ or {}).items()}


class Privacy(Section):
    key: Annotated[SecretStr, BeforeValidator(_keys)] = SecretStr("")
    """Encrypts numbers and texts at rest, at least 32 characters; several with commas: the first encrypts."""
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Content is erased so many days after its ticket closed, 1 to 3650."""


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged."""
    format: Literal["text", "json"] = "text"
    """"text" for people, "json" for a log collector."""


class Settings(BaseSettings):
    """Everything about where things are. Made by ``load``; built directly, it reads nothing from outside."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    mapping: Path = Path()
    """The mapping file of the municipality. Paths are seen from the folder this file is in."""
    database: Annotated[SecretStr, BeforeValidator(_database)] = SecretStr("sqlite:///var/connector.db")
    """Where everything is kept: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."""
    secrets_dir: Path = Path("secrets")
    """Folder with one file a secret, named like whatsapp__access_token; it need not exist."""
    server: Server = Server()
    whatsapp: WhatsApp = WhatsApp()
    tracker: Tracker = Tracker()
    privacy: Privacy = Privacy()
    log: Log = Log()

    _layers: Layers | None = PrivateAttr(default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @property
    def database_url(self) -> str:
        """The address SQLAlchemy takes. It may hold a password: never log it, log ``database_shown``."""
        return self.database.get_secret_value()

    @property
    def database_shown(self) -> str:
        """The database's address without its password."""
        return make_url(self.database_url).render_as_string(hide_password=True)

    def finding(self, severity: str, path: KeyPath, problem: str, mend: str = "") -> Finding:
        """A finding about the setting at ``path`` (``("tracker", "url")``), where it was set."""
        if self._layers is None:
            return Finding(severity, problem, mend, key=dotted(path))
        return self._layers.finding(severity, path, problem, mend)
