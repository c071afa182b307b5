"""Fixtures for a throw-away django-helpdesk: the people, places and fields of seed.rb.

Every key and password below is a public test value: loopback use only.
"""

from __future__ import annotations

import django

django.setup()

# Django's parts can only be imported once it is set up
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from helpdesk.forms import TicketForm  # noqa: E402
from helpdesk.models import CustomField, Queue  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

PASSWORD = "contrasenya-de-prova"

call_command("migrate", verbosity=0, interactive=False)

# --- queues: one for each kind of request; the bot has no right in the last one ---------------------------
NAMES = {
    "alcaldia": "Alcaldia",
    "regidories": "Regidories",
    "incidencies": "Incidències",
    "bustia": "Bústia ciutadana",
    "obres": "Obres i serveis",
}
queues = {
    slug: Queue.objects.create(slug=slug, title=title, locale="ca", allow_public_submission=False)
    for slug, title in NAMES.items()
}

# --- custom fields, of all tickets ------------------------------------------------------------------------
CHANNELS = ("WhatsApp", "Presencial", "Telèfon", "Web")
NEIGHBOURHOODS = ("Centre", "Platja", "Muntanya")
for n, (name, label, values) in enumerate([
    ("canal", "Canal", CHANNELS),
    ("referencia", "Referència WhatsApp", ()),
    ("pseudonim", "Telèfon (pseudònim)", ()),
    ("latitud", "Latitud", ()),
    ("longitud", "Longitud", ()),
    ("adreca", "Adreça", ()),
    ("barri", "Barri", NEIGHBOURHOODS),
    ("categoria", "Categoria", (*NEIGHBOURHOODS, "Via pública")),
]):  # fmt: skip
    CustomField.objects.create(
        name=name, label=label, ordering=n, required=False, staff_only=True, max_length=None if values else 200,
        data_type="list" if values else "varchar", list_values="\n".join(values),
    )  # fmt: skip

# --- users ------------------------------------------------------------------------------------------------
PEOPLE = [
    # login, first name, last name, key, is staff, sees «Obres i serveis»
    ("admin", "", "", "ad", True, True),
    ("whatsapp-bot", "Robot", "WhatsApp", "b0", True, False),
    ("oac", "Oficina", "Atenció Ciutadana", "0a", True, True),
    ("alcalde", "Jordi", "Alcalde", "a1", True, False),
    ("regidor.centre", "Marc", "Regidor Centre", "c1", True, False),
    ("regidora.platja", "Laia", "Regidora Platja", "c2", True, False),
    ("regidor.muntanya", "Pau", "Regidor Muntanya", "c3", True, False),
    ("operari.brigada", "Nil", "Operari Brigada", "d1", False, True),
]
for login, first, last, key, staff, sees_works in PEOPLE:
    user = get_user_model().objects.create_user(
        login, f"{login}@example.invalid", PASSWORD, first_name=first, last_name=last, is_staff=staff,
        is_superuser=login == "admin",
    )  # fmt: skip
    seen = [
        queue.permission_name.partition(".")[2]
        for slug, queue in queues.items()
        if slug != "obres" or sees_works
    ]
    user.user_permissions.set(Permission.objects.filter(codename__in=seen))
    Token.objects.create(user=user, key=key * 20)

# --- a ticket in each queue -------------------------------------------------------------------------------
oac = get_user_model().objects.get(username="oac")
for queue in queues.values():
    form = TicketForm(
        data={"queue": queue.id, "title": "Prova de la bústia", "body": "Una prova", "priority": 3},
        queue_choices=[(queue.id, queue.title)],
    )
    assert form.is_valid(), form.errors
    form.save(user=oac)
