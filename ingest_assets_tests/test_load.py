"""The plan, the documents and the figures of the load test; nothing here runs a load."""

from itertools import pairwise

import pytest

from benchmarks.load.callers import DOCUMENT, SEARCH, Outcome
from benchmarks.load.figures import errors, figures
from benchmarks.load.letters import KINDS, WORDS, broken_letter, letter, letter_kind
from benchmarks.load.plan import LoadPlan, postings, questions, user_id
from benchmarks.load.report import LABELS, table
from benchmarks.load.run import Seen
from benchmarks.load.unsure_providers import Answered, ProvidersSeen, query_hash
from benchmarks.load.usage import Sample, Usage
from benchmarks.load.verification import Ending, verdict
from ingest_assets.domain.files.file_types import FileType
from ingest_assets_tests.emulators.document_pages import BrokenFileError, pages_of

PLAN = LoadPlan(minutes=1, documents_per_hour=3600, users=10, parse_seconds=1, settling=8, broken_every=20)
HELD = dict.fromkeys(
    ("documents", "chunks", "events", "chunk_rows", "chunk_vectors", "chunk_indexes", "history", "database"), 10
)


def test_due_times_are_fixed_in_advance_and_the_rate_is_constant_after_each_user_has_a_document() -> None:
    sent = list(postings(PLAN))
    assert [posting.user for posting in sent[:10]] == list(range(10))
    assert [posting.number for posting in sent] == list(range(len(sent)))
    later = [posting.due for posting in sent if posting.due >= PLAN.warm_up]
    assert len(later) == 60
    assert all(after - before == pytest.approx(1) for before, after in pairwise(later))
    assert sent == list(postings(PLAN))


def test_searches_come_at_their_rate_for_words_of_documents() -> None:
    asked = list(questions(PLAN))
    assert sum(question.due >= PLAN.warm_up for question in asked) == 60 * PLAN.searches_per_second
    text = " ".join(pages_of(letter(0), "claim.pdf") + pages_of(letter(1), "claim.pdf") + pages_of(letter(2), "a.pdf"))
    words = {word for question in asked for word in question.query.split()}
    assert words == set(WORDS)
    assert sum(word in text for word in words) > len(words) / 2


def test_users_are_different() -> None:
    assert len({user_id(number) for number in range(200)}) == 200


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_a_document_is_the_same_bytes_each_time_and_names_its_claim(number: int) -> None:
    content, kind = letter(number), letter_kind(number)
    assert FileType(kind_of(kind))
    pages = pages_of(content, f"claim.{kind}")
    assert f"CLM-2026-{number:06}" in pages[0]
    assert sum(map(len, pages)) > 5_000
    if kind != "docx":  # its package holds the time
        assert letter(number) == content


def kind_of(extension: str) -> str:
    return next(kind.value for kind in FileType if extension in kind.extensions)


def test_nobody_can_parse_a_broken_document() -> None:
    broken = [number for number in range(100) if PLAN.is_broken(number)]
    assert broken == [10, 30, 50, 70, 90]
    assert not any(PLAN.is_broken(number) for number in range(PLAN.users))
    with pytest.raises(BrokenFileError):
        pages_of(broken_letter(10), "claim.pdf")


def seen(*outcomes: Outcome, endings: dict[str, Ending] | None = None, providers: ProvidersSeen | None = None) -> Seen:
    usage = Usage()
    usage.cpu["serve", 7] = [Sample(0, 1.0), Sample(PLAN.warm_up + 1, 3.0), Sample(PLAN.seconds, 9.0)]
    usage.cpu["run_worker", 8] = [Sample(PLAN.warm_up + 5, 2.0), Sample(PLAN.warm_up + 9, 5.0)]
    usage.memory["run_worker"] = [Sample(PLAN.warm_up + at, 100.0 + at) for at in range(60)]
    return Seen(
        plan=PLAN,
        begun=0.0,
        outcomes=list(outcomes),
        endings=endings or {},
        providers=providers or ProvidersSeen(),
        usage=usage,
        held=HELD,
        written={"bytes": 6e7, "commits": 600.0},
        queue_ended=PLAN.seconds + 3,
        harness_cpu=0.5,
    )


