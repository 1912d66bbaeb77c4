"""The tables in which assets are kept, as Dagster's page shows them, and where their columns come from."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

SCHEMA = "upload_pipeline"
COLUMNS: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "document_chunk_buffer": (
        ("document_id", "uuid", "the document"),
        ("chunk_ord", "integer", "the chunk's position in the text, from 0"),
        ("text", "text", "what the chunk says"),
        ("chunk_sha", "text", "the hash of what is embedded: title, headings and text"),
    ),
    "document_vector_buffer": (
        ("document_id", "uuid", "the document"),
        ("chunk_sha", "text", "the hash of what was embedded"),
        ("embedding", "vector(1536)", "the vector"),
    ),
    "document_chunks": (
        ("chunk_id", "uuid", "the chunk"),
        ("document_id", "uuid", "the document"),
        ("user_id", "uuid", "whose document it is"),
        ("chunk_ord", "integer", "the chunk's position in the text, from 0"),
        ("text", "text", "what the chunk says"),
        ("embed_model", "text", "the model that made the vector"),
        ("embedding", "vector(1536)", "the vector"),
    ),
}
"""The columns that matter to people, by table; `sql/schema.sql` has all of them."""


def table(name: str, sources: Mapping[str, tuple[str, str]] | None = None) -> dict[str, Any]:
    """Return metadata that names an asset's table and its columns.

    Args:
        name: The table, in the pipeline's schema.
        sources: By column, the asset and the column that it is made of.
    """
    columns = [dg.TableColumn(column, kind, description=told) for column, kind, told in COLUMNS[name]]
    lineage = {
        column: [dg.TableColumnDep(dg.AssetKey(asset), source)] for column, (asset, source) in (sources or {}).items()
    }
    return {
        "dagster/table_name": f"{SCHEMA}.{name}",
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/column_lineage": dg.TableColumnLineage(lineage),
    }
