"""The model beside the measured loads: what it says of each, and how far that is off."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.capacity_model.costs import Costs, MeasuredLoad, costs_of
from benchmarks.capacity_model.queueing import Scenario, simulate
from benchmarks.capacity_model.sizing import PLACES_PER_WORKER
from benchmarks.load.letters import KINDS
from benchmarks.load.plan import LoadPlan

CORES = 2
NOT_BESIDE = ("run_worker", "parser", "postgres", "others", "other")
"""What the model itself accounts for; and what others do on the machine, or an ended worker did."""
COMPARED = {
    "documents per hour": "documents_per_hour",
    "from queued to searchable, p50, s": "searchable_p50_s",
    "… p95, s": "searchable_p95_s",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    load: MeasuredLoad
    figure: str
    measured: float
    modelled: float

    @property
    def error(self) -> float:
        """Return by which share of the measured figure the model is off."""
        return (self.modelled - self.measured) / self.measured if self.measured else 0.0


def comparisons(loads: list[MeasuredLoad]) -> Iterator[Comparison]:
    """Yield the comparisons of each load. All get the same costs."""
    costs = costs_of(loads)
    for load in loads:
        simulated = simulate(scenario_of(load, costs))
        modelled = (simulated.documents_per_hour, simulated.whole_p50, simulated.whole_p95)
        for (title, figure), value in zip(COMPARED.items(), modelled, strict=True):
            yield Comparison(load, title, load.figures[figure], value)


def scenario_of(load: MeasuredLoad, costs: Costs) -> Scenario:
    """Return what was measured as something to simulate."""
    plan = load.plan
    warm_up = LoadPlan(**plan).warm_up
    return Scenario(
        documents_per_hour=plan["documents_per_hour"],
        seconds=warm_up + 60 * plan["minutes"],
        workers=load.workers,
        in_flight=PLACES_PER_WORKER,
        cores=max(0.1, CORES - _beside(load.figures) - plan["searches_per_second"] * costs.search_database_cpu),
        jobs_per_worker=PLACES_PER_WORKER,
        cpu_seconds=costs.worker_cpu + costs.database_cpu,
        parse_seconds=plan["parse_seconds"],
        embed_seconds=plan["embed_seconds"],
        local_share=KINDS.count("eml") / len(KINDS),
        noticed_after=costs.noticed_after,
        warm_up=warm_up,
    )


def _beside(figures: Mapping[str, float]) -> float:
    """Return the cores that this system and the test kept busy with other than documents and the database.

    What others do on the machine is left out: the scheduler divides the cores among all who want them, which the model
    does not know.
    """
    cores = {name.removeprefix("cores_"): cores for name, cores in figures.items() if name.startswith("cores_")}
    return sum(busy for kind, busy in cores.items() if kind not in NOT_BESIDE)
