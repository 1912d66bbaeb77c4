"""The index and its measure in Dagster."""

import dagster as dg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.orchestration.resources import resources_of
from ingest_assets.orchestration.schedules import look_after_vector_index
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import policy_text, submit
from ingest_assets_tests.orchestration.runs import definitions, run_partition
from ingest_assets_tests.pipeline.test_recall import ForgetfulIndex
from ingest_assets_tests.pipeline.test_vector_index import SOON
from ingest_assets_tests.stored_vectors import MODEL, clustered, store_vectors

CHECK = dg.AssetCheckKey(dg.AssetKey("vector_index"), "nearest_chunks_are_found")


@pytest.fixture
def library(deployment: Deployment, settings: Settings, user: UserId) -> Deployment:
    """So many vectors of one user that there should be an index."""
    assert settings.database_url is not None
    store_vectors(settings.database_url.get_secret_value(), user, clustered(60))
    return deployment.replacing(index_policy=SOON)


def run_job(deployment: Deployment, instance: dg.DagsterInstance, name: str) -> dg.ExecuteInProcessResult:
    job = definitions(deployment).resolve_job_def(name)
    return job.execute_in_process(instance=instance, raise_on_error=False)


def minute(deployment: Deployment, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    with dg.build_schedule_context(instance=instance, resources=resources_of(deployment)) as context:
        return list(look_after_vector_index.evaluate_tick(context).run_requests or [])


def evaluation(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    [found] = result.get_asset_check_evaluations()
    return found


def test_the_schedule_has_a_missing_index_built_and_leaves_a_whole_one_alone(
    library: Deployment, instance: dg.DagsterInstance
) -> None:
    assert len(minute(library, instance)) == 1
    assert run_job(library, instance, "keep_vector_index").success
    assert minute(library, instance) == []
    state = library.vector_index.state(MODEL)
    assert state is not None
    assert state.exists


def test_the_check_passes_where_searches_find_what_is_nearest(
    library: Deployment, instance: dg.DagsterInstance
) -> None:
    result = run_job(library, instance, "measure_recall")
    assert result.success
    assert evaluation(result).asset_check_key == CHECK
    assert evaluation(result).passed
    told = {name: value.value for name, value in evaluation(result).metadata.items()}
    assert told == {"queries": 50, "recall_at_10": 1.0, "recall_at_10 of lexical 1": 1.0}


def test_the_check_warns_where_they_do_not_and_fails_no_run(library: Deployment, instance: dg.DagsterInstance) -> None:
    forgetful = library.replacing(search_index=ForgetfulIndex(library.search_index))
    result = run_job(forgetful, instance, "measure_recall")
    assert result.success
    assert not evaluation(result).passed
    assert evaluation(result).severity is dg.AssetCheckSeverity.WARN


def test_no_run_of_a_document_waits_for_the_measure(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    result = run_partition(deployment, instance, submit(deployment, user, policy_text()).document_id)
    assert CHECK not in {each.asset_check_key for each in result.get_asset_check_evaluations()}
