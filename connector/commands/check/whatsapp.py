"""What ``connector check`` asks WhatsApp: number, token, app, webhooks, templates, clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connector.config.findings import spoken
from connector.config.settings import Settings
from connector.config.toml_file import KeyPath, TomlFile
from connector.core.errors import ConnectorError, Finding, Forbidden
from connector.core.texts import Texts
from connector.core.town import Town
from connector.texts import catalogues
from connector.toolkit import http
from connector.whatsapp import account
from connector.whatsapp.client import WhatsAppClient
from connector.whatsapp.templates import compare, needed

WEBHOOK = "/webhook/whatsapp"
SKEW = 30.0
"""Seconds our clock may differ from others': less than a lease, and nothing in 24 hours."""
_SOON = 14 * 86_400.0
_WAITING = {
    "answer": "answers after 24 hours wait",
    "news": "news reach only who wrote within 24 hours",
    "notice": "notices and alerts reach only who wrote within 24 hours",
}
"""By key of [templates]: what happens without it."""
_ECHO = "1158201444"
_PROBE_SECONDS = 10.0


async def findings(client: WhatsAppClient, settings: Settings, town: Town | None) -> list[Finding]:
    """All findings about WhatsApp; ``town`` None when its mapping cannot be used."""
    return await _Check(client, settings, town).run()


