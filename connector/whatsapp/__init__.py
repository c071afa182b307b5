"""WhatsApp Business Cloud API: what Meta sends us, what we send to Meta.

    payloads.py   webhook -> inbound messages, statuses, notices (pure); the names the other rooms use
    content.py    one message's content, by Meta's type (pure)
    codec.py      the same data as JSON and back, for the work table (pure)
    outgoing.py   message -> body of POST /messages (pure)
    limits.py     Meta's limits, and cutting texts to them (pure)
    markup.py     a tracker's markup -> WhatsApp's (pure)
    signature.py  is this webhook Meta's?
    errors.py     Meta's error codes -> our errors and what to do
    client.py     HTTP

Facts about the protocol carry their source as «CLOUD-API.md» and a section number.
"""
