from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.cases.found import Found


def test_tracked_changes_are_accepted_and_a_comment_is_marked(deployment: Deployment, user: UserId) -> None:
    document = Found(deployment, user, "05_tracked_changes_and_comment.docx")

    found = document.passage("roadside help onward travel excess flood")
    assert found.count("Roadside help includes onward travel") == 1
    assert "The excess for flood is seven hundred fifty per event" in found
    assert "two hundred fifty" not in found
    assert "windscreen" not in document.passage("windscreen chips withdrawn")
    assert "Comment by underwriter: Broker asked for agreed value" in document.passage("agreed value refused")


def test_heads_feet_notes_and_boxes_are_found(deployment: Deployment, user: UserId) -> None:
    document = Found(deployment, user, "06_header_footnote_textbox.docx")

    assert "HH-7730-5512" in document.passage("HH-7730-5512")
    assert "Kestrel Court" in document.passage("ombudsman Kestrel Court")
    assert "locked to a fixed object" in document.passage("approved chain")
    assert document.passage("report theft").count("report theft within forty-eight hours") == 1


def test_clauses_are_found_by_their_automatic_numbers(deployment: Deployment, user: UserId) -> None:
    document = Found(deployment, user, "08_automatic_clause_numbers.docx")

    found = document.passage("2.2 wear and tear")
    assert all(clause in found for clause in ("2.2 Wear and tear", "(b) solar panels", "2.3 Nuclear", "Section 2 Excl"))


def test_an_old_file_loses_what_was_deleted_and_keeps_its_comment(deployment: Deployment, user: UserId) -> None:
    document = Found(deployment, user, "05_tracked_changes_and_comment.doc")

    found = document.passage("roadside help onward travel excess flood")
    assert found.count("Roadside help includes onward travel") == 1
    assert "The excess for flood is seven hundred fifty per event" in found
    assert "windscreen" not in found
    assert "Broker asked for agreed value" in document.passage("agreed value refused")


def test_heads_and_feet_of_an_old_file_are_found(deployment: Deployment, user: UserId) -> None:
    document = Found(deployment, user, "06_header_footnote_textbox.doc")

    assert "HH-7730-5512" in document.passage("HH-7730-5512")
    assert "Kestrel Court" in document.passage("ombudsman Kestrel Court")
    assert "locked to a fixed object" in document.passage("approved chain")
    assert document.passage("report theft").count("report theft within forty-eight hours") == 1
