"""What searches, and the index that makes searches fast."""

from typing import TYPE_CHECKING

from ingest_assets.composition.parts import part
from ingest_assets.composition.tools import Tools

if TYPE_CHECKING:
    from ingest_assets.pipeline.ports.indexing import VectorIndex, VectorSamples
    from ingest_assets.pipeline.ports.searching import SearchIndex
    from ingest_assets.pipeline.search import Search
    from ingest_assets.pipeline.vector_index import IndexKeeper


class Searching(Tools):
    """The part of a deployment that searches."""

    @part
    def search(self) -> "Search":
        from ingest_assets.pipeline.search import Search

        return Search(self.replicated_index, self.embedder)

    @part
    def replicated_index(self) -> "SearchIndex":
        """Return the index on the read replica, if there is one; what measures the index itself asks the database."""
        if self.search_database is None:
            return self.search_index
        from ingest_assets.adapters.postgres.search.search_index import PostgresSearchIndex
        from ingest_assets.pipeline.replicated_search import ReplicatedSearchIndex

        replica = PostgresSearchIndex(self.search_database, self.index_policy)
        return ReplicatedSearchIndex(replica, self.search_index, self.clock, self.observer)

    @part
    def search_index(self) -> "SearchIndex":
        from ingest_assets.adapters.postgres.search.search_index import PostgresSearchIndex

        return PostgresSearchIndex(self.database, self.index_policy)

    @part
    def vector_index(self) -> "VectorIndex":
        from ingest_assets.adapters.postgres.search.vector_index import PostgresVectorIndex

        return PostgresVectorIndex(self.owner_url, self.index_policy)

    @part
    def vector_samples(self) -> "VectorSamples":
        from ingest_assets.adapters.postgres.search.vector_samples import PostgresVectorSamples

        return PostgresVectorSamples(self.database)

    @part
    def index_keeper(self) -> "IndexKeeper":
        from ingest_assets.pipeline.vector_index import IndexKeeper

        return IndexKeeper(self.vector_index, self.embedder, self.index_policy, self.observer)
