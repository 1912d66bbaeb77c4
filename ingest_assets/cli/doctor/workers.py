"""Which workers of a cluster answer, and what they are for."""

from ingest_assets.cli.commands.up import require_cluster_extra
from ingest_assets.cli.doctor.check import Check
from ingest_assets.domain.queue.lanes import Lane

NAME = "workers"
START = "Start one that takes all runs, on any host: `ingest worker`"
SAME_LANES = "Set INGEST_LANES=true here too, or start those workers anew without --lanes: `ingest worker`"
BROKER_AWAY = "See whether the broker in INGEST_BROKER_URL runs and lets this host in. Meanwhile, all runs stay queued."


def workers_check(broker_url: str, *, has_lanes: bool) -> Check:
    """Return whether runs of each kind have a worker that takes them.

    Raises:
        PermanentError: extra_missing.
    """
    require_cluster_extra()
    from ingest_assets.orchestration.cluster.broker import DEFAULT_QUEUE, queue_of_lane
    from ingest_assets.orchestration.cluster.hosts import hosts_at

    with hosts_at(broker_url) as hosts:
        answers = hosts.look()
        if answers is None:
            return Check(NAME, False, "the broker does not answer", "broker_unreachable", BROKER_AWAY)
        told = f"answering: {len(answers)}, slots: {hosts.slots()}"
        if not has_lanes and any(DEFAULT_QUEUE not in host.queues for host in answers.values()):
            return Check(NAME, False, f"{told}; some are for lanes, which are off here", "workers_differ", SAME_LANES)
        kinds = {"no lane": DEFAULT_QUEUE} | {lane.value: queue_of_lane(lane) for lane in Lane if has_lanes}
        slots = {kind: hosts.slots(queue) for kind, queue in kinds.items()}
        if has_lanes:
            told += f" ({', '.join(f'{kind} {count}' for kind, count in slots.items())})"
        missing = [kind for kind, count in slots.items() if not count]
        if missing:
            detail = f"{told}; runs that nobody takes: {', '.join(missing)}" if answers else "nobody answers"
            return Check(NAME, False, detail, "workers_missing", START)
        return Check(NAME, True, told)
