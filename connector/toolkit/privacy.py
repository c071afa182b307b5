"""What is written to disk is unreadable without the key, and people are looked up by pseudonym.

The key of the settings is any string of at least 32 characters; several, separated by commas, are a rotation:
the first one encrypts, all of them decrypt. They may change while the program runs. Pseudonyms are HMACs under a
*pepper* that is made once, kept in the database and itself encrypted, so that a rotated key changes no pseudonym.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_KEY = 32
T = TypeVar("T")


class WrongKey(Exception):
    """Something on disk was encrypted with another key than the one in the settings."""

    def __init__(self) -> None:
        super().__init__(
            "what is stored was encrypted with another key; put the old key after the new one in privacy.key"
        )


def new_key() -> str:
    """A fresh key for ``privacy.key``: 256 random bits, URL-safe text."""
    return secrets.token_urlsafe(32)


def new_pepper() -> bytes:
    """A fresh secret for pseudonyms: 256 random bits."""
    return secrets.token_bytes(32)


def _derive(key: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"connector:" + purpose.encode()).derive(
        key.encode()
    )


@dataclass(frozen=True, slots=True)
class _Ring:
    """The keys of one moment."""

    keys: tuple[str, ...] = field(repr=False)
    first: Fernet
    text: MultiFernet
    files: tuple[AESGCM, ...]


def _ring(keys: str) -> _Ring:
    parts = tuple(k.strip() for k in keys.split(",") if k.strip())
    if not parts or any(len(k) < MIN_KEY for k in parts):
        raise ValueError(f"privacy.key needs at least {MIN_KEY} characters")
    texts = [Fernet(base64.urlsafe_b64encode(_derive(k, "text"))) for k in parts]
    return _Ring(parts, texts[0], MultiFernet(texts), tuple(AESGCM(_derive(k, "file")) for k in parts))


class Sealer:
    """Encrypts and decrypts what is stored. Cheap to make, safe to share between threads."""

    def __init__(self, keys: str) -> None:
        """Take ``privacy.key``. Raises ``ValueError`` when a key is shorter than 32 characters."""
        self._ring = _ring(keys)
        self.missing: Callable[[], bool] | None = None
        """Asked when something cannot be opened: whether ``privacy.key`` has another key now, that was taken."""

    @property
    def fingerprint(self) -> str:
        """What tells the key that encrypts from others, and nothing of the key itself."""
        return _derive(self._ring.keys[0], "fingerprint")[:4].hex()

    def knows(self, other: Sealer) -> bool:
        """Whether everything ``other`` can open can be opened here too."""
        return set(other._ring.keys) <= set(self._ring.keys)

    def same(self, other: Sealer) -> bool:
        """Whether the keys are the same, in the same order."""
        return other._ring.keys == self._ring.keys

    def take(self, other: Sealer) -> None:
        """Use the keys of ``other`` from now on."""
        self._ring = other._ring

    def seal(self, value: Any) -> bytes:
        """JSON value to ciphertext."""
        return self._ring.first.encrypt(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def open(self, token: bytes) -> Any:
        """Ciphertext to the JSON value. Raises ``WrongKey``."""

        def decrypt(ring: _Ring) -> Any:
            try:
                return json.loads(ring.text.decrypt(bytes(token)))
            except InvalidToken:
                raise WrongKey from None

        return self._open(decrypt)

    def seal_bytes(self, data: bytes, label: str) -> bytes:
        """File content to ciphertext, bound to ``label`` (the same must be given to open it)."""
        nonce = secrets.token_bytes(12)
        return nonce + self._ring.files[0].encrypt(nonce, data, label.encode())

    def open_bytes(self, blob: bytes, label: str) -> bytes:
        """Ciphertext to file content. Raises ``WrongKey``."""
        blob = bytes(blob)

        def decrypt(ring: _Ring) -> bytes:
            for box in ring.files:
                try:
                    return box.decrypt(blob[:12], blob[12:], label.encode())
                except InvalidTag:
                    continue
            raise WrongKey

        return self._open(decrypt)

    def _open(self, decrypt: Callable[[_Ring], T]) -> T:
        ring = self._ring
        try:
            return decrypt(ring)
        except WrongKey:
            if self._ring is ring and not (self.missing is not None and self.missing()):
                raise
            return decrypt(self._ring)

    def current(self, token: bytes) -> bool:
        """Whether a ciphertext of ``seal`` is under the key that encrypts now."""
        try:
            self._ring.first.decrypt(bytes(token))
        except InvalidToken:
            return False
        return True

    def current_bytes(self, blob: bytes, label: str) -> bool:
        """As ``current``, for a ciphertext of ``seal_bytes``."""
        try:
            self._ring.files[0].decrypt(bytes(blob)[:12], bytes(blob)[12:], label.encode())
        except InvalidTag:
            return False
        return True


class Pseudonyms:
    """Stable codes for people and message ids that say nothing without the pepper."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper

    def of(self, kind: str, value: str) -> str:
        """26 letters and digits for ``value``; different for every ``kind`` (``user``, ``phone``, ``wamid`` …)."""
        digest = hmac.new(self._pepper, f"{kind}\0{value}".encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:16]).decode().rstrip("=").lower()
