from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out, print_table
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.composition import PROVIDERS
from ingest_assets.domain.spending.costs import ProviderCosts, UncertainCosts
from ingest_assets.domain.spending.providers import Provider

UNCERTAIN = (
    "Uncertain are calls under way, and those whose answers never arrived because a worker was killed or a connection "
    "broke. They cost at most this, and count against the budgets."
)


def costs(
    by_day: Annotated[bool, typer.Option("--by-day", help="Also show each day (UTC).")] = False,
    by_user: Annotated[bool, typer.Option("--by-user", help="Also show each user.")] = False,
    recount: Annotated[
        bool, typer.Option("--recount", help="First give up calls that never came back, and count the budgets again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what providers have cost: calls, tokens, pages, credits and US dollars."""
    with deployed(as_json=as_json) as deployment:
        ledger = deployment.ledger
        if recount:
            ledger.recount()
        described = describe_costs(ledger.costs())
        if by_day or by_user:
            described["groups"] = describe_groups(ledger.costs(by_day=by_day, by_user=by_user))
        if as_json:
            print_json(described)
        else:
            _print(described)


def describe_costs(found: Sequence[ProviderCosts]) -> dict[str, Any]:
    """Return each provider's share, which is zero if it was not used."""
    by_provider = {each.provider: each for each in found}
    return {provider.name: _describe(provider, by_provider.get(provider.name)) for provider in PROVIDERS}


def describe_groups(found: Sequence[ProviderCosts]) -> list[dict[str, Any]]:
    """Return one entry per day, per user, or per day and user."""
    groups = []
    for (day, user_id), members in groupby(found, key=attrgetter("day", "user_id")):
        keys = {"day": day and day.isoformat(), "user_id": user_id and str(user_id)}
        groups.append({name: key for name, key in keys.items() if key} | describe_costs(list(members)))
    return groups


def _describe(provider: Provider, found: ProviderCosts | None) -> dict[str, Any]:
    described = _amounts(provider, found)
    if found is not None and found.uncertain.calls:
        described["uncertain"] = _amounts(provider, found.uncertain)
    return described


def _amounts(provider: Provider, found: ProviderCosts | UncertainCosts | None) -> dict[str, Any]:
    used = {name: getattr(found, name, 0) for name in ("calls", *provider.units)}
    return used | {"usd": found.micro_usd / 1_000_000 if found else 0.0}


def _print(described: dict[str, Any]) -> None:
    groups = described.pop("groups", None)
    rows = [row for group in (groups if groups is not None else []) for row in _rows(group)]
    rows += _rows(described)
    print_table(("day", "user", "provider", "calls", "tokens", "pages", "credits", "USD"), rows)
    if any("uncertain" in shares for shares in described.values()):
        out.print(UNCERTAIN)


def _rows(group: dict[str, Any]) -> list[tuple[object, ...]]:
    columns = ("calls", "tokens", "pages", "credits")
    shares = [
        (name, share)
        for provider in PROVIDERS
        for name, share in (
            (provider.name, group[provider.name]),
            (f"{provider.name}, uncertain", group[provider.name].get("uncertain")),
        )
        if share is not None
    ]
    return [
        (group.get("day"), group.get("user_id"), name, *map(share.get, columns), f"{share['usd']:.6f}")
        for name, share in shares
    ]
