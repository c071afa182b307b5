"""What a typed word means: commands in three languages, greetings, numbers; accents, case and emoji are free."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_MENU = ("menú", "0", "inici", "inicio", "principal", "menú principal", "start", "home", "main menu", "torna", "volver", "back")  # fmt: skip
_GREETING = {
    "ca": ("bon dia", "bona tarda", "bona nit", "bon vespre", "bones", "ei", "què tal", "com va"),
    "es": (
        "buenos días",
        "buen día",
        "buenas tardes",
        "buenas noches",
        "buenas",
        "muy buenos días",
        "muy buenas tardes",
        "muy buenas noches",
        "muy buenas",
    ),
    "en": ("hello", "hi", "hey", "good morning", "good afternoon", "good evening", "hello there", "hi there"),
    "": ("ola", "holi", "salut"),
}
_HELP = ("ajuda", "ayuda", "help", "?", "com funciona", "cómo funciona", "how does it work", "opcions", "opciones", "options")  # fmt: skip
_LANGUAGE = ("idioma", "llengua", "lengua", "language", "idiomes", "idiomas", "languages", "canvia l'idioma", "canviar d'idioma", "cambiar idioma", "cambiar de idioma", "change language")  # fmt: skip
_LANGUAGES = {
    "ca": ("català", "valencià", "catalán", "valenciano", "catalan", "en català", "en catalán", "in catalan"),
    "es": ("castellà", "espanyol", "castellano", "español", "spanish", "en castellà", "en espanyol", "en español", "en castellano", "in spanish"),
    "en": ("anglès", "inglés", "english", "in english", "en anglès", "en inglés"),
}  # fmt: skip
_SEND = ("envia", "enviar", "enviar-lo", "envia-ho", "envia'l", "envía", "envíalo", "enviarlo", "send", "send it", "enviat", "ja està", "ya está")  # fmt: skip
_CANCEL = ("cancel·la", "cancel·lar", "cancel·la-ho", "cancela", "cancelar", "cancel", "esborra", "esborrar", "borrar", "descarta", "descarta-ho", "descartar", "descártalo", "descartarlo", "discard", "discard it", "delete")  # fmt: skip
_PLACE = ("lloc", "afegeix un lloc", "afegeix el lloc", "afegir lloc", "ubicació", "lugar", "ubicación", "añadir un lugar", "añadir lugar", "añade un lugar", "place", "add a place", "location", "add location")  # fmt: skip
_KEEP = ("continua", "continuar", "seguir", "conserva", "guarda", "keep", "continue", "go on")
_MORE = ("més", "més opcions", "más", "más opciones", "more", "more options", "següent", "siguiente", "next")
_BACK = ("anterior", "anteriors", "opcions anteriors", "anteriores", "opciones anteriores", "previous", "previous options")  # fmt: skip
_ACCEPT = ("accepto", "acepto", "accept", "i accept", "sí accepto", "sí acepto", "yes i accept", "ho accepto", "lo acepto", "d'acord accepto")  # fmt: skip
_YES = (*_ACCEPT, "sí", "si", "sip", "d'acord", "de acuerdo", "yes", "yes please", "ok", "okay", "vale", "agree", "i agree", "sí si us plau", "sí por favor", "sí gràcies", "sí gracias", "endavant", "adelante", "sí envia", "sí envía", "sí envia-ho", "yes send it")  # fmt: skip
_THUMBS = ("👍", "👌", "✅", "✔")
_REFUSE = ("no accepto", "no ho accepto", "no acepto", "no lo acepto", "i do not accept", "i don't accept", "rebutjo", "rechazo", "refuse")  # fmt: skip
_NO = (*_REFUSE, "no", "no gràcies", "no gracias", "no thanks", "no thank you", "encara no", "todavía no", "not yet")  # fmt: skip
_WITHDRAW = (*_REFUSE, "retiro el consentiment", "retirar el consentiment", "retiro el meu consentiment", "retiro el consentimiento", "retirar el consentimiento", "retiro mi consentimiento", "withdraw consent", "i withdraw my consent")  # fmt: skip
_LEAVE = ("baixa", "baja", "stop", "dona'm de baixa", "donar-me de baixa", "em dono de baixa", "em vull donar de baixa", "vull donar-me de baixa", "dame de baja", "darme de baja", "me doy de baja", "quiero darme de baja", "unsubscribe", "opt out")  # fmt: skip
_DATA = ("les meves dades", "dades", "dades personals", "les meves dades personals", "mis datos", "datos", "datos personales", "mis datos personales", "my data", "data", "personal data", "my personal data", "privacitat", "privacidad", "privacy", "protecció de dades", "protección de datos", "data protection")  # fmt: skip
_TOPICS = ("subscripcions", "subscripció", "les meves subscripcions", "suscripciones", "suscripción", "mis suscripciones", "subscriptions", "subscription", "my subscriptions", "subscriu-me", "subscriure'm", "em vull subscriure", "suscribirme", "suscríbeme", "quiero suscribirme", "subscribe", "rebre notícies", "vull rebre notícies", "recibir noticias", "quiero recibir noticias", "receive news", "get news")  # fmt: skip
_THANKS = ("gràcies", "moltes gràcies", "mil gràcies", "merci", "gracias", "muchas gracias", "mil gracias", "thanks", "thank you", "thank you very much", "many thanks", "ok", "okay", "vale", "d'acord", "de acuerdo", "ok gràcies", "ok gracias", "vale gràcies", "vale gracias", "d'acord gràcies", "perfecte", "perfecto", "perfecte gràcies", "perfecto gracias", "perfect", "molt bé", "muy bien", "genial", "great", "adéu", "adiós", "bye", "fins aviat", "hasta luego", "a reveure")  # fmt: skip

_GEMINATE = re.compile(r"l ?[·.•∙‧-] ?l", re.IGNORECASE)
_SIGNS = " .,;:!¡¿?*_~\"'«»“”()[]#-…"
_LEADING = re.compile(
    r"(?:(?:per a|per al|per|para el|para|pel|to|for|al|a)\s+)?(?:(?:la|el|les|els|las|los|the)\s+|l')?"
)


def fold(text: str) -> str:
    """``text`` without case, accents, emoji and punctuation around words, with single spaces: for comparing only."""
    text = _GEMINATE.sub("ll", text.replace("’", "'").replace("º", "").replace("ª", ""))
    text = unicodedata.normalize("NFKD", text.casefold())
    # marks (accents, variation selectors, keycaps), invisible signs, and emoji with their skin tones
    text = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Me", "Cf", "So", "Sk", "Cn"))
    if set(text.strip()) in ({"?"}, {"¿", "?"}):
        return "?"
    return " ".join(w for word in text.split() if (w := word.strip(_SIGNS)))


@lru_cache(maxsize=4096)
def folded_name(name: str) -> str:
    """``fold`` of a name in a mapping. It is remembered, so never for what a person wrote."""
    return fold(name)


def without_lead(folded: str) -> str:
    """A folded text without «to the» in front: «a l'alcalde» is «alcalde»."""
    return folded[match.end() :] if (match := _LEADING.match(folded)) else folded


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(fold(w) for w in words)


