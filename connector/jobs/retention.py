"""Every night what is kept no longer is forgotten, a little in each step: other work goes on between them."""

from __future__ import annotations

from connector.storage import retention as rules
from connector.storage.retention import Progress, Run
from connector.storage.store import Connection
from connector.storage.work import Row

from . import sweep
from .runtime import Runtime


def tick(connection: Connection, rt: Runtime, now: float) -> None:
    """Begin tonight's round once it is time, whatever number of replicas asks, also after a night switched off."""
    key = f"retention:{rt.name}:{sweep.night(rt, now)}"
    rt.put(connection, lane=f"retention:{rt.name}", kind="retention", payload={}, now=now, key=key)


def retention(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: forget a little by the rules, and go on with the next step where this one stopped."""
    at = row.payload
    progress = Progress(at.get("rule", 0), at.get("after", 0), at.get("counts", {}))
    then = rules.step(Run(connection, rt.store.sealer, rt.name, rt.limits, now), progress)
    if then is None:
        return "nothing is left that is kept no longer"
    payload: dict[str, object] = {"rule": then.rule, "after": then.after, "counts": then.counts}
    rt.put(connection, lane=row.lane, kind="retention", payload=payload, now=now)
    return f"{sum(then.counts.values()) - sum(progress.counts.values())} forgotten"
