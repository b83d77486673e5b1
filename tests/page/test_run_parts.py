"""The pure parts of the view of a run: which charts there are, the address, windows of steps, lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.page.charts_served import charts_url, stage, window  # noqa: F401

if TYPE_CHECKING:
    from playwright.sync_api import Page

GROUPS = """async ([names, system, how]) => {
  const { groupsOf } = await import("/static/js/run/groups.js");
  const { pinned, machine, sections } = groupsOf(names, system, how);
  const line = ({ name, scale }) => (scale === "y2" ? `${name} right` : name);
  const short = (cards) => cards.map((card) => [card.title, ...card.lines.map(line)]);
  const closed = sections.map(({ title, cards, isClosed }) => [title, cards.length, isClosed]);
  return { pinned: short(pinned), machine: short(machine), sections: closed };
}"""


def groups(page: Page, names: list[str], system: tuple[str, ...] = (), **how: Any) -> dict[str, Any]:
    """The charts of a run with these series, in short."""
    found: dict[str, Any] = page.evaluate(GROUPS, [names, list(system), how])
    return found


def test_series_find_their_charts_by_their_names(stage: Page) -> None:  # noqa: F811
    """Losses of training and evaluation are one chart, scores another, rate and norm share one; each series is on one."""
    names = ["train/loss", "val/loss", "train/acc", "val/acc", "lr", "grad_norm", "epoch", "layers/0/norm"]
    found = groups(stage, names)
    rate = ["Learning rate, gradient norm", "lr", "grad_norm right"]
    assert found["pinned"] == [["Loss", "train/loss", "val/loss"], ["Acc", "train/acc", "val/acc"], rate]
    assert found["sections"] == [["", 1, False], ["layers", 1, False]]
    for some, pinned in {
        ("loss", "eval_loss", "train_loss", "eval_f1", "learning_rate"):
            [["Loss", "loss", "train_loss", "eval_loss"], ["eval_f1", "eval_f1"], ["Learning rate", "learning_rate"]],
        ("aux_loss", "total_loss", "val/total_loss", "bbox_mAP", "lr-AdamW/pg1"):
            [["Loss", "total_loss", "val/total_loss"], ["bbox_mAP", "bbox_mAP"], ["Learning rate", "lr-AdamW/pg1"]],
        ("trainLoss", "valLoss", "calories", "tb:loss"): [["Loss", "trainLoss", "valLoss"]],
        ("metrics/mAP50-95(B)", "train/box_loss", "val/box_loss"):
            [["Box loss", "train/box_loss", "val/box_loss"], ["metrics/mAP50-95(B)", "metrics/mAP50-95(B)"]],
        ("optim/layer3/grad_norm", "train/grad_norm"): [["Gradient norm", "train/grad_norm"]],
        (): [],
    }.items():  # fmt: skip
        assert groups(stage, list(some))["pinned"] == pinned
    many = groups(stage, [f"layers/{n}" for n in range(13)])
    assert many["sections"] == [["layers", 13, True]]


def test_the_primary_metric_and_pins_come_first(stage: Page) -> None:  # noqa: F811
    """The project's metric leads, whatever its name; a pin moves one chart, and one of a series that is not there none."""
    names = ["val/dice", "train/loss", "val/hd95"]
    found = groups(stage, names, primary={"metric": "val/hd95"})
    assert [one[0] for one in found["pinned"]] == ["val/hd95", "train/loss", "val/dice"]
    assert groups(stage, names, primary={"metric": "val/dice"})["pinned"][0] == ["val/dice", "val/dice"]
    pins = {"added": ["val/hd95", "gone", "system/psi"], "removed": ["pinned dice"]}
    found = groups(stage, names, ("system/psi", "system/rss_bytes", "system/host_available_bytes"), pins=pins)
    assert [one[0] for one in found["pinned"]] == ["train/loss", "val/hd95", "psi"]
    assert found["machine"] == [["Memory, GB", "system/rss_bytes", "system/host_available_bytes"]]
    assert found["sections"] == [["val", 1, False]]


def test_a_look_is_the_same_after_the_address(stage: Page) -> None:  # noqa: F811
    """What the address cannot mean is as usual, and words of others in it stay."""
    script = """async (search) => {
      const { lookOf, searchOf } = await import("/static/js/run/address.js");
      return [lookOf(search), searchOf(lookOf(search), "?project=a"), lookOf(searchOf(lookOf(search)))];
    }"""
    look, search, again = stage.evaluate(script, "?axis=wall&log=1&smooth=0.85&xmin=1795334171.5&xmax=1795334271.25")
    assert look == again and look["range"] == [1795334171.5, 1795334271.25]
    assert search.startswith("?project=a&axis=wall&log=1&smooth=0.85&xmin=1795334171.5")
    usual = {"axis": "step", "log": False, "smoothing": 0, "isIgnoringOutliers": False, "range": None}
    for odd in ("", "?axis=x&smooth=NaN&xmin=3&xmax=2", "?xmin=1", "?xmin=&xmax=", "?xmin=a&xmax=Infinity"):
        assert stage.evaluate(script, odd)[0] == usual
    assert stage.evaluate(script, "?smooth=7")[0]["smoothing"] == 0.99
    far = stage.evaluate(script, "?xmin=-1e300&xmax=1e300")[0]["range"]
    assert far == [-(2**53), 2**53] and stage.evaluate(script, "?xmin=1e299&xmax=1e300")[0] == usual


