"""The search command. Stdlib and click only: it is asked for often, by people and by assistants."""

from __future__ import annotations

import json

import click

from neatd.place import here, neat_home


@click.command(short_help="Search the records.")
@click.argument("query", nargs=-1, required=True)
@click.option("--kind", help="Only this kind, as `neat list` names it.")
@click.option("--all-projects", is_flag=True, help="Not only this project.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="How many at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def search(query: tuple[str, ...], kind: str | None, all_projects: bool, limit: int, as_json: bool) -> None:
    """Search the records: words as prefixes, phrases in quotes.

    kind: status: tag: branch: and since: (a date, or 7d, 24h) narrow the search.

    \b
    neat search memory leak
    neat search '"lazy loading"' --kind bug
    neat search loss kind:decision status:open since:30d
    """
    from neatd.pipeline.searching import find

    place = None if all_projects else here()
    hits = find(neat_home(), place, " ".join(query), kind, limit)
    if as_json:
        click.echo(json.dumps([hit._asdict() for hit in hits], ensure_ascii=False))
        return
    for hit in hits:
        # Of all projects there is no branch that all of them could be compared with.
        away = f" (on branch {hit.branch})" if place and hit.branch and hit.branch != place.branch else ""
        click.echo(
            f"{hit.id[:9]:<9}  {hit.kind:<10}  {hit.status:<10}  {hit.created_at[:10]}  {hit.title or hit.excerpt}{away}"
        )
    if not hits:
        click.echo("nothing found", err=True)
