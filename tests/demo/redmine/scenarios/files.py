"""Uploads and attachments."""

from __future__ import annotations

import base64
from typing import Any

from ..recorder import Recorder

_OCTETS = {"Content-Type": "application/octet-stream"}
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def _files(body: Any) -> Any:
    return {"attachments": body["issue"]["attachments"]}


def upload(r: Recorder) -> None:
    r.call("POST", "/uploads.json?filename=nota.txt", content=b"hola", headers=_OCTETS)
    r.call("POST", "/uploads.json", content=b"hola", headers=_OCTETS)
    r.call("POST", "/uploads.json?filename=buit.txt", content=b"", headers=_OCTETS)
    for kind in ("image/png", "application/json", "application/octet-stream; charset=utf-8"):
        r.call("POST", "/uploads.json?filename=a.png", content=_PNG, headers={"Content-Type": kind})
    r.call("POST", "/uploads.json?filename=a.png", content=_PNG)
    for name in (
        "virus.exe",
        "virus.EXE",
        "script.sh",
        "a.exe.txt",
        "sense",
        "x" * 300 + ".txt",
        "a/b\\c.txt",
    ):
        r.call("POST", f"/uploads.json?filename={name}", content=b"x", headers=_OCTETS)
    r.call("POST", "/uploads.json?filename=a.txt", who="brigada", content=b"x", headers=_OCTETS)


def too_large(r: Recorder) -> None:
    r.call("POST", "/uploads.json?filename=gran.bin", content=b"x" * (5120 * 1024), headers=_OCTETS)
    r.call("POST", "/uploads.json?filename=gran.bin", content=b"x" * (5120 * 1024 + 1), headers=_OCTETS)


def with_a_new_issue(r: Recorder) -> None:
    photo = {"token": r.upload("foto.png", _PNG), "filename": "foto.png", "content_type": "image/png"}
    text = {
        "token": r.upload("fanal%20tr%C3%A8ncat%20%F0%9F%8C%8A.txt", "à".encode()),
        "description": " un text ",
    }
    number = r.issue(uploads=[photo, text], record=True)
    r.get(f"/issues/{number}.json?include=attachments,journals")
    r.get(f"/issues/{number}.json", show=lambda b: "attachments" in b["issue"])
    files = r.get(f"/issues/{number}.json?include=attachments", record=False)["issue"]["attachments"]
    for file in files:
        r.get(f"/attachments/{file['id']}.json")
        r.call("GET", file["content_url"].removeprefix(r.url))
        r.call("GET", file["content_url"].removeprefix(r.url), who="nobody")
        r.call("GET", file["content_url"].removeprefix(r.url), who="wrong")
    r.get(f"/attachments/{files[0]['id']}.json", who="nobody")
    r.call("GET", f"/attachments/download/{files[0]['id']}/altre.png")
    r.call("GET", f"/attachments/download/{files[0]['id']}")
    r.call("GET", f"/attachments/{files[0]['id']}/foto.png", show=lambda _: "")


def token_is_single_use(r: Recorder) -> None:
    token = r.upload("a.txt", b"a")
    first = r.issue(uploads=[{"token": token, "filename": "a.txt"}])
    issue = {
        "project_id": 1,
        "tracker_id": 6,
        "subject": "x",
        "uploads": [{"token": token, "filename": "a.txt"}],
    }
    r.post("/issues.json", {"issue": issue})
    r.put(f"/issues/{first}.json", {"issue": {"notes": "es perd", "uploads": [{"token": token}]}})
    r.put(f"/issues/{first}.json", {"issue": {"uploads": [{"token": "1.abc"}, {"token": "2.def"}]}})
    r.put(f"/issues/{first}.json", {"issue": {"uploads": [{"token": ""}, {}], "notes": "token buit"}})
    r.get(f"/issues/{first}.json?include=attachments,journals")


def with_an_update(r: Recorder) -> None:
    number = r.issue()
    tokens = [r.upload(f"{n}.txt", b"x") for n in range(3)]
    r.put(f"/issues/{number}.json", {"issue": {"uploads": [{"token": tokens[0], "filename": "nou nom.txt"}]}})
    r.put(
        f"/issues/{number}.json",
        {
            "issue": {
                "notes": "amb fitxers",
                "uploads": [{"token": t, "content_type": "text/x"} for t in tokens[1:]],
            }
        },
    )
    r.get(f"/issues/{number}.json?include=attachments,journals")


def refused_on_update_keeps_the_token(r: Recorder) -> None:
    number = r.issue()
    token = r.upload("a.txt", b"a")
    r.put(f"/issues/{number}.json", {"issue": {"subject": "", "uploads": [{"token": token}]}})
    r.put(f"/issues/{number}.json", {"issue": {"uploads": [{"token": token}]}})
    r.get(f"/issues/{number}.json?include=attachments", show=_files)


def renamed_into_a_denied_kind(r: Recorder) -> None:
    number = r.issue()
    token = r.upload("a.txt", b"a")
    r.put(
        f"/issues/{number}.json",
        {"issue": {"notes": "n", "uploads": [{"token": token, "filename": "a.exe"}]}},
    )
    r.get(f"/issues/{number}.json?include=attachments,journals")


def without_the_right_to_edit(r: Recorder) -> None:
    number = r.issue()
    token = r.upload("a.txt", b"a", who="brigada")
    r.put(f"/issues/{number}.json", {"issue": {"uploads": [{"token": token}]}}, who="brigada")
    r.get(f"/issues/{number}.json?include=attachments", show=_files)


def same_file_twice(r: Recorder) -> None:
    number = r.issue()
    for _ in range(2):
        token = r.upload("igual.txt", b"igual")
        r.put(f"/issues/{number}.json", {"issue": {"uploads": [{"token": token, "filename": "igual.txt"}]}})
    r.get(f"/issues/{number}.json?include=attachments", show=_files)


def change_and_delete(r: Recorder) -> None:
    number = r.issue(uploads=[{"token": r.upload("a.txt", b"a")}, {"token": r.upload("b.txt", b"b")}])
    first, second = (
        f["id"]
        for f in r.get(f"/issues/{number}.json?include=attachments", record=False)["issue"]["attachments"]
    )
    r.call(
        "PATCH", f"/attachments/{first}.json", body={"attachment": {"filename": "c.txt", "description": "d"}}
    )
    r.get(f"/attachments/{first}.json")
    r.upload("d.txt", b"d")  # the deleted one is not the newest: its id is given to nobody
    r.delete(f"/attachments/{second}.json", who="alcalde")
    r.delete(f"/attachments/{second}.json", who="alcalde")
    r.get(f"/issues/{number}.json?include=attachments,journals")