def test_a_range_of_time_is_a_window_of_steps(stage: Page) -> None:  # noqa: F811
    """No step of the range is left out, and points that are known already are no newer ones."""
    script = """async (points) => {
      const w = await import("/static/js/run/window.js");
      const reference = { points, startedAt: 1000 };
      return {
        steps: w.stepsOf([9.5, 20.5], "relative", reference), step: w.stepsOf([1.2, 3.4], "step", reference),
        none: w.stepsOf([0, 1], "wall", { points: [[1, 2, null]], startedAt: 0 }),
        back: w.translated([10, 20], "relative", "step", reference), wall: w.translated([1, 2], "step", "wall", reference),
        later: w.later(points.slice(0, 3), [[2, 0, 1020], [3, 0, 1030], [3, 0, 1031], [4, 0, 1040]]),
        domain: w.domainOf([points, [[9, 1, null]]], "relative", 1000), steps2: w.domainOf([points, [[9, 1, null]]], "step", 0),
      };
    }"""
    points = [[n, 0.5, None if n == 5 else 1000 + 10 * n] for n in range(1, 7)]
    found = stage.evaluate(script, points)
    assert found["steps"] == [1, 3] and found["step"] == [1, 4] and found["none"] is None
    assert found["back"] == [1, 2] and found["wall"] == [1010, 1020]
    assert found["later"] == [[3, 0, 1031], [4, 0, 1040]]
    assert found["domain"] == [10, 60] and found["steps2"] == [1, 9]


def test_a_cursor_says_which_points_are_new(stage: Page) -> None:  # noqa: F811
    """Not their steps, of which a file may hold one twice: those decide only where an event and an answer overlap."""
    script = """async () => {
      const { take } = await import("/static/js/run/cursor.js");
      const at = (seq, mark = "m") => btoa(JSON.stringify({ "metrics.jsonl": [seq, mark] })).replaceAll("=", "");
      const told = (cursor, from, to) => {
        const held = { points: [[4, 4, null], [5, 5, null]], cursor };
        const fresh = take(held, [[5, 100, null], [6, 6, null]], { from, to });
        return [fresh.map(([step]) => step), held.cursor === to, held.points.length];
      };
      return {
        next: told(at(5), at(5), at(7)), behind: told(at(5), at(6), at(8)), known: told(at(7), at(5), at(7)),
        part: told(at(6), at(5), at(7)), lost: told(at(5), null, at(7)), other: told(at(5), at(6, "n"), at(8, "n")),
        none: told(null, null, at(7)), empty: told(btoa("{}"), at(5), at(7)),
      };
    }"""
    found = stage.evaluate(script)
    assert found["next"] == found["behind"] == found["empty"] == [[5, 6], True, 4]
    assert found["known"] == [[], True, 2]
    assert found["part"] == found["lost"] == found["other"] == found["none"] == [[6], True, 3]


def test_a_run_that_counts_from_0_is_through_at_its_last_step(stage: Page) -> None:  # noqa: F811
    """One that goes on is not, nor one that ended earlier."""
    script = """async (runs) => {
      const { header } = await import("/static/js/run/header.js");
      const usual = { id: "r", reason: "", planned_steps: 50, eta_s: null, step_s: null, attempts: 1, series: {} };
      return runs.map((run) => {
        const strip = header();
        strip.set({ ...usual, ...run });
        return strip.node.querySelector("progress").getAttribute("aria-label");
      });
    }"""
    runs = [{"status": status, "step": step} for status, step in (("finished", 49), ("finished", 40), ("running", 49))]
    assert [one.split(" ")[0] for one in stage.evaluate(script, runs)] == ["100", "80", "98"]


def test_lines_tell_what_a_restart_gave_up(stage: Page) -> None:  # noqa: F811
    """Abandoned points are faded lines of their own; bytes are drawn as gigabytes, non-finite values as they are."""
    script = """async () => {
      const { linesOf } = await import("/static/js/run/card.js");
      const card = { lines: [{ name: "a", label: "a" }, { name: "b", label: "used", by: 1e-9, scale: "y2" }] };
      const a = { points: [[1, 2, null]], abandoned: [[[1, 3, null]]] };
      const b = { points: [[1, 2e9, 5], [2, "NaN", 6]], abandoned: [] };
      const short = ({ key, isFaded, scale, points }) => [key, Boolean(isFaded), scale, points.map((one) => String(one[1]))];
      return linesOf(card, new Map([["a", a], ["b", b]]), "r", 0).map(short);
    }"""
    assert stage.evaluate(script) == [
        ["a#0", True, "y", ["3"]], ["a", False, "y", ["2"]], ["b", False, "y2", ["2", "NaN"]],
    ]  # fmt: skip
