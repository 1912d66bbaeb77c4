"""Attachments are documents with a parent: taken in once, counted, and gone with the last document that has them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.message import EmailMessage

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.attachments import DEEPEST, MOST_ATTACHMENTS
from ingest_assets.domain.documents.document import Attachment, DocumentId, UserId
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.errors import PermanentError, ResourceError
from ingest_assets.domain.queue.stages import State
from ingest_assets_tests.documents import TEST, claim_one, drain_all, ingest, policy_text, status_of, submit


def mail(*attachments: tuple[str, bytes], text: str = "See the attachments.") -> bytes:
    message = EmailMessage()
    message["Subject"] = "Loss"
    message.set_content(text)
    for name, content in attachments:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def in_mail(deployment: Deployment, document_id: DocumentId) -> dict[str, DocumentId | str | None]:
    """The attachments by their paths, with their documents, or why they were skipped."""
    return {each.path: each.document_id or each.code for each in deployment.documents.attachments(document_id)}


def test_what_cannot_become_a_document_is_counted_and_named(deployment: Deployment, user: UserId) -> None:
    content = mail(("good.md", b"The walrus."), ("noise.bin", bytes(range(256))), ("fake.pdf", b"PK\x03\x04 no"))
    parent = ingest(deployment, user, content, "mail.eml")
    found = in_mail(deployment, parent)
    assert (found["noise.bin"], found["fake.pdf"]) == ("unsupported", "type_mismatch")
    assert isinstance(found["good.md"], type(parent))
    assert status_of(deployment, parent).warnings == {WarningKind.ATTACHMENTS_SKIPPED: 2}


def test_the_same_attachment_of_two_mails_is_one_document_and_goes_with_the_last(
    deployment: Deployment, user: UserId
) -> None:
    one = ingest(deployment, user, mail(("policy.md", b"The walrus."), text="One."), "one.eml")
    two = ingest(deployment, user, mail(("policy.md", b"The walrus."), text="Two."), "two.eml")
    drain_all(deployment)
    shared = in_mail(deployment, one)["policy.md"]
    assert in_mail(deployment, two)["policy.md"] == shared
    deployment.deletion.delete(one, TEST)
    assert in_mail(deployment, two)["policy.md"] == shared
    assert deployment.search.passages(user, "walrus", 5)
    deployment.deletion.delete(two, TEST)
    assert deployment.search.passages(user, "walrus", 5) == []
    assert isinstance(shared, type(one))
    assert deployment.documents.find(shared) is None
    assert deployment.deletion.traces_of(shared, user) == {}


def test_a_file_that_was_also_submitted_by_itself_outlives_the_mail(deployment: Deployment, user: UserId) -> None:
    alone = ingest(deployment, user, "The walrus.", "policy.md")
    parent = ingest(deployment, user, mail(("policy.md", b"The walrus.")), "mail.eml")
    assert in_mail(deployment, parent) == {"policy.md": alone}
    deployment.deletion.delete(parent, TEST)
    assert status_of(deployment, alone).searchable


def test_mails_within_mails_go_with_the_outermost(deployment: Deployment, user: UserId) -> None:
    innermost = mail(("policy.md", b"The walrus."), text="Third.")
    parent = ingest(deployment, user, mail(("b.eml", mail(("c.eml", innermost), text="Second."))), "a.eml")
    for _ in range(3):
        drain_all(deployment)
    assert deployment.documents.counts()["searchable"] == 4
    deployment.deletion.delete(parent, TEST)
    assert deployment.documents.counts()["documents"] == 0


def test_attachments_are_taken_out_of_each_other_only_so_deep(deployment: Deployment, user: UserId) -> None:
    content = mail(("policy.md", b"The walrus."), text="0")
    for level in range(1, DEEPEST + 1):
        content = mail(("inner.eml", content), text=str(level))
    ingest(deployment, user, content, "outer.eml")
    for _ in range(DEEPEST + 1):
        drain_all(deployment)
    assert deployment.documents.counts() == {"documents": 4, "searchable": 4, "dead_letters": 0}
    with deployment.database.connection() as connection:
        rows = connection.execute("SELECT path, code FROM upload_pipeline.skipped_attachments").fetchall()
    assert [(row["path"], row["code"]) for row in rows] == [("policy.md", "nested_too_deeply")]


def test_more_attachments_than_allowed_are_counted(deployment: Deployment, user: UserId) -> None:
    files = [(f"{number}.md", f"Clause {number}.".encode()) for number in range(MOST_ATTACHMENTS + 3)]
    parent = ingest(deployment, user, mail(*files), "mail.eml")
    assert len(in_mail(deployment, parent)) == MOST_ATTACHMENTS
    assert status_of(deployment, parent).warnings == {WarningKind.ATTACHMENTS_SKIPPED: 3}


def test_attachments_of_one_name_are_told_apart(deployment: Deployment, user: UserId) -> None:
    content = mail(("scan.md", b"One."), ("scan.md", b"Two."), ("scan", b"Three."), ("scan", b"Four."))
    parent = ingest(deployment, user, content, "mail.eml")
    assert set(in_mail(deployment, parent)) == {"scan.md", "scan (2).md", "scan", "scan (2)"}


def test_a_new_version_of_a_mail_keeps_what_it_still_has(deployment: Deployment, user: UserId) -> None:
    parent = ingest(
        deployment, user, mail(("a.md", b"The walrus."), ("b.md", b"The ferret."), ("c", bytes(9))), "m.eml"
    )
    drain_all(deployment)
    kept = in_mail(deployment, parent)["a.md"]
    assert ingest(deployment, user, mail(("a.md", b"The walrus."), text="Newer."), "m.eml") == parent
    assert in_mail(deployment, parent) == {"a.md": kept}
    assert deployment.documents.counts()["documents"] == 2
    assert status_of(deployment, parent).warnings == {}


def test_what_became_of_a_mail_that_is_no_mail_any_more(deployment: Deployment, user: UserId) -> None:
    parent = submit(deployment, user, mail(("a.md", b"The walrus.")), "m.eml", source="/inbox/1").document_id
    drain_all(deployment)
    submit(deployment, user, policy_text(), "m.md", source="/inbox/1")
    drain_all(deployment)
    assert status_of(deployment, parent).state is State.DONE
    assert in_mail(deployment, parent) == {}


def test_a_worker_that_lost_its_claim_takes_nothing_in(deployment: Deployment, user: UserId) -> None:
    submit(deployment, user, mail(), "mail.eml")
    job = claim_one(deployment)
    late = replace(job, fence=job.fence - 1)
    with pytest.raises(ResourceError, match="claim_lost"):
        deployment.attachments.take_in(late, [Attachment("a.md", b"The walrus.")])
    assert deployment.documents.counts()["documents"] == 1


def test_doing_it_again_changes_nothing(deployment: Deployment, user: UserId) -> None:
    submit(deployment, user, mail(), "mail.eml")
    job = claim_one(deployment)
    for _ in range(2):
        deployment.attachments.take_in(job, [Attachment("a.md", b"The walrus."), Attachment("b", b"\x00" * 99)])
        assert deployment.documents.counts()["documents"] == 2
        assert in_mail(deployment, job.document.document_id)["b"] == "unsupported"


def test_an_attachment_that_fails_leaves_the_mail_searchable(deployment: Deployment, user: UserId) -> None:
    parent = ingest(deployment, user, mail(("broken.pdf", b"%PDF-1.4 broken")), "mail.eml")
    drain_all(deployment)
    assert status_of(deployment, parent).searchable
    [attachment] = deployment.documents.attachments(parent)
    assert (attachment.state, attachment.code) == (State.DEADLETTER, "corrupt")


def test_what_is_refused_names_no_path(deployment: Deployment, user: UserId) -> None:
    with pytest.raises(PermanentError) as refused:
        ingest(deployment, user, mail(("walrus.bin", bytes(99))), "mail.bin")
    assert "walrus" not in str(refused.value)


def test_two_mails_that_go_at_once_leave_nothing_of_what_they_share(deployment: Deployment, user: UserId) -> None:
    for _ in range(10):
        mails = [
            ingest(deployment, user, mail(("policy.md", b"The walrus."), text=text), f"{text}.eml") for text in "abcd"
        ]
        drain_all(deployment)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda each: deployment.deletion.delete(each, TEST), mails))
        assert deployment.documents.counts()["documents"] == 0


def test_what_becomes_known_of_a_mail_later_is_known_of_all_that_was_taken_out_of_it(
    deployment: Deployment, user: UserId
) -> None:
    content = mail(("inner.eml", mail(("policy.md", b"The walrus."), text="Second.")))
    parent = ingest(deployment, user, content, "outer.eml")
    drain_all(deployment)
    inner = in_mail(deployment, parent)["inner.eml"]
    assert isinstance(inner, type(parent))
    policy = in_mail(deployment, inner)["policy.md"]
    assert isinstance(policy, type(parent))
    describe, known = deployment.intake.records.describe, deployment.documents.metadata
    describe(user, {policy: {"office": "York"}})
    describe(user, {parent: {"claim_number": "CLM-7", "office": "Leeds", "broker": "North"}})
    assert known(inner) == known(parent)
    assert known(policy) == {"claim_number": "CLM-7", "office": "York", "broker": "North"}
    describe(user, {parent: {"claim_number": "CLM-8", "office": None, "broker": "North"}, policy: {"broker": None}})
    assert known(inner) == {"claim_number": "CLM-8", "broker": "North"}
    assert known(policy) == {"claim_number": "CLM-8", "office": "York"}


def test_what_was_there_before_its_mail_learns_what_is_known_of_the_mail(deployment: Deployment, user: UserId) -> None:
    inner = mail(("policy.md", b"The walrus."), text="Second.")
    alone = ingest(deployment, user, inner, "inner.eml")
    parent = submit(deployment, user, mail(("inner.eml", inner)), "outer.eml").document_id
    deployment.intake.records.describe(user, {parent: {"claim_number": "CLM-7"}})
    drain_all(deployment)
    policy = in_mail(deployment, alone)["policy.md"]
    assert isinstance(policy, type(parent))
    assert deployment.documents.metadata(alone) == deployment.documents.metadata(policy) == {"claim_number": "CLM-7"}


def test_what_is_too_much_for_an_attachment_leaves_it_as_it_is(deployment: Deployment, user: UserId) -> None:
    parent = ingest(deployment, user, mail(("policy.md", b"The walrus.")), "mail.eml")
    policy = in_mail(deployment, parent)["policy.md"]
    assert isinstance(policy, type(parent))
    describe = deployment.intake.records.describe
    describe(user, {policy: {"much": "x" * 40_000}})
    describe(user, {parent: {"more": "x" * 40_000}})
    assert deployment.documents.metadata(policy) == {"much": "x" * 40_000}
    assert deployment.documents.metadata(parent) == {"more": "x" * 40_000}


def test_a_mail_as_it_was_has_the_attachments_that_it_had(deployment: Deployment, user: UserId) -> None:
    first, second = mail(("a.md", b"The walrus.")), mail(("b.md", b"The ferret."))
    parent = submit(deployment, user, first, "m.eml", source="/inbox/1").document_id
    drain_all(deployment)
    submit(deployment, user, second, "m.eml", source="/inbox/1")
    job = claim_one(deployment)
    step = deployment.steps["parsed_markdown"]
    parsed = step.run(job)
    deployment.attachments.take_in(job, parsed.attachments or ())
    assert in_mail(deployment, parent).keys() == {"b.md"}
    submit(deployment, user, first, "m.eml", source="/inbox/1")
    drain_all(deployment)
    drain_all(deployment)
    assert in_mail(deployment, parent).keys() == {"a.md"}
    assert deployment.documents.counts() == {"documents": 2, "searchable": 2, "dead_letters": 0}


def test_a_worker_on_a_version_that_was_replaced_takes_nothing_in(deployment: Deployment, user: UserId) -> None:
    parent = submit(deployment, user, mail(), "m.eml", source="/inbox/1").document_id
    job = claim_one(deployment)
    submit(deployment, user, mail(text="Newer."), "m.eml", source="/inbox/1")
    with pytest.raises(ResourceError, match="claim_lost"):
        deployment.attachments.take_in(job, [Attachment("a.md", b"The walrus.")])
    deployment.attachments.take_in(job, [Attachment("noise", bytes(99))])
    assert in_mail(deployment, parent) == {}


def test_very_long_names_of_attachments_lose_none(deployment: Deployment, user: UserId) -> None:
    files = [("\U0001f300" * 900 + ".md", f"Clause {number} covers a walrus.".encode()) for number in range(60)]
    parent = ingest(deployment, user, mail(*files), "mail.eml")
    assert len(in_mail(deployment, parent)) == 60
    assert status_of(deployment, parent).warnings == {}
