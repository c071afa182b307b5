"""A stand-in for Meta's WhatsApp Cloud API, stricter than Meta, for tests, the demo and the fault campaign.

It shares no parsing code with the connector, so that a misreading of the protocol on one side is met by the
other.

    app.py        ``MetaStandIn``: the service as an object, and as a Starlette application
    service.py    what the others share: account, people, files, templates, webhooks, faults
    graph.py      the Graph API routes          outgoing.py   what may be sent, and what becomes of it
    media.py      upload, links, download       templates.py  message templates and their review
    state.py      people, transcripts, ids      phone.py      what people do on their phones
    webhooks.py   building notifications        delivery.py   signing, queueing, retrying them
    faults.py     faults on demand              control.py    the ``/_phone`` API
    checks.py     what may be sent              filling.py    a template with its parameters
    account.py    number and account            errors.py     Meta's error bodies
    pair_rate.py  the limit to one person
    schemas/      the contract, as JSON Schema
"""

from connector.demo.meta.app import MetaStandIn

__all__ = ["MetaStandIn"]
