"""Uploads and attachments."""

from __future__ import annotations

import hashlib
import mimetypes
import unicodedata
from typing import NoReturn
from urllib.parse import quote

from starlette.responses import Response

from . import issues, render, rights, texts
from .model import Attachment
from .web import Answered, Call, done, empty, page, refused, shown

_UPLOADERS = ("add_issues", "edit_issues", "add_issue_notes")
_NAME_MAX = 255
_OCTETS = "application/octet-stream"


def upload(call: Call) -> Response:
    """POST /uploads.json: a file without an issue, and the token that puts it on one, once."""
    call.need(any(rights.may_somewhere(call.db, call.user, p) for p in _UPLOADERS))
    user = call.require_user()
    if call.request.headers.get("content-type", "").partition(";")[0].strip() != _OCTETS:
        return empty(406)
    name = issues.clean_filename(call.parameter("filename")) or call.new_key()[:32]
    kind = call.parameter("content_type") or mimetypes.guess_type(name)[0]
    errors = _errors(call, name)
    if errors:
        return refused(errors)
    number = call.db.number("attachment")
    digest = hashlib.sha256(call.raw).hexdigest()
    file = Attachment(number, name, call.raw, kind, digest, user.id, call.now)
    call.db.attachments[number] = file
    return shown({"upload": {"id": number, "token": file.token}}, 201)


def _errors(call: Call, name: str) -> list[str]:
    language, limit = call.by.language, call.db.settings.attachment_max_kb * 1024
    errors = []
    if len(name) > _NAME_MAX:
        errors.append(texts.problem("filename", "too_long", language, _NAME_MAX))
    if len(call.raw) > limit:
        errors.append(texts.sentence("too_big", language, limit))
    stem, dot, extension = name.rpartition(".")
    if stem and extension.lower() in call.db.settings.extensions_denied:
        errors.append(texts.sentence("extension", language, dot + extension))
    return errors


def _sees(call: Call, file: Attachment) -> bool:
    if file.issue_id is None:
        return call.user is not None and file.author_id == call.user.id
    issue = call.db.issues.get(file.issue_id)
    return issue is not None and rights.sees_issue(call.db, call.user, issue)


def _file(call: Call) -> Attachment:
    found = call.db.attachments.get(call.number())
    if found is None:
        call.missing()
    return found


def show(call: Call) -> Response:
    file = _file(call)
    call.need(_sees(call, file))
    return shown({"attachment": render.attachment(call.db, file)})


def change(call: Call) -> Response:
    """PATCH or PUT /attachments/N.json: name, type and description."""
    file = _editable(call)
    given = call.part("attachment")
    for name in ("filename", "content_type", "description"):
        if name in given:
            setattr(file, name, str(given[name] or ""))
    return done()


def destroy(call: Call) -> Response:
    file = _editable(call)
    issues.delete_file(call.db, call.by, file)
    if file.issue_id is not None:
        call.events.publish(file.issue_id, "file_deleted")
    return done()


def _editable(call: Call) -> Attachment:
    file = _file(call)
    issue = call.db.issues.get(file.issue_id or 0)
    if issue is None:
        call.need(_sees(call, file))
    else:
        call.need(_sees(call, file) and call.may("edit_issues", call.db.projects[issue.project_id or 0]))
    return file


def _page_file(call: Call) -> Attachment:
    """The file of an address for browsers: no page is a 404 page, no key the way to the login."""
    file = call.db.attachments.get(call.number())
    name = call.request.path_params.get("name")
    if file is None or (name is not None and name != file.filename):
        raise Answered(page(404))
    if not _sees(call, file):
        _turn_away(call)
    return file


def _turn_away(call: Call) -> NoReturn:
    raise Answered(page(403) if call.user else call.login_page())


def download(call: Call) -> Response:
    """GET /attachments/download/N[/NAME]: the bytes."""
    file = _page_file(call)
    kind = file.content_type or mimetypes.guess_type(file.filename)[0] or _OCTETS
    plain = unicodedata.normalize("NFKD", file.filename)
    plain = "".join(c if c.isascii() else "?" for c in plain if not unicodedata.combining(c))
    names = f"filename=\"{quote(plain, safe=' !#$+.^_`|~-')}\"; filename*=UTF-8''{quote(file.filename, safe='!#$&+.^_`|~-')}"
    how = "inline" if kind == "application/pdf" else "attachment"
    return Response(file.content, headers={"content-type": kind, "content-disposition": f"{how}; {names}"})


def thumbnail(call: Call) -> Response:
    """GET /attachments/thumbnail/N: the picture itself, not made smaller."""
    return download(call)


def view(call: Call) -> Response:
    """GET /attachments/N[/NAME]: Redmine's own page about a file."""
    return page(200, f"attachment {_page_file(call).id}")
