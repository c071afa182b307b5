"""Does somebody need 112 now? Fixed phrases in three languages, and what makes them harmless.

The rule: a clause says that something happens now (a fire, somebody who does not breathe, a smell of gas …), and says
neither that it is past, nor that it only might, nor that it is no emergency; names of things that only sound like one
(an emergency exit, a fire drill) are taken out first. A notice too many costs a message, one too few may cost a life,
and a chat that shouts at every pothole is not read any more: so single words count only when they stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import words

_LONGEST = 2000
"""Characters that are looked at: who needs help says so first."""

_NUMBER = frozenset({"112", "el 112", "al 112", "112 112", "sos 112", "112 sos", "112 urgent", "112 help"})
"""Texts that say so when they are all that was written: elsewhere 112 may be a house or a price."""
_ALONE = (
    "emergencia", "emergència", "emergències", "emergencias", "emergency",
    "socors", "auxili", "auxilio", "socorro", "help me", "sos", "s.o.s", "foc", "incendi", "fuego", "incendio", "fire",
    "ambulància", "ambulancia", "ambulance", "policia", "policía", "police", "bombers", "bomberos",
)  # fmt: skip
"""Clauses that say so when they are nothing else."""

_MOMENT = (
    # who to call
    r"(?:truc|truqu|crid|avis|marc|marq|llam|call|dial|phone|ring)\w*(?: \w+){0,3} 112",
    r"(?:envieu|enviin|envien|cal|necessit\w+|demano|manden|envien|hace falta|necesit\w+|send|need|call)(?: \w+){0,3} (?:ambulanci\w|ambulance|bombers|bomberos|fire brigade|policia|police)(?: \w+)?(?: urgent\w*| ara| ja| ya| now)",
    r"(?:una|an|una gran) (?:ambulanci\w|ambulance)[ ,]+(?:si us plau|per favor|por favor|please|urgent\w*|ja|ya|now|rapid\w*)",
    r"(?:es|tinc|tenim|tengo|tenemos|this is|it's|it is|there is|there's|have|hi ha|hay) (?:una |an |a )?(?:emergenci\w+|emergency)",
    r"(?:emergencia|urgencia) (?:medica|vital)|medical emergency",
    r"(?:socors|auxili|auxilio|socorro|ajudeu-me|ajudin-me|ayudenme|ayudadme|help us|help me)(?: \w+){0,3}(?: urgent\w*| rapid\w*| please| si us plau| por favor| ja| ya| now| quickly)",
    # fire
    r"(?:hi ha|veig|veiem|s'ha calat|s'ha encès|s'ha ences|hay|veo|vemos|se ha declarado|there is|there's|i see|i can see|we see)(?: (?:un|una|molt|mucho|a|some|gran|big|huge|lots of))*(?: \w+)? (?:foc|incendi|flames|flames|fuego|incendio|llamas|fire)",
    r"(?:s'esta|s'estan|esta|estan|se esta|se estan) (?:cremant|incendiant|quemando|incendiando)(?:-se|se)?",
    r"(?:es crema|es cremen|se quema|se queman) (?:el|la|els|les|los|las|un|una|casa|tot|todo)(?: \w+)?",
    r"(?:is|are|it's) (?:on fire|burning)|(?:has|have|just) caught fire|(?:house|flat|car|forest|building|container|bin|kitchen) on fire",
    r"(?:incendi|incendio) (?:al|a la|a l'|als|a les|en|prop|cerca|molt|forestal)\b|(?:foc|fuego) (?:al|a la|a l'|en el|en la|en un|en una|a un|a una) ?(?:bosc|bosque|contenidor|contenedor|pis|piso|casa|cotxe|coche|edifici|edificio|balco|balcon|muntanya|montana|garatge|garaje|cuina|cocina|camp|campo)",
    r"(?:bosc|bosque|contenidor|contenedor|pis|piso|casa|cotxe|coche|edifici|edificio|cuina|cocina) (?:en flames|en llamas|incendiat|incendiad\w|ardiendo)",
    # somebody is hurt or ill
    r"(?:no|not|isn't|stopped|ha deixat de|ha dejado de|can't|cannot|no puc|no pot|no puedo|no puede) (?:respira\w*|breath\w*)",
    r"inconscient|inconsciente|unconscious|sense coneixement|sin conocimiento|(?:perdut|perdido) (?:el coneixement|la consciencia|el conocimiento|la conciencia)|passed out|collapsed (?:on|in|at)",
    r"(?:infart|infarto|ictus|atac de cor|ataque al corazon|ataque de corazon|heart attack|stroke|convulsio\w+|seizure)",
    r"(?:s'ofega|s'esta ofegant|m'ofego|m'estic ofegant|se ahoga|se esta ahogando|me ahogo|is drowning|is choking|i'm choking)",
    r"(?:sagn|sang|dessagn|sangr|bleed)\w* (?:molt|mucho|a lot|badly|heavily)|(?:perd|pierde|perdiendo|losing) (?:molta|mucha|a lot of) (?:sang|sangre|blood)|es dessagna|se desangra",
    r"(?:hi ha|hay|there is|there are|there's)(?: \w+){0,2} (?:ferit|ferits|ferida|ferides|herido|heridos|herida|heridas|injured|wounded)|(?:ferit|ferida|herido|herida) (?:molt )?(?:greu|grave)|(?:seriously|badly) (?:hurt|injured)",
    r"(?:hi ha hagut|acaba d'haver-hi|hi ha|ha habido|acaba de haber|hay|there has been|there's been|there is|just had)(?: (?:un|una|a|an|molt|greu|grave|serious|bad|car|traffic|terrible))+ (?:accident|accidente|atropellament|atropello|explosio|explosion|crash)",
    r"(?:han|ha|acaben d'|acaban de|acaba de) ?(?:atropellat|atropellar|atropellado|apunyalat|apunalado|disparat|disparado|explotat|explotado)|(?:was|been|got) (?:run over|hit by a car|stabbed|shot)",
    r"(?:ha caigut|s'ha caigut|se ha caido|has fallen|fell)(?: \w+){0,8} (?:no es mou|no se mueve|no respon|no responde|not moving|doesn't move|isn't moving|no es pot moure|no puede moverse|no s'aixeca|no se levanta)",
    r"(?:no trob\w+|s'ha perdut|ha desaparegut|no encontr\w+|se ha perdido|ha desaparecido|can't find|lost)(?: \w+)? (?:meu fill|meva filla|mi hijo|mi hija|my son|my daughter|my child|nen|nena|nino|nina)",
    # violence
    r"(?:m'|ens |li |la |el |lo |los |les |em |me |nos |le )(?:esta|estan) (?:pegant|agredint|atracant|robant|apunyalant|amenacant|pegando|agrediendo|atracando|robando|apunalando|amenazando)",
    r"(?:em|me) (?:pega|vol matar|quiere matar)|(?:is|are) (?:hitting|attacking|beating|robbing|threatening|stabbing) (?:me|us|her|him|somebody|someone|my)|wants to kill|trying to kill",
    r"(?:estan|esta) (?:robant|robando|entrant a robar|entrando a robar|barallant-se|peleando)|s'estan barallant|se estan peleando|(?:breaking|broke) into (?:my|our|the) (?:house|flat|home)|being (?:robbed|attacked|mugged)",
    r"(?:amb|con|with)(?: (?:un|una|a))? (?:ganivet|navalla|pistola|escopeta|cuchillo|navaja|knife|gun)\b(?! (?:de cuina|de cocina))",
    r"(?:em vull|vull|em penso|me quiero|quiero|voy a|want to|going to) (?:matar|morir|suicidar|suicidarme|matarme|matar-me|suicidar-me|morir-me|morirme|kill myself|die|end my life)(?:-me|me)?(?= ?$)|suicidar-me|suicidarme|kill myself|(?:es vol|se quiere) (?:matar|suicidar|tirar)",
    # gas, collapse, trapped
    r"(?:olor|olors|oloro|pudor|flaire|fuita|fuga|escapament|escape|huele|olor fort|smell|smells|leak)(?: (?:forta|fuerte|a|de|del|of|like))* gas\b|gas leak",
    r"(?:s'ha|s'han|se ha|se han)(?: \w+)? ?(?:esfondrat|ensorrat|derrumbado|hundido)(?: \w+){0,3} (?:edifici|edificio|casa|pis|piso|sostre|techo|balco|balcon)|(?:building|house|roof|balcony) (?:has )?collapsed",
    r"(?:atrapa\w+|trapped|stuck)(?: \w+){0,4} (?:cotxe|coche|car|ascensor|lift|elevator|aigua|agua|water|flames|incendi|incendio|fire|runa|escombros|dins|dentro|inside)",
)  # fmt: skip
"""What happens now, folded: in any order of languages, as people mix them."""

_SOUNDS_LIKE = (
    r"(?:sortid|sortides|salid|llum|llums|luz|luces|escal|port|porta|puert|tel[e]?fon|telefono|telefons|numero|servei|serveis|servicio|servicios|pla|plan|estat|estado|fons|fondo|protocol\w*|vehicle\w*|vehiculo\w*|carril|parada|fre|ajut|ajuts|ayuda|ayudas|lloguer|habitatge|vivienda)\w* d(?:'|e )emergenci\w+",
    r"emergenci\w+ (?:climatic\w+|habitacional\w*|social\w*|energetic\w+|nacional|sanitari\w+)|(?:climate|housing|social) emergency|emergency (?:exit|exits|light|lights|lighting|number|services|phone|plan|lane|housing|fund|contact)\w*|(?:fire) (?:drill|drills|station|engine|alarm test|hydrant|extinguisher|door|doors|exit|safety|permit|works?)\w*",
    r"(?:boc|boqu|mang|alarm|detector|prevenci|risc|risk|riesg|extinci|perill|peligr|simulacr|pla|plan|port|puert|certificat|asseguranc|seguro|permis|permiso|franj|hidrant)\w*(?: \w+)?(?: d'| de | contra | para | per a | per )(?:incendi\w*|foc|focs|fuego|fuegos|gas)",
    r"(?:fer|encendre|hacer|encender|make|light|start)(?: \w+)? (?:foc|focs|fuego|fuegos|fire|fires)|(?:foc|focs|fuego|fuegos) (?:a terra|artificial\w*|de sant joan|de san juan|de camp|de campamento|follet)|correfoc\w*|fire ?works?|bon ?fires?|fire pit|camp ?fire|wood fire",
    r"primers auxilis|primeros auxilios|first aid|auxili\w+ (?:administratiu|administrativa|administrativo|judicial|a domicili)|auxiliar\w*",
    r"(?:simulacr|curs|taller|xerrada|charla|campany|campan|exposici|jornad|obra de teatre|pellicul|pelicul|film|workshop|course|talk|campaign)\w*\b.*",
    r"(?:bombon|estuf|calder|calefaccio|comptador|contador|revisio|revision|instal\w+|factur|conte|canonad|tuberi|meter|boiler|bill|supply)\w*(?: \w+)?(?: de| del| of)? gas|gas (?:natural|meter|bill|boiler|supply)",
    r"policia (?:local|municipal)|local police|oficina de la policia|cos de bombers|parc de bombers|parque de bomberos",
)  # fmt: skip
"""Names that only sound like it, taken out before looking."""

_HARMLESS = (
    # past
    r"ahir|abans-d'ahir|anit|(?:la setmana|el mes|l'any|el cap de setmana|dilluns|dimarts|dimecres|dijous|divendres|dissabte|diumenge) passa\w+|fa (?:ja )?(?:un|una|dos|dues|tres|quatre|cinc|uns|unes|molts|\d+)(?: \w+)? (?:dia|dies|setmana|setmanes|mes|mesos|any|anys)|va haver|va tenir|van haver|l'altre dia",
    r"ayer|anteayer|anoche|(?:la semana|el mes|el ano|el fin de semana|el lunes|el martes|el miercoles|el jueves|el viernes|el sabado|el domingo) pasad\w+|hace (?:ya )?(?:un|una|dos|tres|cuatro|cinco|unos|unas|muchos|\d+)(?: \w+)? (?:dia|dias|semana|semanas|mes|meses|ano|anos)|hubo|el otro dia",
    r"yesterday|last (?:night|week|month|year|weekend|summer|winter|spring|autumn)|(?:day|days|week|weeks|month|months|year|years) ago|the other day|used to",
    # only perhaps, or in general
    r"si (?:hi ha|hi hagues|hi hagues|hi hague|hay|hubiera|hubiese|passa|pasa|algu|alguien|es|un dia)|en (?:cas|caso) d\w*|in case (?:of|there)|if (?:there|somebody|someone|a|the|you|we|it)|per si|por si|podria (?:haver|ser|provocar|calar|haber|causar)|podrien|podrian|pot (?:haver|ser|provocar|causar)|puede (?:haber|ser|provocar|causar)|could (?:be|cause|catch|start)|might|cada (?:vegada|cop|any|vez|ano|dos)|sempre que|siempre que|whenever|every time",
    # denied
    r"no (?:es|hi ha|hay|is|hem tingut|tenim)(?: (?:cap|una|ningun|ninguna|an|any))* (?:emergenci\w+|emergency|ferits|heridos|incendi|incendio|foc|fuego)|not an? emergency|isn't an? emergency|no (?:one|body) (?:is|was) (?:hurt|injured)|per sort no|por suerte no|ja (?:esta )?apagat|ya (?:esta )?apagado",
)  # fmt: skip
"""What makes a clause harmless."""


def _pattern(parts: Iterable[str]) -> re.Pattern[str]:
    # a word of somebody else's may have an apostrophe
    return re.compile("|".join(rf"(?<!\w)(?:{part})(?!\w)" for part in parts).replace(r" \w+)", r" [\w'-]+)"))


_NOW, _LIKE, _NOT = _pattern(_MOMENT), _pattern(_SOUNDS_LIKE), _pattern(_HARMLESS)
_WHOLE = frozenset(map(words.fold, _ALONE))
_SENTENCE = re.compile(r"[.!?¡¿;:\n…]+")
_CLAUSE = re.compile(r",|\b(?:però|pero|but)\b")


def speaks_of(text: str, more: Iterable[str] = ()) -> bool:
    """Whether ``text`` says that help is needed now. ``more`` are words and phrases of the town's own."""
    if words.fold(text[:_LONGEST]) in _NUMBER:
        return True
    own = [words.fold(w) for w in more]
    found = re.compile("|".join(rf"(?<!\w){re.escape(w)}(?!\w)" for w in own if w)) if any(own) else None
    for sentence in _SENTENCE.split(text[:_LONGEST]):
        for clause in dict.fromkeys((*_CLAUSE.split(sentence), sentence)):
            folded = words.fold(clause)
            if folded in _WHOLE or (found and found.search(folded)):
                return True
            left = _LIKE.sub(" ", folded)
            if _NOW.search(left) and not _NOT.search(left):
                return True
    return False