MENU = _folded(_MENU)
HELP = _folded(_HELP)
LANGUAGE = _folded(_LANGUAGE)
SEND = _folded(_SEND)
CANCEL = _folded(_CANCEL)
PLACE = _folded(_PLACE)
KEEP = _folded(_KEEP)
MORE = _folded(_MORE)
BACK = _folded(_BACK)
ACCEPT = _folded(_ACCEPT)
YES = _folded(_YES)
NO = _folded(_NO)
WITHDRAW = _folded(_WITHDRAW)
LEAVE = _folded(_LEAVE)
DATA = _folded(_DATA)
TOPICS = _folded(_TOPICS)
THANKS = _folded(_THANKS)
_NAMES = {language: _folded(words) for language, words in _LANGUAGES.items()}


def _any_of(phrases: Iterable[str]) -> str:
    # the longest first, so that «hello there» is not «hello» and something unknown
    return "|".join(re.escape(p) for p in sorted(_folded(phrases), key=len, reverse=True))


_LONGEST_GREETING = 60
_GREETED = re.compile(
    rf"(?:(?:{_any_of(p for phrases in _GREETING.values() for p in phrases)}|hol+a+)(?: |$))+"
)
_SURELY = {
    language: re.compile(rf"(?:^| )(?:{_any_of(phrases)})(?: |$)")
    for language, phrases in _GREETING.items()
    if language
}


def is_greeting(text: str) -> bool:
    """Whether the whole text is greetings in any of our languages («Hola, bon dia! 👋»)."""
    folded = fold(text)
    return len(folded) <= _LONGEST_GREETING and _GREETED.fullmatch(folded) is not None


def greeting_language(text: str) -> str:
    """The language a greeting is surely in, or ""."""
    folded = fold(text)
    if not is_greeting(folded):
        return ""
    return next((language for language, phrases in _SURELY.items() if phrases.search(folded)), "")


def named_language(text: str) -> str:
    """The language whose name was typed, or ""."""
    folded = fold(text)
    return next((language for language, words in _NAMES.items() if folded in words), "")


def number(text: str) -> int | None:
    """The number typed alone («3», «3.», «opció 3», «la 3», a keycap or full-width digit), or None."""
    match = re.fullmatch(
        r"(?:(?:la|el|the)\s+)?(?:opcio|opcion|option|num|numero|number|n)?\s*(\d{1,3})", fold(text)
    )
    return int(match.group(1)) if match else None


def agrees(text: str) -> bool:
    """Whether a text says yes to «shall I send it?», in words or with a thumb."""
    return fold(text) in YES or text.strip().rstrip("\ufe0f🏻🏼🏽🏾🏿") in _THUMBS


def is_blank(text: str) -> bool:
    """Whether nothing in it can be seen."""
    return not any(unicodedata.category(c)[0] in "LNPS" for c in text)
