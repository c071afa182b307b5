"""The typed settings of one municipality: every key of ``config.toml`` with its form, default and meaning.

The descriptions under the fields are what ``connector check`` shows as the mend, so they say how a value
looks and where it is found. ``load.py`` reads them from file, environment and secret files.
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

from connector.core.errors import Finding
from connector.toolkit.alchemy import ArgumentError, make_url
from connector.toolkit.clamd import Clamd
from connector.toolkit.media import TYPES, Rules

from .findings import suggest
from .layers import Layers
from .toml_file import KeyPath, dotted

MIN_KEY = 32
"""Characters a ``privacy.key`` has at least."""

MIN_PASSWORD = 12
"""Characters an ``ops_password`` has at least."""


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
    if value.strip().lower().startswith("bearer "):
        raise ValueError("«Bearer» is no part of a token — leave it out")
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


def _password(value: Any) -> Any:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str):
        raise ValueError("it must be a text, between quotation marks")
    if 0 < len(value.strip()) < MIN_PASSWORD:
        raise ValueError(
            f"it must have at least {MIN_PASSWORD} characters — a few random words are easy to type"
        )
    return SecretStr(value.strip())


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
    """Whether the operations page /ops is served: on this machine, or behind a proxy that speaks HTTPS."""
    ops_password: Annotated[SecretStr, BeforeValidator(_password)] = SecretStr("")
    """With which /ops is entered, at least 12 characters."""
    open_data_url: HttpUrl = ""
    """Where /open311/v2 is reached from outside, to publish what the mapping says ([open_data]); empty: off."""


class WhatsApp(Section):
    api_url: HttpUrl = "https://graph.facebook.com"
    """Where WhatsApp's API is; another host for tests and for API providers."""
    api_version: Annotated[Text, Field(pattern=r"^v\d{1,3}\.\d{1,2}$")] = "v23.0"
    """Version of Meta's Graph API, like "v23.0"."""
    phone_number_id: Annotated[Text, Field(pattern=r"^\d*$")] = ""
    """The id that Meta gave the number, digits only, not the number itself (WhatsApp Manager, API Setup)."""
    business_account_id: Annotated[Text, Field(pattern=r"^\d*$")] = ""
    """The id that Meta gave the WhatsApp Business Account, digits only (WhatsApp Manager, API Setup)."""
    access_token: Token = SecretStr("")
    """Token of a system user, one that does not expire (Business settings, System users)."""
    app_secret: Token = SecretStr("")
    """Secret of the Meta app (App settings, Basic). While it changes both, with a comma or as a list."""
    verify_token: Token = SecretStr("")
    """A word of your own that Meta repeats when the webhook is set up."""
    messages_per_second: Annotated[int, Field(ge=1, le=1000)] = 80
    """What the number may send a second: 80, or 1000 once Meta has raised it (WhatsApp Manager)."""

    broadcast_percent: Annotated[int, Field(ge=5, le=90)] = 75
    """So much of that news and alerts may take, in percent; the rest is left to answers, 5 to 90."""

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
    """Key of the connector's own account in the tracker, as its page in docs/ says."""
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


def _types(value: Any) -> Any:
    """Media types, as a list or with commas."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    for kind in value if isinstance(value, list | tuple) else ():
        if isinstance(kind, str) and kind not in TYPES:
            raise ValueError(f"one of these types cannot be told by its content — {suggest(kind, TYPES)}")
    return value


def _clamd(value: Any) -> Any:
    value = _text(value)
    if isinstance(value, str) and value:
        Clamd(value)  # raises ValueError
    return value


class Media(Section):
    accept: Annotated[tuple[str, ...], BeforeValidator(_types), Field(min_length=1)] = tuple(TYPES)
    """Types of citizens' files that are taken, by their content; other files are refused."""
    max_bytes: Annotated[int, Field(ge=65_536, le=104_857_600)] = 104_857_600
    """Largest file taken, in bytes, 65536 to 104857600 (WhatsApp brings nothing larger)."""
    max_megapixels: Annotated[int, Field(ge=1, le=1000)] = 128
    """Largest picture taken, in millions of pixels, 1 to 1000."""
    clamd: Annotated[str, BeforeValidator(_clamd)] = ""
    """Virus scanner: "tcp://127.0.0.1:3310" or "unix:/run/clamav/clamd.ctl". Empty: files are not scanned."""

    @property
    def rules(self) -> Rules:
        """What is accepted, as the cleaning takes it."""
        return Rules(frozenset(self.accept), self.max_bytes, self.max_megapixels * 1_000_000)


class Privacy(Section):
    key: Annotated[SecretStr, BeforeValidator(_keys)] = SecretStr("")
    """Encrypts numbers and texts at rest, at least 32 characters; several with commas: the first encrypts."""
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Content is erased so many days after its ticket closed, 1 to 3650."""
    forget_people_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """Who wrote nothing for so many days, and whose requests are closed as long, is forgotten, 1 to 3650."""
    evidence_days: Annotated[int, Field(ge=1, le=7300)] = 1095
    """So many days after a person was forgotten the evidence of their consent goes too, 1 to 7300."""


class PerPerson(Section):
    """``[limits]``: how much of one person is taken, so that nobody fills the town hall."""

    messages_at_once: Annotated[int, Field(ge=20, le=10_000)] = 60
    """Messages of one person taken in one go, 20 to 10000; what is beyond is not taken, and they are told so."""
    messages_per_hour: Annotated[int, Field(ge=10, le=100_000)] = 120
    """After that, so many an hour, 10 to 100000."""
    requests_per_day: Annotated[int, Field(ge=2, le=10_000)] = 20
    """Requests (tickets) of one person in any 24 hours, 2 to 10000; what is beyond waits as a draft."""
    megabytes_per_day: Annotated[int, Field(ge=10, le=1_000_000)] = 500
    """Files of one person in any 24 hours, in MB, 10 to 1000000; what is beyond is refused, and they are told so."""


class Feeds(Section):
    private_hosts: Text = ""
    """Hosts at addresses of your own network that the mapping's feeds may come from, separated by commas."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts one by one."""
        return tuple(host for part in self.private_hosts.split(",") if (host := part.strip()))


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
    media: Media = Media()
    privacy: Privacy = Privacy()
    limits: PerPerson = PerPerson()
    feeds: Feeds = Feeds()
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
    def path(self) -> Path | None:
        """The ``config.toml`` it was read from, None when it was made otherwise."""
        return self._layers.toml.path if self._layers is not None else None

    def source(self, path: KeyPath) -> Path | str:
        """Where the value of a setting came from: a file, or the name of an environment variable."""
        assert self._layers is not None
        return self._layers.variables.get(path) or self._layers.files.get(path) or self._layers.toml.path

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
