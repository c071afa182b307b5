"""What the business number and its account say about themselves; the values are those of a healthy account."""

from __future__ import annotations

from typing import Any

from connector.demo.meta.service import Service

# name -> (given when the caller names no fields, value)
Fields = dict[str, tuple[bool, Any]]

# Fields that exist but have no value here: Meta leaves them out of the answer.
_EMPTY_PHONE_FIELDS = (
    "certificate", "conversational_automation", "country_code", "country_dial_code",
    "eligibility_for_api_business_global_search", "health_status",
    "last_onboarded_time", "new_certificate", "new_name_status", "search_visibility",
)  # fmt: skip
_EMPTY_ACCOUNT_FIELDS = (
    "disable_marketing_messages_on_cloud_api", "health_status", "is_enabled_for_insights",
    "marketing_messages_lite_api_status", "marketing_messages_onboarding_status", "on_behalf_of_business_info",
    "owner_business_info", "subscribed_apps",
)  # fmt: skip


def debug_token(service: Service, token: str) -> dict[str, Any]:
    """What Meta says of a token."""
    app, valid = service.application, token == service.access_token
    data = {
        "app_id": app.id,
        "type": "SYSTEM_USER",
        "application": "connector",
        "is_valid": valid,
        "expires_at": app.expires_at,
        "scopes": list(app.scopes) if valid else [],
    }
    return {"data": data}


def subscriptions(service: Service) -> dict[str, Any]:
    """Which webhooks the app has, and where they go."""
    if not service.webhook_url:
        return {"data": []}
    fields = [{"name": name, "version": "v23.0"} for name in service.application.fields]
    row = {
        "object": "whatsapp_business_account",
        "callback_url": service.webhook_url,
        "active": True,
        "fields": fields,
    }
    return {"data": [row]}


def phone_fields(service: Service) -> Fields:
    """The fields of the business phone number."""
    digits = service.number.display_phone_number
    return {
        "verified_name": (True, service.verified_name),
        "code_verification_status": (True, "VERIFIED"),
        "display_phone_number": (True, f"+{digits[:2]} {digits[2:5]} {digits[5:8]} {digits[8:]}"),
        "quality_rating": (True, "GREEN"),
        "platform_type": (True, "CLOUD_API"),
        "throughput": (True, {"level": "STANDARD"}),
        "webhook_configuration": (
            True,
            {"application": service.webhook_url} if service.webhook_url else None,
        ),
        "id": (True, service.number.phone_number_id),
        "name_status": (False, "APPROVED"),
        "status": (False, "CONNECTED"),
        "account_mode": (False, "LIVE"),
        "is_official_business_account": (False, False),
        "whatsapp_business_manager_messaging_limit": (False, "TIER_2K"),
        "messaging_limit_tier": (False, "TIER_2K"),
        "is_pin_enabled": (False, True),
        "is_on_biz_app": (False, False),
        "is_preverified_number": (False, False),
        "quality_score": (False, {"score": "GREEN"}),
        **dict.fromkeys(_EMPTY_PHONE_FIELDS, (False, None)),
    }


def account_fields(service: Service) -> Fields:
    """The fields of the WhatsApp Business Account."""
    return {
        "id": (True, service.number.business_account_id),
        "name": (True, service.verified_name),
        "currency": (True, "EUR"),
        "timezone_id": (True, "318"),
        "message_template_namespace": (True, "00000000_0000_0000_0000_000000000001"),
        "account_review_status": (False, "APPROVED"),
        "business_verification_status": (False, "verified"),
        "country": (False, "ES"),
        "ownership_type": (False, "SELF"),
        "status": (False, "ACTIVE"),
        **dict.fromkeys(_EMPTY_ACCOUNT_FIELDS, (False, None)),
    }
