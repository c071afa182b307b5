"""Input led by what it reaches: ``make fuzz GUIDED=1`` (atheris, on Linux), each part for its share of ``MINUTES``.

Where bytes of strangers are taken apart by code of our own, coverage finds its way deeper than chance does. A finding is
the input that broke it, kept as ``crash-…`` in the folder that is printed; it becomes a test beside those of its part.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def _files() -> tuple[Callable[[bytes], None], Iterable[bytes]]:
    """Files of people: taken or refused, and what was cleaned is clean."""
    from connector.toolkit.media import Refused, Rules, clean
    from tests.toolkit.test_media_documents import SAMPLES
    from tests.toolkit.test_media_hostile import SMALL

    rules = Rules()

    def one(data: bytes) -> None:
        try:
            found = clean(data, rules)
        except Refused:
            return
        assert clean(found.content, rules) == found

    return one, [*SMALL.values(), *SAMPLES.values()]


def _webhook() -> tuple[Callable[[bytes], None], Iterable[bytes]]:
    """Notifications: nothing is raised, and what was read can be kept and read again."""
    from connector.whatsapp.payloads import from_json, parse, to_json
    from tests.whatsapp.samples import WEBHOOKS, webhook

    def one(data: bytes) -> None:
        found = parse(data, AT)
        for thing in (*found.inbound, *found.statuses, *found.notices):
            assert from_json(to_json(thing), type(thing)) == thing

    return one, [webhook(name.removesuffix(".json")) for name in WEBHOOKS]


def _markup() -> tuple[Callable[[bytes], None], Iterable[bytes]]:
    """What staff write becomes WhatsApp's markup, what citizens write a subject, a text, a file's name: always."""
    from connector.core.ticket import Markup
    from connector.trackers import inert
    from connector.whatsapp.markup import to_whatsapp

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        for markup in get_args(Markup):
            to_whatsapp(text, markup)
        subject = inert.subject(text, "SCV-QRWX-KF")
        assert inert.reference_in(subject) == "SCV-QRWX-KF" and "\n" not in subject
        assert inert.clean(inert.clean(text)) == inert.clean(text)
        assert inert.filename(text)

    return one, [
        '*fort* _cursiva_ "enllaç":https://www.example.org\n# u\n# dos\n|_.a|b|'.encode(),
        b"<p>Hola &amp; <b>adeu</b></p>",
        b"**fort** [x](https://www.example.org)\n\n> cita\n\n```\ncodi\n```\n{{macro}}",
    ]


def _settings() -> tuple[Callable[[bytes], None], Iterable[bytes]]:
    """Settings and mappings: values with their places, or findings."""
    from connector.config.toml_file import TomlFile
    from connector.core.errors import Misconfigured
    from tests.config.sides import BASE

    place = Path(tempfile.mkdtemp()) / "config.toml"

    def one(data: bytes) -> None:
        place.write_bytes(data)
        try:
            TomlFile.read(place)
        except Misconfigured:
            return

    return one, [text.encode() for text in BASE.values()]


PARTS = {"files": _files, "webhook": _webhook, "markup": _markup, "settings": _settings}


def main() -> int:
    """Each part in a process of its own. Returns 1 when one broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)} (all)")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--within", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = given.parts or list(PARTS)
    if set(names) - set(PARTS):
        parser.error(f"there is {', '.join(PARTS)}")
    seconds = max(1, int(given.minutes * 60 / len(names)))
    if given.within:
        _run(names[0], given.within, seconds)
    place, broke = Path(tempfile.mkdtemp(prefix="connector-fuzz-")), []
    for name in names:
        folder = place / name
        (folder / "inputs").mkdir(parents=True)
        print(f"== {name} for {seconds} s, in {folder}", flush=True)
        command = [
            sys.executable,
            "-m",
            "tests.guided",
            name,
            "--minutes",
            str(seconds / 60),
            "--within",
            str(folder),
        ]
        if subprocess.run(command, check=False).returncode:
            broke.append(name)
    print(f"broke: {', '.join(broke)}" if broke else "nothing broke")
    return 1 if broke else 0


def _run(name: str, folder: Path, seconds: int) -> None:
    """Does not come back: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["connector"]):
        one, seeds = PARTS[name]()
    for n, seed in enumerate(seeds):
        (folder / "inputs" / f"sample-{n}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-artifact_prefix={folder}/",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder / "inputs")], one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
