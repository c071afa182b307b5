"""What is written to disk is unreadable without the key, and people are looked up by pseudonym.

The key of the settings is any string of at least 32 characters; several, separated by commas, are a rotation:
the first one encrypts, all of them decrypt. Pseudonyms are HMACs under a *pepper* that is made once, kept in
the database and itself encrypted, so that a rotated key changes no pseudonym.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_KEY = 32


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


class Sealer:
    """Encrypts and decrypts what is stored. Cheap to make, safe to share between threads."""

    def __init__(self, keys: str) -> None:
        """Take ``privacy.key``. Raises ``ValueError`` when a key is shorter than 32 characters."""
        parts = [k.strip() for k in keys.split(",") if k.strip()]
        if not parts or any(len(k) < MIN_KEY for k in parts):
            raise ValueError(f"privacy.key needs at least {MIN_KEY} characters")
        self._text = MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(k, "text"))) for k in parts])
        self._files = [AESGCM(_derive(k, "file")) for k in parts]

    def seal(self, value: Any) -> bytes:
        """JSON value to ciphertext."""
        return self._text.encrypt(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def open(self, token: bytes) -> Any:
        """Ciphertext to the JSON value. Raises ``WrongKey``."""
        try:
            return json.loads(self._text.decrypt(bytes(token)))
        except InvalidToken:
            raise WrongKey from None

    def seal_bytes(self, data: bytes, label: str) -> bytes:
        """File content to ciphertext, bound to ``label`` (the same must be given to open it)."""
        nonce = secrets.token_bytes(12)
        return nonce + self._files[0].encrypt(nonce, data, label.encode())

    def open_bytes(self, blob: bytes, label: str) -> bytes:
        """Ciphertext to file content. Raises ``WrongKey``."""
        blob = bytes(blob)
        for box in self._files:
            try:
                return box.decrypt(blob[:12], blob[12:], label.encode())
            except InvalidTag:
                continue
        raise WrongKey


class Pseudonyms:
    """Stable codes for people and message ids that say nothing without the pepper."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper

    def of(self, kind: str, value: str) -> str:
        """26 letters and digits for ``value``; different for every ``kind`` (``user``, ``phone``, ``wamid`` …)."""
        digest = hmac.new(self._pepper, f"{kind}\0{value}".encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:16]).decode().rstrip("=").lower()
