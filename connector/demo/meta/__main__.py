"""``python -m connector.demo.meta``: the stand-in as a server of its own, on the loopback address."""

from __future__ import annotations

import argparse

import uvicorn

from connector.demo.meta.app import MetaStandIn


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m connector.demo.meta", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--webhook", required=True, help="the connector's webhook, http://…/webhook/whatsapp")
    parser.add_argument("--app-secret", required=True)
    parser.add_argument("--access-token", required=True)
    parser.add_argument("--verify-token", required=True)
    parser.add_argument("--phone-number-id", default="100000000000001")
    parser.add_argument("--business-account-id", default="200000000000001")
    parser.add_argument("--public-url", help="for media links; by default the address served")
    parser.add_argument("--media-seconds", type=float, default=300, help="how long a media link is valid")
    parser.add_argument("--pair-rate", action="store_true", help="limit messages to one person (131056)")
    parser.add_argument(
        "--longest-retry", type=float, default=60, help="seconds between two tries of a webhook"
    )
    parser.add_argument("--seed", type=int, help="makes the ids reproducible")
    given = parser.parse_args(arguments)
    service = MetaStandIn(
        webhook_url=given.webhook,
        public_url=given.public_url or f"http://{given.host}:{given.port}",
        app_secret=given.app_secret,
        access_token=given.access_token,
        verify_token=given.verify_token,
        phone_number_id=given.phone_number_id,
        business_account_id=given.business_account_id,
        media_seconds=given.media_seconds,
        seed=given.seed,
        longest_retry=given.longest_retry,
        pair_rate=given.pair_rate,
    )
    # Pages that listen to /_phone/events never hang up by themselves: do not wait for them.
    uvicorn.run(
        service.app,
        host=given.host,
        port=given.port,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
