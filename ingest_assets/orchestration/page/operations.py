"""What a request asks of Dagster's GraphQL, which also takes operations from an address."""

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.requests import HTTPConnection

GRAPHQL = "/graphql"
MOST_TOKENS = 10_000


def changes_something(request: HTTPConnection) -> bool:
    """Return whether the address holds an operation that is not certainly a query."""
    if not request.scope["path"].rstrip("/").endswith(GRAPHQL):
        return False
    return not all(map(_is_query, request.query_params.getlist("query")))


def _is_query(text: str) -> bool:
    try:
        document = parse(text, max_tokens=MOST_TOKENS)
    except (GraphQLError, RecursionError):
        return False
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return all(each.operation is OperationType.QUERY for each in operations)
