"""The gate before paid providers, their jobs, and whether they take calls, in Postgres."""

from collections.abc import Callable, Sequence

import pytest

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.postgres.spending.availability import PostgresAvailability
from ingest_assets.adapters.postgres.spending.paid_calls import CostLimits, PostgresPaidCalls
from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs
from ingest_assets.composition import Deployment
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.spending.budgets import BudgetLimits
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.rate_limits import RateLimits
from ingest_assets.pipeline.ports.providers import Availability, PaidCalls, RemoteJobs
from ingest_assets_tests.contracts.paid_calls_contract import (
    PROVIDER,
    AvailabilityContract,
    Gate,
    PaidCallContract,
    PaidCallsContract,
    RemoteJobsContract,
)


@pytest.fixture
def gate(deployment: Deployment) -> Gate:
    def limited(
        budgets: BudgetLimits | None = None,
        rates: RateLimits | None = None,
    ) -> PaidCalls:
        limits = CostLimits(rates={PROVIDER: rates or RateLimits()}, budgets=budgets or BudgetLimits())
        return PostgresPaidCalls(deployment.database, SystemClock(), limits, lambda _: None, deployment.observer)

    return limited


class TestPostgresPaidCalls(PaidCallsContract):
    @pytest.fixture
    def gate(self, gate: Gate) -> Gate:
        return gate


class TestPostgresPaidCall(PaidCallContract):
    @pytest.fixture
    def gate(self, gate: Gate) -> Gate:
        return gate


class TestPostgresRemoteJobs(RemoteJobsContract):
    @pytest.fixture
    def remote_jobs(self, deployment: Deployment) -> RemoteJobs:
        return PostgresRemoteJobs(deployment.database)

    @pytest.fixture
    def call_back(self, deployment: Deployment) -> Callable[[str], object]:
        return PostgresRemoteJobs(deployment.database).complete


class TestPostgresAvailability(AvailabilityContract):
    @pytest.fixture
    def availability_of(self, deployment: Deployment) -> Callable[[Sequence[ProviderName]], Availability]:
        lanes = (Lane.PARSE, Lane.EMBED)
        return lambda providers: PostgresAvailability(deployment.database, dict(zip(lanes, providers, strict=False)))

    @pytest.fixture
    def gate(self, gate: Gate) -> Gate:
        return gate