class _Check:
    def __init__(self, client: WhatsAppClient, settings: Settings, town: Town | None) -> None:
        self._client = client
        self._settings = settings
        self._town = town
        self._found: list[Finding] = []

    def _say(self, severity: str, name: str, problem: str, mend: str) -> None:
        self._found.append(self._settings.finding(severity, ("whatsapp", name), problem, mend))

    async def run(self) -> list[Finding]:
        try:
            token = await account.token(self._client)
        except Forbidden as error:
            mend = "make a new token of the system user, with both permissions, and copy it whole"
            self._say("error", "access_token", spoken(error), mend)
            return self._found
        except ConnectorError as error:
            mend = "is this machine allowed out to that address (a proxy: HTTPS_PROXY)?"
            self._say("error", "api_url", spoken(error), mend)
            return self._found
        self._clock()
        if token is not None:
            self._token(token)
        phone = await self._number()
        try:
            await self._subscribed(token)
            if phone is not None:
                await self._webhook(phone, token)
            if self._town is not None and (wanted := self._wanted(self._town)):
                self._templates(self._town, wanted, await self._client.templates())
        except ConnectorError as error:
            mend = "compare it with WhatsApp Manager, API Setup"
            if phone is None and error.code == "100":
                mend = "are this id and phone_number_id in each other's place? " + mend
            self._say("error", "business_account_id", _unseen("account", error), mend)
        return self._found

    def _clock(self) -> None:
        at = self._client.served_at
        if at is not None and abs(ahead := time.time() - at) > SKEW:
            problem = f"this machine's clock is {_seconds(ahead)} WhatsApp's"
            mend = "let it be set by NTP (timedatectl set-ntp true): the 24-hour window is measured with it"
            self._found.append(Finding("warning", problem, mend, key="clock"))

    def _token(self, token: account.Token) -> None:
        if token.scopes is not None and (lacking := [s for s in account.SCOPES if s not in token.scopes]):
            mend = "make a new token of the system user, and tick both WhatsApp permissions"
            self._say(
                "error", "access_token", f"the token lacks the permission {' and '.join(lacking)}", mend
            )
        if token.expires_at:
            until = datetime.fromtimestamp(token.expires_at, UTC).date().isoformat()
            soon = token.expires_at - time.time() < _SOON
            problem = f"the token {'expires on' if soon else 'is good until'} {until} only"
            mend = "take one of a system user that never expires: with this one everything stops on that day"
            self._say("warning", "access_token", problem, mend)

    async def _number(self) -> dict[str, Any] | None:
        try:
            phone = await self._client.phone()
        except ConnectorError as error:
            self._say("error", "phone_number_id", _unseen("number", error), await self._numbers_there())
            return None
        if str(phone.get("quality_rating", "")).upper() == "RED":
            mend = "see WhatsApp Manager: what people blocked or reported"
            self._say("warning", "phone_number_id", "the number's quality is low", mend)
        return phone

    async def _numbers_there(self) -> str:
        try:
            there = await account.numbers(self._client)
        except ConnectorError:
            there = {}
        if self._settings.whatsapp.phone_number_id in there or not there:
            return "compare it with WhatsApp Manager, API Setup"
        return "the account has: " + ", ".join(f"{i} ({shown})" for i, shown in there.items())

    async def _subscribed(self, token: account.Token | None) -> None:
        apps = await account.subscribers(self._client)
        if apps and (token is None or token.app_id in apps):
            return
        who = "another app than the token's" if apps else "no app"
        problem = f"{who} is subscribed to this account: no message would arrive"
        mend = "subscribe the app (POST /<account>/subscribed_apps, or the dashboard's webhook page)"
        self._say("error", "business_account_id", problem, mend)

    async def _webhook(self, phone: Mapping[str, Any], token: account.Token | None) -> None:
        address = account.callback(phone)
        if token is not None:
            subscription = await self._subscription(token)
            if subscription is not None:
                address = address or subscription.callback
                self._fields(subscription)
        if not address:
            mend = (
                f"start the service, then enter https://<its address>{WEBHOOK} and verify_token into the app's "
                "dashboard (WhatsApp, Configuration)"
            )
            self._say("warning", "verify_token", "the app has no webhook yet: no message would arrive", mend)
            return
        if not await self._handshake(address) and urlsplit(address).path.rstrip("/") != WEBHOOK:
            mend = f"the address ends with {WEBHOOK}, unless the web server in front maps it there"
            self._say("warning", "verify_token", f"WhatsApp delivers to {_shown(address)}", mend)

    async def _subscription(self, token: account.Token) -> account.Subscription | None:
        refused = False
        for secret in self._settings.whatsapp.app_secrets:
            try:
                return await account.subscription(self._client, token.app_id, secret)
            except Forbidden:
                refused = True
            except ConnectorError:
                return None  # not everybody who offers WhatsApp's API offers Meta's apps with it
        if refused:
            problem = (
                f"this is not the secret of the token's app ({token.app_id}): every message would be refused"
            )
            self._say(
                "error", "app_secret", problem, "copy it from that app's dashboard, App settings, Basic"
            )
        return None

    def _fields(self, subscription: account.Subscription) -> None:
        where = "tick it in the app's dashboard, WhatsApp, Configuration, Webhook fields"
        if account.NEEDED not in subscription.fields:
            problem = f"the app's webhook lacks the field {account.NEEDED}: no message would arrive"
            self._say("error", "verify_token", problem, where)
        if lacking := [name for name in account.USEFUL if name not in subscription.fields]:
            problem = f"the app's webhook lacks {', '.join(lacking)}: such changes would be noticed late"
            self._say("warning", "verify_token", problem, where.replace("it", "them", 1))

    async def _handshake(self, address: str) -> bool:
        """Ask the webhook's address as WhatsApp does when it is entered. False when nobody answers, which is no finding:
        the service may not run yet."""
        parts = urlsplit(address)
        own = self._settings.whatsapp.verify_token.get_secret_value()
        query = {"hub.mode": "subscribe", "hub.challenge": _ECHO, "hub.verify_token": own}
        shown = _shown(address)
        try:
            async with http.async_client(
                f"{parts.scheme}://{parts.netloc}", timeout=_PROBE_SECONDS
            ) as client:
                answer = await client.get(parts.path or "/", params=query)
        except http.HTTPError as error:
            if "CERTIFICATE_VERIFY" in str(error):
                mend = "renew it; WhatsApp takes none that is expired or signed by itself"
                self._say("warning", "verify_token", f"the certificate of {shown} is not accepted", mend)
            return False
        if answer.status_code >= 500:
            return False
        if answer.status_code == 200 and answer.text == _ECHO:
            return True
        if answer.status_code == 403:
            problem = f"the connector at {shown} has another verify token than this one"
            mend = "is it another one's address, or does it need a restart?"
            self._say("error", "verify_token", problem, mend)
            return True
        problem = f"what answers at {shown} is not the connector (HTTP {answer.status_code})"
        mend = f"let the web server in front pass {WEBHOOK} on, or correct the address in the app's dashboard"
        self._say("warning", "verify_token", problem, mend)
        return True

    def _wanted(self, town: Town) -> list[dict[str, Any]]:
        return needed(town, Texts(catalogues(town.languages, town.texts)))

    def _templates(self, town: Town, wanted: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
        file = TomlFile.read(self._settings.mapping)
        keys = {getattr(town.templates, key): key for key in _WAITING}
        for one in compare(wanted, found):
            if one.problem:
                key = keys[one.name]
                path: KeyPath = ("templates", key)
                later = "" if one.usable else f"; until then {_WAITING[key]}"
                problem = f"template {one.name} ({one.language}): {one.problem}{later}"
                self._found.append(file.finding("warning", path, problem, one.mend))


def _unseen(what: str, error: ConnectorError) -> str:
    if error.code == "100":  # with its subcode 33: wrong, or not for this token to see
        return f"WhatsApp knows no {what} with this id, or the token may not see it"
    return spoken(error)


def _seconds(ahead: float) -> str:
    """«40 s ahead of», «3 min behind»."""
    much = abs(ahead)
    size = (
        f"{much:.0f} s" if much < 120 else f"{much / 60:.0f} min" if much < 7200 else f"{much / 3600:.0f} h"
    )
    return f"{size} {'ahead of' if ahead > 0 else 'behind'}"


def _shown(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
