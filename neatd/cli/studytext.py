"""A study for people, in a few lines."""

from __future__ import annotations

from neatd.assist.render import one_line, when
from neatd.pipeline.studyshown import Shown, values_text


def as_text(found: Shown) -> str:
    """How a study stands."""
    study, goal = found.study, found.study.spec["goal"]
    lines = [f"{study.name}  {found.ended}/{found.planned} trials  {study.status}" + _said(study.reason)]
    if found.counts:
        lines.append("  " + ", ".join(f"{found.counts[status]} {status}" for status in sorted(found.counts)))
    if found.best is not None:
        best = found.best
        lines.append(f"  best {goal['metric']} {best.value:g} at step {best.value_step}: trial {best.number}")
        lines.append(f"    {values_text(best)}")
    diverged = [str(one.number) for one in found.trials if one.diverged]
    if diverged:
        lines.append(
            f"  {len(diverged)} diverged: trial {', '.join(diverged[:12])}{' …' if len(diverged) > 12 else ''}"
        )
    failed = [one for one in found.trials if one.status == "failed" and not one.diverged]
    lines += [f"  trial {one.number} failed: {one_line(one.reason, 160)}" for one in failed[-3:]]
    if len(failed) > 3:
        lines.append(f"  and {len(failed) - 3} more that failed earlier")
    if found.ends_at is not None:
        lines.append(f"  ends about {when(found.ends_at)}")
    return "\n".join(lines)


def _said(reason: str) -> str:
    return f": {one_line(reason, 400)}" if reason else ""
