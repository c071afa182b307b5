"""Which sentences get the notice «call 112», and which do not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.emergency import speaks_of
from tests.fuzz import examples

NOW = """
112
Al 112!
Emergència
socors!
auxilio
Foc!
Truqueu al 112 si us plau
Llamen al 112, rápido
please call 112
És una emergència
Tinc una emergència a casa
Es una emergencia médica
This is an emergency
Hi ha foc al bosc de darrere l'escola
Hi ha un incendi a la muntanya
Hi ha molt de fum, hi ha foc al pis de dalt
S'està cremant un contenidor al carrer Major
s'esta cremant el bosc
Es crema la casa del davant
Hay un incendio en el polígono
Hay fuego en un piso
Se está quemando un coche
Se quema el bosque!!
There is a fire in the forest
There's a big fire near the school
My kitchen is on fire
El meu pare no respira
Mi madre no puede respirar
He is not breathing
La meva veïna està inconscient
Hi ha una persona inconscient a terra
Ha perdut el coneixement
Crec que té un infart
Mi marido tiene un infarto
I think she is having a heart attack
Li ha agafat un ictus
Un noi s'està ofegant a la platja
Se está ahogando un niño
A child is drowning
Sagna molt i no para
Está perdiendo mucha sangre
she is bleeding heavily
Hi ha hagut un accident greu a la carretera
Ha habido un accidente con heridos
There has been a car accident
Han atropellat una dona davant del mercat
Acaban de atropellar a un niño
La iaia ha caigut per l'escala i no es mou
Mi abuelo se ha caído y no se levanta
M'estan robant
Ens estan robant a casa, ajuda
Me están pegando
El meu marit em pega
Están entrando a robar en la casa del vecino
Someone is breaking into my house
Hi ha un home amb un ganivet a la plaça
Hay un hombre con una pistola
There is a man with a knife
Fa molta olor de gas a l'escala
Fuita de gas al carrer Nou
Huele a gas en mi edificio
I can smell gas, strong smell of gas in the street
Hi ha una fuga de gas
S'ha ensorrat el sostre de l'edifici
Estem atrapats dins l'ascensor
We are trapped in the lift
No trobo la meva filla
Em vull matar
quiero morir
I want to kill myself
Bon dia, volia dir que el fanal no va. Ara veig que hi ha foc al contenidor
Necessito una ambulància urgent
manden una ambulancia ya
Una ambulància, si us plau!
ambulància
Hi ha foc, podria arribar a les cases
""".strip().splitlines()

NOT_NOW = """
Hola
Hi ha un fanal trencat davant de l'escola
Carrer Major, 112
Visc al carrer de la Font 112, 2n 1a
El meu telèfon és el 600 000 112
Expedient 112/2026
La factura és de 112 euros
Quin és el telèfon d'emergències?
La sortida d'emergència del pavelló està tapada
Els llums d'emergència de l'escala no funcionen
La salida de emergencia está bloqueada
The emergency exit at the library is blocked
Voldria saber quan és el simulacre d'incendis
Hem fet un simulacre d'incendi a l'escola
La boca d'incendis del carrer Nou perd aigua
Falta un extintor a la biblioteca
Demano permís per fer foc al camp
Com demano un permís de crema?
Puc encendre foc a la barbacoa?
Quan són els focs artificials?
Els petards i el correfoc fan massa soroll
Hogueras de San Juan: ¿dónde se pueden hacer?
When are the fireworks?
Hi ha perill d'incendi al solar, està ple d'herba seca
Hi ha molt risc d'incendi a la urbanització
Hay peligro de incendio por la maleza
Prevenció d'incendis forestals: quan netejareu el bosc?
La setmana passada hi ha hagut un accident en aquesta cruïlla
Ahir hi va haver un incendi i encara hi ha runa
Ayer hubo un accidente en la rotonda
Hace dos semanas hubo un incendio y el contenedor sigue quemado
Last week there was a fire and the bin is still there
There was an accident two months ago at this corner
En aquest pas de vianants algú prendrà mal
Podria haver-hi un accident qualsevol dia
Podría haber un accidente
Someone could be hit by a car here, it could cause an accident
Si hi ha foc, per on hem de sortir?
En cas d'emergència, on ens hem de reunir?
En caso de incendio, ¿qué hacemos?
What should we do in case of fire?
El contenidor està cremat des de fa mesos
El contenidor cremat del carrer Nou encara hi és
El contenedor quemado sigue en la calle
No és una emergència, però el semàfor no va
No es urgente, no es una emergencia
It's not an emergency but the light is broken
Curs de primers auxilis: com m'hi apunto?
Curso de primeros auxilios
First aid course
Vull la plaça d'auxiliar administratiu
Treballo d'auxiliar a domicili
Emergència climàtica: què fa l'Ajuntament?
Ajuts d'emergència social
Ayudas de emergencia habitacional
Quin horari té la policia local?
Voldria parlar amb la policia local
On és el parc de bombers?
La revisió del gas, és obligatòria?
Com canvio el nom de la factura del gas?
Repartiment de bombones de gas
El comptador de gas està trencat
Fa olor de clavegueram al carrer
Hay mal olor en la alcantarilla
There is a bad smell in the street
El gos del veí borda tota la nit
Ha caigut un arbre al camí
S'ha caigut un cartell
Se ha caído una rama en el parque
A tree has fallen on the path
El mur del cementiri s'ha esquerdat
El rètol no es mou des de fa anys
M'han robat la bici la setmana passada
Ens van robar fa un mes
Em moro de ganes que arribi la festa major
La calor em mata
Estic cansat de morir-me de fred a l'escola
Esto me mata de risa
Hi ha sang al terra del vestidor
La piscina: hi ha socorrista?
¿Hay socorrista en la playa?
Is there a lifeguard at the pool?
Ambulància i transport sanitari programat: on truco?
Ganivets i coberts al menjador de l'escola
Foc de Sant Joan
La llar de foc de l'hotel fa fum
Foc a terra al refugi
El detector de incendios pita
Infants i joves: activitats d'estiu
Inscripció al casal
Gràcies per la feina dels bombers, ja està apagat
Pla d'emergència municipal
Obra de teatre: «Foc a la ciutat»
Quiero empadronarme
M'he quedat atrapat en un tràmit de la seu electrònica
Vull donar sang: on és la campanya de donació?
""".strip().splitlines()


@pytest.mark.parametrize("text", NOW)
def test_help_is_needed_now(text: str) -> None:
    assert speaks_of(text)


@pytest.mark.parametrize("text", NOT_NOW)
def test_this_can_wait(text: str) -> None:
    assert not speaks_of(text)


def test_the_tables_are_worth_something() -> None:
    assert len(set(NOW)) == len(NOW) > 60 and len(set(NOT_NOW)) == len(NOT_NOW) > 80


@pytest.mark.parametrize("text", ["Pluja: la riera BAIXA plena", "la riera baixa plena i fa por"])
def test_a_towns_own_words_are_found_in_any_spelling(text: str) -> None:
    assert speaks_of(text, ("la riera baixa plena",)) and not speaks_of(text)


def test_who_writes_a_long_story_is_answered_all_the_same() -> None:
    assert not speaks_of("a" * 50_000) and not speaks_of("hi ha " * 20_000)
    assert speaks_of("Hi ha foc al bosc! " + "x " * 20_000)


@given(st.text(alphabet="hi ha foc al112,.'no es una emergència \n", max_size=400))
@settings(max_examples=examples(80), deadline=None)
def test_nothing_makes_it_stumble(text: str) -> None:
    assert speaks_of(text) in (True, False)
