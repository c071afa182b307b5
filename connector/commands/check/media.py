"""What ``connector check`` asks the virus scanner, where there is one."""

from __future__ import annotations

from connector.config.settings import Settings
from connector.core.errors import ConnectorError, Finding, Rejected
from connector.toolkit.clamd import Clamd


def findings(clamd: Clamd | None, settings: Settings) -> list[Finding]:
    """Whether the scanner answers, and takes files as large as we do; nothing when files are not scanned."""
    if clamd is None:
        return []
    most = settings.media.max_bytes
    try:
        clamd.scan(bytes(most))
    except Rejected:
        problem = f"clamd takes no files of {most} bytes: larger ones than it takes are refused"
        mend = (
            "set StreamMaxLength, MaxFileSize and MaxScanSize in clamd.conf to as much, or max_bytes to less"
        )
        return [settings.finding("warning", ("media", "max_bytes"), problem, mend)]
    except ConnectorError as error:
        mend = "is it running, and does it listen there? Until then files wait"
        return [settings.finding("error", ("media", "clamd"), str(error), mend)]
    return []
