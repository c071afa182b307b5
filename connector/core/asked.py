"""«Està obert?»: whether a typed text asks for opening hours, and of which office."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .information import Office
from .search import known, same, significant
from .words import fold

_LONGEST = 8
"""Words; a longer text tells a story."""
_ASKS = re.compile(
    r"(?:ara |avui |i |y |and )?(?:"
    r"(?:esta|es|esteu|estan|sou|hi sou|teniu|estais|estan|sigue|segueix|is|are|are you|is it|are they|encara esta|todavia esta)\b.*?"
    r"\b(?:obert|oberta|oberts|obertes|abierto|abierta|abiertos|abiertas|open|tancat|tancada|tancats|cerrado|cerrada|cerrados|closed)"
    r"|(?:obert|oberta|oberts|abierto|abierta|abiertos|open)"
    r"|(?:obre|obren|obriu|abre|abren|abris|tanca|tanquen|tanqueu|cierra|cierran|cerrais)"
    r"|(?:a quina hora|fins a quina hora|des de quina hora|quan|quins dies|a que hora|hasta que hora|cuando|que dias)\b.*?"
    r"\b(?:obre|obren|obriu|obrireu|tanca|tanquen|tanqueu|tancareu|abre|abren|abris|abrireis|cierra|cierran|cerrais|esta obert|esta oberta|esta abierto|esta abierta)"
    r"|(?:when|what time|until when|till when|until what time|what days)\b.*?\b(?:open|opens|close|closes|opening|closing|shut)"
    r"|(?:do you|does)\b.*?\b(?:open|close)"
    r")(?= |$)"
)  # fmt: skip
_ASKING = """
    està es esteu estan sou hi teniu estais están sigue segueix is are you it they do does will be
    quina quins fins des quan dies hora hores qué hasta cuándo días desde time days until till since
    obert oberta oberts obertes obre obren obriu obrireu abierto abierta abiertos abiertas abre abren abrís abriréis
    tancat tancada tancats tanca tanquen tanqueu tancareu cerrado cerrada cerrados cierra cierran cerráis
    open opens opening closed close closes closing shut horari horario hours
"""
_ANY = """
    ara avui demà ahora hoy mañana now today tomorrow aquí allà allí here there ja ya already still encara todavía
    ajuntament ayuntamiento town hall city council office oficina oficines oficinas vosaltres vosotros
    matí tarda mañanas tarde tardes morning afternoon setmana semana week this aquest aquesta este esta
    dilluns dimarts dimecres dijous divendres dissabte diumenge lunes martes miércoles jueves viernes sábado domingo
    monday tuesday wednesday thursday friday saturday sunday
"""
_BESIDE = frozenset(map(fold, (_ASKING + _ANY).split()))
"""Words of the question itself, of time, or for the town hall as a whole: they name no office."""


def offices(text: str, every: Sequence[Office]) -> list[Office] | None:
    """The offices a text asks the hours of, in order; all of them when it names none; None when it asks no such thing.

    What the text says besides has to be an office or a word of time: «està oberta una tapa de claveguera» is no
    question.
    """
    folded = fold(text)
    if len(folded.split()) > _LONGEST or _ASKS.match(folded) is None:
        return None
    rest = [w for w in significant(folded) if w not in _BESIDE]
    if not rest:
        return list(every)
    return [o for o in every if all(_names(o, w) for w in rest)] or None


def _names(office: Office, word: str) -> bool:
    names = (*office.name.values(), *office.words)
    return any(same(word, w) for name in names for w in known(name))