def posted(number: int, seconds: float = 0.02, status: int = 202) -> Outcome:
    due = PLAN.warm_up + number
    return Outcome(DOCUMENT, due, 0.001, seconds, status, user=0, number=number, document_id=f"d{number}")


def searched(query: str, seconds: float, status: int = 200, hits: int = 3) -> Outcome:
    return Outcome(SEARCH, PLAN.warm_up + 4, 0.001, seconds, status, user=0, query=query, hits=hits)


def ended(number: int, *, searchable: bool = True, dead: bool = False) -> Ending:
    queued = PLAN.warm_up + number
    return Ending(searchable, dead, "corrupt" if dead else None, queued, queued + 1, queued + 2 if searchable else None)


def lines(found: Seen) -> list[str]:
    return list(errors(found, verdict(PLAN, found.outcomes, found.endings)))


def test_what_is_injected_is_no_error_and_all_else_is() -> None:
    providers = ProvidersSeen(
        queries={query_hash("met a fault"): Answered(0.5, 1)}, extra_jobs=3, lost_uploads=2, failed_jobs=0
    )
    found = seen(
        posted(1),
        posted(10),
        posted(11),
        posted(12, status=503),
        searched("met a fault", 0.6, status=503),
        searched("met none", 0.6, status=503),
        searched("found nothing", 0.6, hits=0),
        endings={
            "d1": ended(1),
            "d10": ended(10, searchable=False, dead=True),
            "d11": ended(11, searchable=False, dead=True),
        },
        providers=providers,
    )
    told = lines(found)
    assert "document 12 was answered 503" in told
    assert sum("a search" in line for line in told) == 2
    assert "document d11 (corrupt) has ended wrongly" in told
    assert "document d12 (not there) has ended wrongly" in told
    assert told.count("paid twice") == 1
    assert len(told) == 6


def test_a_document_that_is_not_in_the_database_is_lost() -> None:
    assert lines(seen(posted(1))) == ["document d1 (not there) has ended wrongly"]


def test_a_search_is_measured_with_and_without_its_providers_time() -> None:
    providers = ProvidersSeen(queries={query_hash("storm"): Answered(0.5, 0)})
    measured = figures(seen(searched("storm", 0.52), providers=providers))
    assert measured["search_p95_ms"] == pytest.approx(20)
    assert measured["search_with_provider_p95_ms"] == pytest.approx(520)


def test_documents_per_hour_count_what_became_searchable_while_figures_were_taken() -> None:
    outcomes = [posted(number) for number in range(60) if not PLAN.is_broken(number)]
    endings = {f"d{each.number}": ended(each.number or 0) for each in outcomes}
    whole = figures(seen(*outcomes, endings=endings))
    assert whole["documents_per_hour"] == pytest.approx(55 / 0.95 * 60)
    assert whole["queue_wait_p95_s"] == pytest.approx(1)
    assert whole["errors"] == 0


def test_processes_are_told_apart_by_what_they_used_within_the_time() -> None:
    measured = figures(seen(posted(1), endings={"d1": ended(1)}))
    assert measured["cores_serve"] == pytest.approx(6 / 60)
    assert measured["cores_run_worker"] == pytest.approx(5 / 60)  # it began within
    assert measured["worker_mb"] == 159
    assert measured["growth_mb_run_worker"] == pytest.approx(39.5, abs=1)


def test_the_table_names_every_figure_of_a_load() -> None:
    measured = figures(seen(posted(1), searched("storm", 0.1), endings={"d1": ended(1)}))
    printed = table(PLAN, measured)
    assert all(label in printed for label in LABELS.values())
