"""`neat study analyze` and `export`: studies of neat's and of others', by name or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neatd.cli.common import json_option, open_here, print_json
from neatd.errors import NeatError

if TYPE_CHECKING:
    from neatd.pipeline.studied import Loaded

_STUDY = click.option(
    "--study", "names", multiple=True, help="Of a file with several studies only this one; may be repeated."
)
_GOAL = click.option(
    "--goal", type=click.Choice(["min", "max"]), help="Which values are better, for a file that does not say."
)
_METRIC = click.option("--metric", default="", help="The field of a JSON file's trials that is the value.")


@click.command(short_help="Say what studies showed: by each parameter, in pairs, what the best have in common.")
@click.argument("words", nargs=-1, metavar="[NAME|FILE]…")
@click.option("--rows", default="", help="Of several studies: the part of the name, or the field, that makes the rows.")
@click.option("--columns", default="", help="The same for the columns.")
@click.option("--best", "wanted", type=click.IntRange(min=1), help="How many of the best to compare with the others.")
@click.option(
    "--importance", "evaluator", type=click.Choice(["ped-anova", "fanova"]), default="ped-anova",
    help="By which of Optuna's evaluators; fanova needs scikit-learn.",
)  # fmt: skip
@_STUDY
@_GOAL
@_METRIC
@json_option
def analyze(
    words: tuple[str, ...], rows: str, columns: str, wanted: int | None, evaluator: str, names: tuple[str, ...],
    goal: str | None, metric: str, as_json: bool,
) -> None:  # fmt: skip
    """Say what studies showed: by each parameter, in pairs, what the best have in common.

    NAME is a study of this project, the newest one without; FILE is an Optuna database or journal, or JSON with a list of
    trials, which is only read. Several studies make a table, such as budgets by horizons.

    \b
    neat study analyze 200M_h3
    neat study analyze 2M_h1 2M_h3 200M_h1 200M_h3
    neat study analyze outputs/200M_h3_all_trials.json --goal min
    neat study analyze optuna.db --study lr --json
    """
    from neatd.cli.studytables import print_analysis, print_matrix
    from neatd.pipeline.studyanalysed import analysed, analyses_shape
    from neatd.studies.matrix import matrix

    found = analysed(load(words, names, goal, metric), evaluator, wanted)
    if as_json:
        print_json(analyses_shape(found, rows, columns))
    elif len(found) == 1 and not (rows or columns):
        print_analysis(found[0])
    else:
        print_matrix(matrix(found, rows, columns), found)


@click.command(
    short_help="Write all trials of studies to a folder: CSV, JSON with learning curves, the diverged apart."
)
@click.argument("words", nargs=-1, metavar="[NAME|FILE]…")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option(
    "--curve", "extra", multiple=True, help="A metric whose curve is kept besides the goal's; may be repeated."
)
@click.option("--force", "is_forced", is_flag=True, help="Replace the files of an earlier export.")
@_STUDY
@_GOAL
@_METRIC
@json_option
def export(
    words: tuple[str, ...], out: Path, extra: tuple[str, ...], is_forced: bool, names: tuple[str, ...], goal: str | None,
    metric: str, as_json: bool,
) -> None:  # fmt: skip
    """Write all trials of studies to a folder: CSV, JSON with learning curves, the diverged apart.

    The folder gets hpo_summary.csv, hpo_full.json, hpo_diverged.csv, hpo_diverged.json, and a README.md of the columns.

    \b
    neat study export 200M_h3 --out outputs/analysis
    neat study export optuna.db 200M_h3 --out outputs/analysis --curve train/loss --force
    """
    from neatd.pipeline import studyexport

    done = studyexport.export(load(words, names, goal, metric), out, datetime.now(UTC), extra, is_forced)
    if as_json:
        files = [str(done.folder / name) for name in studyexport.FILES]
        print_json(
            {
                "folder": str(out),
                "files": files,
                "studies": done.studies,
                "trials": done.trials,
                "diverged": done.diverged,
            }
        )
        return
    studies = "1 study" if done.studies == 1 else f"{done.studies} studies"
    click.echo(
        f"{done.trials} trials of {studies}, {done.diverged} diverged, are in {out}; README.md tells the columns"
    )


def load(words: Sequence[str], names: Sequence[str], goal: str | None, metric: str) -> list[Loaded]:
    """The studies that words name: the project's first, then files. Raises NeatError for a word that is neither."""
    from neatd.pipeline.studied import of_file

    found: list[Loaded] = []
    for word in words or ("",):
        if _is_file(word):
            found += of_file(Path(word), goal, metric, names)
        else:
            found.append(_stored(word))
    if len({(one.searched.name, one.searched.source) for one in found}) < len(found):
        raise NeatError("a study is named twice", "name each once")
    return found


def _is_file(word: str) -> bool:
    """A path that is there, unless a study of the project is called so."""
    if not word or not Path(word).is_file():
        return False
    return "/" in word or "." in word or not _is_study(word)


def _is_study(word: str) -> bool:
    from neatd.store import studies

    opened = open_here(warn=False)
    return studies.find_named(opened.records, opened.project.id, word) is not None


def _stored(word: str) -> Loaded:
    from neatd.pipeline.studied import of_store
    from neatd.store import studies

    try:
        opened = open_here()
        return of_store(
            opened.records, opened.points, studies.find_study(opened.records, opened.project.id, word or None)
        )
    except NeatError as error:
        if "/" in word or Path(word).suffix in (".db", ".json", ".log", ".sqlite", ".sqlite3", ".journal"):
            raise NeatError(f"there is no file {word}, nor a study of that name", "name a file or a study") from error
        raise
