"""``python -m connector.demo.redmine --port N [--url U]``: the stand-in on loopback."""

from __future__ import annotations

import argparse

import uvicorn

from .app import RedmineStandIn


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m connector.demo.redmine", description="A Redmine in memory."
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--url", help="address shown in links, where it is not http://127.0.0.1:PORT")
    parser.add_argument("--attachment-max-kb", type=int, default=5120)
    given = parser.parse_args()
    url = given.url or f"http://127.0.0.1:{given.port}"
    stand_in = RedmineStandIn(public_url=url, attachment_max_kb=given.attachment_max_kb)
    uvicorn.run(stand_in.app, host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
