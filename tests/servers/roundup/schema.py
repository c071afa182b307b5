# Roundup's «classic» tracker as a town hall has it: what was added is said in docs/trackers/roundup.md.
# Executed by Roundup itself each time it opens the database; the names it uses are given to it.
# ruff: noqa: F821

# --- classes ---------------------------------------------------------------------------------------------
for name in ("priority", "status"):
    Class(db, name, name=String(), order=Number()).setkey("name")
Class(db, "keyword", name=String()).setkey("name")
Class(db, "project", name=String()).setkey("name")
Class(db, "channel", name=String()).setkey("name")
Class(db, "neighbourhood", name=String()).setkey("name")
Class(db, "query", klass=String(), name=String(), url=String(), private_for=Link("user"))
Class(
    db, "user", username=String(), password=Password(), address=String(), realname=String(), phone=String(),
    organisation=String(), alternate_addresses=String(), queries=Multilink("query"), roles=String(), timezone=String(),
).setkey("username")  # fmt: skip
FileClass(
    db, "msg", author=Link("user", do_journal="no"), recipients=Multilink("user", do_journal="no"), date=Date(),
    summary=String(), files=Multilink("file"), messageid=String(), inreplyto=String(),
    public=Boolean(),
)  # fmt: skip
FileClass(db, "file", name=String())
IssueClass(
    db, "issue", assignedto=Link("user"), keyword=Multilink("keyword"), priority=Link("priority"),
    status=Link("status"),
    project=Link("project"), reference=String(), pseudonym=String(), channel=Link("channel"),
    neighbourhood=Link("neighbourhood"), latitude=Number(use_double=True), longitude=Number(use_double=True),
    address=String(),
)  # fmt: skip

# --- rights ----------------------------------------------------------------------------------------------
security = db.security
NAMES = ("id", "username", "realname", "organisation", "phone", "timezone")
HIDDEN = "Obres i serveis"


def grant(role, name, klass, **limits):
    security.addPermissionToRole(role, security.addPermission(name=name, klass=klass, **limits))


def in_sight(db, userid, itemid):
    project = db.issue.get(itemid, "project")
    return project is None or db.project.get(project, "name") != HIDDEN


def is_public(db, userid, itemid):
    return bool(db.msg.get(itemid, "public"))


for role in ("Robot", "Electe", "Personal", "Brigada"):
    security.addRole(name=role)
    for access in ("Web Access", "Rest Access"):
        security.addPermissionToRole(role, access)
    for klass in ("priority", "status", "keyword", "project", "channel", "neighbourhood", "file"):
        security.addPermissionToRole(role, "View", klass)
    security.addPermissionToRole(role, "Create", "file")
    grant(role, "View", "user", properties=NAMES)
security.addPermissionToRole("Anonymous", "Web Access")  # or nobody could log in

# The connector: makes requests, adds to them, and changes nothing that staff wrote.
grant("Robot", "View", "issue", check=in_sight)
grant("Robot", "Search", "issue")
grant("Robot", "Edit", "issue", check=in_sight, properties=("messages", "files", "nosy", "status"))
for right, klass in (("Create", "issue"), ("View", "msg"), ("Create", "msg")):
    security.addPermissionToRole("Robot", right, klass)

for role in ("Electe", "Personal"):
    for klass in ("issue", "msg", "file"):
        for right in ("View", "Create", "Edit"):
            security.addPermissionToRole(role, right, klass)
for klass in ("issue", "msg", "file"):
    security.addPermissionToRole("Personal", "Retire", klass)

# The works team sees no internal note and writes none.
OPEN = (
    "id",
    "author",
    "content",
    "creation",
    "creator",
    "activity",
    "date",
    "files",
    "messageid",
    "summary",
    "type",
)
grant("Brigada", "View", "msg", check=is_public, properties=OPEN)
grant("Brigada", "Search", "msg", properties=OPEN)
grant("Brigada", "Create", "msg", properties=OPEN)
for right in ("View", "Create", "Edit"):
    security.addPermissionToRole("Brigada", right, "issue")
