"""Media: what may be uploaded, how long ids and links live (Meta page "Media", 2026)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from connector.demo.meta.errors import GraphError
from connector.demo.meta.state import Json, State

MB = 1024 * 1024
# kind -> (largest size in bytes, MIME types that may be sent)
SENDABLE: dict[str, tuple[int, tuple[str, ...]]] = {
    "image": (5 * MB, ("image/jpeg", "image/png")),
    "audio": (16 * MB, ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg")),
    "video": (16 * MB, ("video/mp4", "video/3gpp")),
    "sticker": (500 * 1024, ("image/webp",)),
    "document": (
        100 * MB,
        (
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.ms-excel",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
    ),
}
LARGEST_INCOMING = 100 * MB
_LIFE = {"upload": 30 * 24 * 3600, "webhook": 7 * 24 * 3600}
_MAGIC = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/webp": (b"RIFF",),
    "application/pdf": (b"%PDF-",),
    "audio/ogg": (b"OggS",),
}


def bare(mime_type: str) -> str:
    """The MIME type without parameters such as ``; codecs=opus``."""
    return mime_type.partition(";")[0].strip().lower()


@dataclass(eq=False)
class Media:
    """One stored file. ``origin`` is upload or webhook; ``links``: secret -> its end, Unix seconds."""

    id: str
    data: bytes
    mime_type: str
    filename: str | None
    origin: str
    at: float
    links: dict[str, float] = field(default_factory=dict)

    @property
    def sha256_hex(self) -> str:
        """As ``GET /{media-id}`` gives it."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def sha256_base64(self) -> str:
        """As a webhook gives it."""
        return base64.b64encode(hashlib.sha256(self.data).digest()).decode("ascii")


class MediaStore:
    """The files of the business number. ``link_seconds`` is how long a download link is valid (Meta: 300)."""

    def __init__(self, state: State, public_url: str, link_seconds: float) -> None:
        self.public_url = public_url
        self.link_seconds = link_seconds
        self._state = state
        self._files: dict[str, Media] = {}

    def add(self, data: bytes, mime_type: str, filename: str | None, origin: str) -> Media:
        """Store a file without checks."""
        media = Media(self._state.number(16), data, mime_type, filename, origin, self._state.now())
        self._files[media.id] = media
        return media

    def upload(self, data: bytes, mime_type: str, filename: str | None) -> Media:
        """Store a file that is to be sent. Raises ``GraphError`` 100 (type) or 131053 (size, content)."""
        mime_type = bare(mime_type)
        kind = kind_of(mime_type)
        if kind is None:
            allowed = ", ".join(t for _, types in SENDABLE.values() for t in types)
            raise GraphError(
                100, message=f"(#100) Param file must be a file with one of the following types: {allowed}."
            )
        limit = SENDABLE[kind][0]
        if not data:
            raise GraphError(131053, "The file is empty.")
        if len(data) > limit:
            raise GraphError(131053, f"The file has {len(data)} bytes, the limit for {kind} is {limit}.")
        if mime_type in _MAGIC and not data.startswith(_MAGIC[mime_type]):
            raise GraphError(131053, f"The content of the file is not {mime_type}.")
        return self.add(data, mime_type, filename, "upload")

    def get(self, media_id: str) -> Media | None:
        """A file whose id still lives: 30 days after upload, 7 days after a webhook."""
        media = self._files.get(media_id)
        if media is None or self._state.now() - media.at > _LIFE[media.origin]:
            return None
        return media

    def delete(self, media_id: str) -> None:
        """Forget a file."""
        self._files.pop(media_id, None)

    def link(self, media: Media) -> str:
        """A new download link, valid ``link_seconds``."""
        now = self._state.now()
        media.links = {secret: end for secret, end in media.links.items() if end >= now}
        secret = f"{self._state.random.getrandbits(96):024x}"
        media.links[secret] = now + self.link_seconds
        return f"{self.public_url.rstrip('/')}/_media/{media.id}?ext={int(media.links[secret])}&hash={secret}"

    def by_link(self, media_id: str, secret: str) -> Media | None:
        """The file behind a link, or None when the link is wrong or too old."""
        media = self.get(media_id)
        if media is None or media.links.get(secret, 0.0) < self._state.now():
            return None
        return media

    def described(self, media: Media) -> Json:
        """The answer of ``GET /{media-id}``; ``file_size`` is a string, as in Meta's OpenAPI file."""
        return {
            "messaging_product": "whatsapp",
            "url": self.link(media),
            "mime_type": media.mime_type,
            "sha256": media.sha256_hex,
            "file_size": str(len(media.data)),
            "id": media.id,
        }

    def fragment(self, media: Media) -> Json:
        """What a webhook says about the file."""
        return {
            "mime_type": media.mime_type,
            "sha256": media.sha256_base64,
            "id": media.id,
            "url": self.link(media),
        }


def kind_of(mime_type: str) -> str | None:
    """The kind of message that may carry this type, None when nothing may."""
    return next((kind for kind, (_, types) in SENDABLE.items() if bare(mime_type) in types), None)
