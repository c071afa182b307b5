"""What a typed word means: commands in three languages, names of options, numbers; accents and case are free."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_MENU = ("menú", "0", "inici", "inicio", "principal", "menu principal", "start", "home", "main menu", "torna", "volver", "back")  # fmt: skip
_GREETING = {
    "ca": ("bon dia", "bona tarda", "bona nit", "bones", "ei"),
    "es": ("buenos días", "buenas tardes", "buenas noches", "buenas", "hola buenas", "hola buenos días", "hola buenas tardes"),
    "en": ("hello", "hi", "hey", "good morning", "good afternoon", "good evening", "hello there"),
    "": ("hola", "ola", "holaa", "holi", "salut"),
}  # fmt: skip
_HELP = ("ajuda", "ayuda", "help", "?", "com funciona", "cómo funciona", "how does it work", "opcions", "opciones", "options")  # fmt: skip
_LANGUAGE = ("idioma", "llengua", "lengua", "language", "idiomes", "idiomas", "languages")
_LANGUAGES = {
    "ca": ("català", "valencià", "catalán", "valenciano", "catalan", "en català"),
    "es": ("castellà", "espanyol", "castellano", "español", "spanish", "en español", "en castellano"),
    "en": ("anglès", "inglés", "english", "in english"),
}
_SEND = ("envia", "enviar", "enviar-lo", "envia-ho", "envia'l", "envía", "enviarlo", "send", "send it", "enviat", "ja està", "ya está")  # fmt: skip
_CANCEL = ("cancel·la", "cancel·lar", "cancela", "cancelar", "cancel", "esborra", "esborrar", "borrar", "descarta", "descartar", "discard", "delete")  # fmt: skip
_PLACE = ("lloc", "afegeix un lloc", "afegir lloc", "ubicació", "lugar", "ubicación", "añadir un lugar", "añade un lugar", "place", "add a place", "location", "add location")  # fmt: skip
_KEEP = ("continua", "continuar", "seguir", "conserva", "guarda", "keep", "continue", "go on")
_YES = ("sí", "si", "accepto", "acepto", "d'acord", "de acuerdo", "accept", "i accept", "yes", "ok", "vale", "agree", "i agree")  # fmt: skip
_NO = ("no", "no accepto", "no acepto", "rebutjo", "rechazo", "i do not accept", "i don't accept", "refuse", "no, gràcies", "no gracias", "no thanks")  # fmt: skip


def fold(text: str) -> str:
    """``text`` without case, accents, punctuation at the ends and doubled spaces, for comparing only."""
    text = text.replace("·", "").replace("’", "'").replace("l.l", "ll")
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(c for c in text if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    text = re.sub(r"\s+", " ", text).strip()
    return text if text == "?" else text.strip(" .,;:!¡¿?*_~\"'«»()-")


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(fold(w) for w in words)


def fold_all(*words: str) -> frozenset[str]:
    """The words as ``fold`` leaves them, to look a folded text up in."""
    return _folded(words)


MENU = _folded(_MENU)
HELP = _folded(_HELP)
LANGUAGE = _folded(_LANGUAGE)
SEND = _folded(_SEND)
CANCEL = _folded(_CANCEL)
PLACE = _folded(_PLACE)
KEEP = _folded(_KEEP)
YES = _folded(_YES)
NO = _folded(_NO)
_GREETINGS = {language: _folded(words) for language, words in _GREETING.items()}
_NAMES = {language: _folded(words) for language, words in _LANGUAGES.items()}


def is_greeting(text: str) -> bool:
    """Whether the whole text is a greeting in any of our languages."""
    folded = fold(text)
    return any(folded in words for words in _GREETINGS.values())


def greeting_language(text: str) -> str:
    """The language a greeting is surely in, or ""."""
    folded = fold(text)
    return next((language for language, words in _GREETINGS.items() if language and folded in words), "")


def named_language(text: str) -> str:
    """The language whose name was typed, or ""."""
    folded = fold(text)
    return next((language for language, words in _NAMES.items() if folded in words), "")


def number(text: str) -> int | None:
    """The number typed alone («3», «3.», «opció 3», a keycap or full-width digit), or None."""
    folded = fold(text).replace("\u20e3", "")
    match = re.fullmatch(r"(?:opcio|opcion|option|num|numero|number|n)?\s*(\d{1,3})", folded)
    return int(match.group(1)) if match else None


def is_blank(text: str) -> bool:
    """Whether nothing in it can be seen."""
    return not any(unicodedata.category(c)[0] in "LNPS" for c in text)
