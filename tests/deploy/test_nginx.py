"""The example of a reverse proxy, run by Debian's nginx in front of the running web server."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from connector.wiring import Service
from tests.conftest import server_setting
from tests.e2e.way import port, until
from tests.web.ops_stage import served, service

pytestmark = pytest.mark.real
EXAMPLES = Path(__file__).resolve().parents[2] / "deploy" / "proxy"
OUTSIDE, OPS = "whatsapp.exemple.cat", "operacions.exemple.cat"
SLOW = 1
"""Seconds nginx waits for a slow client here; 10 in the example."""


@dataclass
class Front:
    """nginx, with the connector behind it."""

    port: int
    made: Service
    folder: Path

    def client(self, name: str) -> httpx.Client:
        # the certificate is the test's own; names are resolved by hand
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}", verify=False, headers={"Host": name}, timeout=20
        )

    def rows(self) -> int:
        return int(
            self.made.store.read_now(lambda c: c.exec_driver_sql("SELECT count(*) FROM work").scalar() or 0)
        )


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    made = service(folder)
    with served(made) as url:
        front = Front(port(), made, folder)
        site = (EXAMPLES / "nginx.conf").read_text(encoding="utf-8")
        site = site.replace("127.0.0.1:8080", url.removeprefix("http://"))
        site = re.sub(r"listen 443 ssl http2", f"listen 127.0.0.1:{front.port} ssl http2", site)
        site = re.sub(r"listen 80;", f"listen 127.0.0.1:{port()};", site)
        site = re.sub(r"(?m)^ *listen \[::\].*\n", "", site)
        site = re.sub(r"/etc/letsencrypt/live/[^;]*/(fullchain|privkey)\.pem", rf"{folder}/\1.pem", site)
        site = site.replace("/etc/nginx/connector-pass.conf", str(EXAMPLES / "connector-pass.conf"))
        site, changed = re.subn(r"client_(header|body)_timeout 10s", rf"client_\1_timeout {SLOW}s", site)
        assert changed == 2
        whole = f"""
        daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
        {"user root;" if Path("/root").owner() == "root" else ""}
        events {{ worker_connections 256; }}
        http {{ access_log off;
          client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
          fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
          {site} }}
        """
        (folder / "nginx.conf").write_text(whole, encoding="utf-8")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
             "-subj", f"/CN={OUTSIDE}", "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        command = [server_setting("NGINX"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        running = subprocess.Popen(command, stderr=(folder / "start.log").open("wb"))

        def answers() -> bool:
            assert running.poll() is None, (folder / "start.log").read_text() + (
                folder / "error.log"
            ).read_text()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", front.port)) == 0

        until("nginx answers", answers)
        yield front
        running.send_signal(signal.SIGQUIT)
        running.wait(15)
    made.store.close()


def notification(size: int = 0) -> bytes:
    message = {
        "from": "34600000001",
        "id": f"wamid.PROXY{size}",
        "timestamp": "1795426800",
        "type": "text",
        "text": {"body": "ç" * (size // 2)},
    }
    value = {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "34600000100", "phone_number_id": "100000000000001"},
        "messages": [message],
    }  # fmt: skip
    whole = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "2", "changes": [{"field": "messages", "value": value}]}],
    }
    return json.dumps(whole, ensure_ascii=False).encode()


def signed(body: bytes, secret: bytes = b"secret") -> dict[str, str]:
    digest = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


@pytest.mark.parametrize("size", [10, 3_900_000])
def test_a_signed_notification_comes_through_byte_for_byte(front: Front, size: int) -> None:
    body, before = notification(size), front.rows()
    with front.client(OUTSIDE) as client:
        assert client.post("/webhook/whatsapp", content=body, headers=signed(body)).status_code == 200
        assert front.rows() == before + 1
        assert (
            client.post("/webhook/whatsapp", content=body, headers=signed(body, b"other")).status_code == 401
        )
        asked = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "12345"}
        assert client.get("/webhook/whatsapp", params=asked).text == "12345"


def test_too_large_a_body_stops_at_the_proxy(front: Front) -> None:
    body, before = notification(4_500_000), front.rows()
    with front.client(OUTSIDE) as client:
        answer = client.post("/webhook/whatsapp", content=body, headers=signed(body))
    assert (answer.status_code, front.rows()) == (413, before) and "nginx" in answer.headers["server"]


@pytest.mark.parametrize(
    "path",
    [
        "/ops",
        "/ops/login",
        "/metrics",
        "/health/ready",
        "/health/live",
        "/",
        "/webhook/whatsapp/../../metrics",
        "//metrics",
        "/webhook/whatsapp%2f..%2f..%2fops",
    ],
)
def test_from_outside_there_is_nothing_but_the_webhooks(front: Front, path: str) -> None:
    with front.client(OUTSIDE) as client:
        answer = client.get(path)
    assert answer.status_code == 404 and "nginx" in answer.headers["server"], (
        "the connector was not even asked"
    )


def test_a_slow_client_is_sent_away_and_holds_up_nobody(front: Front) -> None:
    context = ssl._create_unverified_context()
    body = notification(30)
    head = f"POST /webhook/whatsapp HTTP/1.1\r\nHost: {OUTSIDE}\r\nContent-Length: {len(body)}\r\n"
    slow = []
    for _ in range(40):
        raw = socket.create_connection(("127.0.0.1", front.port), timeout=20)
        slow.append(context.wrap_socket(raw, server_hostname=OUTSIDE))
        slow[-1].sendall((head + "\r\n").encode() + body[:-1])
    with front.client(OUTSIDE) as client:
        assert client.post("/webhook/whatsapp", content=body, headers=signed(body)).status_code == 200
    for connection in slow:
        assert b"200" not in connection.recv(1000)[:20]
        connection.close()


def test_the_operations_page_is_seen_inside_over_https_only(front: Front) -> None:
    with front.client(OPS) as client:
        page = client.get("/ops/login", headers={"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.1"})
        assert page.status_code == 200 and "secure" in page.headers["set-cookie"].lower()
        assert client.get("/metrics").status_code == 404
        assert client.post("/webhook/whatsapp", content=b"{}").status_code == 404
