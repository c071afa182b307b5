"""Fixtures for a throw-away Roundup used by integration tests: the people and places of seed.rb and rt-seed.pl.

seed.py HOME URL        run by the Python that has roundup; HOME must not exist yet

Every password below is a public test value: loopback use only.
"""

import shutil
import sys
from pathlib import Path

from roundup import init, instance
from roundup.password import Password

PASSWORD = "contrasenya-de-prova"
PEOPLE = {
    "oac": ("Oficina Atenció Ciutadana", "Personal"),
    "whatsapp-bot": ("Robot WhatsApp", "Robot"),
    "alcalde": ("Jordi Alcalde", "Electe"),
    "regidor.centre": ("Marc Regidor Centre", "Electe"),
    "regidora.platja": ("Laia Regidora Platja", "Electe"),
    "regidor.muntanya": ("Pau Regidor Muntanya", "Electe"),
    "operari.brigada": ("Nil Operari Brigada", "Brigada"),
    # what a test does to these, it does to nobody else
    "treballador.temporal": ("Ona Temporal", "Robot"),
}
NAMES = {
    "project": ("Alcaldia", "Regidories", "Incidències", "Bústia ciutadana", "Obres i serveis"),
    "channel": ("WhatsApp", "Presencial", "Telèfon", "Web"),
    "neighbourhood": ("Centre", "Platja", "Muntanya"),
    "keyword": ("Centre", "Platja", "Muntanya", "Via pública"),
}
CHECKBOX = """<br><label><input type="checkbox" name="msg-1@public" value="yes"> Per al ciutadà</label>
 </td>"""
MESSAGE = "(view)</a>"
SHOWN = ' <span tal:condition="msg/public">· per al ciutadà</span>'


def install(home: Path, url: str) -> None:
    """The «classic» template with our schema, our detector, and a box to tick on the page of a ticket."""
    here = Path(__file__).parent
    classic = Path(sys.prefix) / "share" / "roundup" / "templates" / "classic"
    settings = {
        "RDBMS_BACKEND": "sqlite",
        "TRACKER_WEB": url,
        "MAIL_DOMAIN": "example.invalid",
        "MAIL_HOST": "localhost",
        "MAIL_DEBUG": str(home / "mail.txt"),  # nothing is sent
        "PASSWORD_PBKDF2_DEFAULT_ROUNDS": 1000,  # a login costs the tests less than it costs a town hall
        "WEB_API_FAILED_LOGIN_LIMIT": 1000,  # nor do wrong passwords of one test lock the account of another
    }
    init.install(str(home), str(classic), settings=settings)
    shutil.copy(here / "schema.py", home / "schema.py")
    shutil.copy(here / "detector.py", home / "detectors" / "town.py")
    page = home / "html" / "issue.item.html"
    before, box, after = page.read_text(encoding="utf-8").partition(
        'wrap="hard" rows="5" cols="80"></textarea>'
    )
    after = after.replace(" </td>", CHECKBOX, 1).replace(MESSAGE, MESSAGE + SHOWN, 1)
    page.write_text(before + box + after, encoding="utf-8")


def fill(home: Path) -> None:
    """People, names to choose from, and a ticket in each place."""
    tracker = instance.open(str(home))
    tracker.init(Password(PASSWORD, config=tracker.config))
    db = tracker.open("admin")
    for login, (name, role) in PEOPLE.items():
        password = Password(PASSWORD, config=tracker.config)
        address = login.replace(".", "-") + "@example.invalid"
        db.user.create(username=login, realname=name, roles=role, password=password, address=address)
    for klass, names in NAMES.items():
        for name in names:
            db.getclass(klass).create(name=name)
    oac = db.user.lookup("oac")
    for name in NAMES["project"]:
        text = db.msg.create(content="Prova", author=oac, public=False)
        db.issue.create(title="Prova de la bústia", project=db.project.lookup(name), messages=[text])
    db.commit()
    db.close()


if __name__ == "__main__":
    install(Path(sys.argv[1]), sys.argv[2])
    fill(Path(sys.argv[1]))
