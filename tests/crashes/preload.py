"""What the fork server imports once, so that no program has to again."""

import httptools  # noqa: F401
import uvicorn.protocols.http.httptools_impl  # noqa: F401
import uvloop  # noqa: F401

import connector.demo.meta.__main__
import connector.demo.redmine.__main__  # noqa: F401
import tests.e2e.launch  # noqa: F401
