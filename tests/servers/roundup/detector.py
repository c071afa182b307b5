"""What this town hall's Roundup does by itself: refuses some files, and the works team's notes are public."""

from roundup.exceptions import Reject

MOST = 5 * 1024 * 1024


def files(db, cl, nodeid, newvalues):
    name = newvalues.get("name") or ""
    if name.lower().endswith((".exe", ".bat", ".sh")):
        raise Reject("Files of this type are not taken: " + name.rsplit(".", 1)[-1])
    if len(newvalues.get("content") or "") > MOST:
        raise Reject("Files of more than 5 MB are not taken")


def notes(db, cl, nodeid, newvalues):
    if db.user.has_role(db.getuid(), "Brigada"):
        newvalues["public"] = True


def init(db):
    db.file.audit("create", files)
    db.msg.audit("create", notes)
