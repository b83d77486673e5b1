"""The line chart in a real browser: what is drawn, what is said, what pointer and keyboard do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.page.charts_served import look

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# A flat line from step 0 to 99, at a time each second.
FLAT = "Array.from({ length: 100 }, (_, i) => [i, 1, 1000 + i])"


def _make(page: Page, options: str = "{}", lines: str = f"[line({FLAT})]") -> None:
    """A chart in `window.c`; what `onRange` is told is in `window.told`."""
    script = f"""async () => {{
      window.told = [];
      window.c = await chart({{ title: "Loss", onRange: (range) => told.push(range), ...{options} }}, {lines});
      await frame();
    }}"""
    page.evaluate(script)


def _notes(page: Page) -> list[str]:
    return page.locator(".chart-notes li").all_text_contents()


def _box(page: Page) -> dict[str, float]:
    box = page.locator(".u-over").first.bounding_box()
    assert box is not None
    return dict(box)


def _told(page: Page) -> Any:
    return page.evaluate("() => window.told")


def _cursor(page: Page) -> str:
    page.evaluate("() => frame()")
    return page.locator(".chart-at").text_content() or ""


def test_a_line_is_drawn_and_says_so(stage: Page) -> None:
    """An empty chart has no pixel of the line's colour, and no `data-drawn`."""
    _make(stage, lines="[line([])]")
    assert stage.evaluate("() => [inked(c.container), c.container.dataset.drawn ?? null]") == [0, None]
    assert _notes(stage) == ["No points yet."]
    stage.evaluate("() => clear()")
    _make(stage)
    inked, drawn = stage.evaluate("() => [inked(c.container), c.container.dataset.drawn]")
    assert inked > 500 and drawn == "1" and _notes(stage) == []


def test_axes_have_labels_whatever_they_span(stage: Page) -> None:
    """uPlot leaves an axis empty for whose increment it has no decimals; the increments here are our own."""
    for last, value in ((2, 1e-7), (7.3, 7.7), (12, 1e6), (1e7, -3)):
        _make(stage, lines=f"[line([[0, 0, null], [{last}, {value}, null]])]")
        below, beside = "[0.05, 0.91, 1, 1]", "[0, 0, 0.06, 0.9]"
        assert all(stage.evaluate(f"() => [{below}, {beside}].map((part) => anything(c.container, part) > 10)")), last
        stage.evaluate("() => clear()")


def test_no_line_is_drawn_across_a_nan_or_a_restart(stage: Page) -> None:
    """Between steps 40 and 60 there is nothing: values that are not finite there, or a restart on either side."""
    part = "[0.49, 0, 0.06, 1]"
    _make(stage)
    assert stage.evaluate(f"() => inked(c.container, undefined, {part})") > 40
    stage.evaluate("() => clear()")
    gap = f"{FLAT}.map(([s, v, t]) => [s, s >= 40 && s <= 60 ? 'NaN' : v, t])"
    _make(stage, lines=f"[line({gap})]")
    assert stage.evaluate(f"() => inked(c.container, undefined, {part})") == 0
    assert _notes(stage) == ["21 values without a place on the axis: 21 NaN (marked at the edge)."]
    stage.evaluate("() => clear()")
    left = f"{FLAT}.filter(([s]) => s < 40 || s > 60)"
    _make(stage, "{marks: [{kind: 'restart', step: 61, label: 'again', run: 'r'}]}", f"[line({left})]")
    assert stage.evaluate(f"() => inked(c.container, undefined, {part})") == 0


def test_a_log_axis_leaves_out_what_it_has_no_place_for_and_counts_it(stage: Page) -> None:
    _make(stage, "{log: true}", "[line([[0, 1, null], [1, 0, null], [2, -3, null], [3, 100, null], [4, 10, null]])]")
    assert _notes(stage) == ["2 values at or below 0 not drawn: a log axis has no place for them."]
    assert stage.evaluate("() => c.made.whyNoLog()") == ""
    stage.evaluate("() => clear()")
    _make(stage, "{log: true}", "[line([[0, -1, null], [1, 0, null]])]")
    assert stage.evaluate("() => c.made.whyNoLog()") == "A log axis needs a value above 0: there is none."
    assert _notes(stage) == ["A log axis needs a value above 0: there is none. The axis is linear."]


def test_points_without_a_time_are_left_out_on_a_time_axis_and_counted(stage: Page) -> None:
    lines = "[line([[0, 1, null], [1, 1, 1000], [2, 1, 1060], [3, 1, null]])]"
    _make(stage, "{axis: 'relative'}", lines)
    assert _notes(stage) == ["2 points without a time left out on this axis."]
    assert stage.evaluate("() => c.made.fullDomain()") == [0, 60]
    stage.evaluate("() => c.made.setOptions({ axis: 'wall' })")
    stage.evaluate("() => frame()")
    assert stage.evaluate("() => c.made.fullDomain()") == [1000, 1060]


def test_a_brush_zooms_and_a_double_click_shows_all(stage: Page) -> None:
    _make(stage)
    box = _box(stage)
    middle = box["y"] + box["height"] / 2
    stage.mouse.move(box["x"] + box["width"] * 0.25, middle)
    stage.mouse.down()
    stage.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=3)
    stage.mouse.up()
    [(low, high)] = _told(stage)
    assert abs(low - 24.75) < 0.6 and abs(high - 49.5) < 0.6
    stage.mouse.dblclick(box["x"] + 50, middle)
    assert _told(stage)[-1] is None
    stage.mouse.click(box["x"] + 90, middle)
    assert len(_told(stage)) == 2, "a click is no brush"


def test_the_keyboard_moves_the_cursor_zooms_and_resets(stage: Page) -> None:
    """What is under the cursor is spoken."""
    _make(stage)
    plot = stage.locator(".chart-plot")
    plot.focus()
    plot.press("ArrowRight")
    plot.press("ArrowRight")
    assert stage.locator(".chart-live").text_content() == "step 1: loss 1"
    plot.press("End")
    plot.press("Shift+ArrowLeft")
    assert _cursor(stage) == "step 89"
    plot.press("+")
    low, high = _told(stage)[-1]
    assert 40 < high - low < 51 and low < 89 < high
    plot.press("-")
    assert _told(stage)[-1] is None
    plot.press("+")
    plot.press("0")
    assert _told(stage)[-1] is None
    plot.press("Escape")
    assert _cursor(stage) == ""


def test_cursors_of_a_group_point_at_the_same_step_on_any_axis(stage: Page) -> None:
    lines = f"[line({FLAT}.map(([s, v, t]) => [s, v, 5000 + s * 10]))]"
    _make(stage, "{sync: 'g'}", lines)
    stage.evaluate(
        f"async () => {{ window.d = await chart({{ axis: 'relative', sync: 'g' }}, {lines}); await frame(); }}"
    )
    box = _box(stage)
    stage.mouse.move(box["x"] + box["width"] * 30 / 99, box["y"] + 30)
    stage.evaluate("() => frame()")
    first, second = stage.locator(".chart-at").all_text_contents()
    assert (first, second) == ("step 30", "5m after the start")
    assert stage.locator(".legend-value").all_text_contents() == ["1", "1"]
    stage.mouse.move(5, 5)
    stage.evaluate("() => frame()")
    assert stage.locator(".chart-at").all_text_contents() == ["", ""]


def test_the_legend_hides_and_shows_lines(stage: Page) -> None:
    """With fifty lines it scrolls; with the shift key it leaves one."""
    lines = f"Array.from({{ length: 50 }}, (_, i) => line({FLAT}, {{ key: 'k' + i, label: 'run ' + i, colour: 0, dash: i }}))"
    _make(stage, lines=lines)
    high = stage.evaluate(
        "() => [document.querySelector('.legend-lines')].map((l) => [l.clientHeight, l.scrollHeight])[0]"
    )
    assert high[0] < 170 < high[1]
    stage.get_by_role("button", name="Hide all").click()
    stage.evaluate("() => frame()")
    assert stage.evaluate("() => inked(c.container)") == 0 and _notes(stage) == ["All lines are hidden."]
    seventh = stage.get_by_role("button", name="run 7", exact=True)
    seventh.click()
    stage.evaluate("() => frame()")
    assert seventh.get_attribute("aria-pressed") == "true" and stage.evaluate("() => inked(c.container)") > 200
    stage.get_by_role("button", name="run 9", exact=True).click(modifiers=["Shift"])
    assert stage.locator(".legend-line[aria-pressed=true]").all_text_contents() == ["run 9"]


def test_new_points_are_drawn_and_condensed(stage: Page) -> None:
    """However many come, a line holds no more than a few for each pixel, and its last value is named."""
    _make(stage)
    held = stage.evaluate(
        """async () => {
          for (let i = 0; i < 200; i += 1) {
            c.made.append("a", Array.from({ length: 100 }, (_, k) => [100 + i * 100 + k, 2, null]));
          }
          c.made.append("nobody", [[1, 1, null]]);
          await frame();
          return [c.made.fullDomain(), c.plot.getAttribute("aria-label")];
        }"""
    )
    assert held[0] == [0, 20099] and "Last values: loss 2 at step 20099" in held[1]


def test_a_canvas_has_the_pixels_of_the_screen_and_follows_its_container(browser: Browser, charts_url: str) -> None:
    """At 100 % and, as the page is zoomed while it is open, at 200 %."""
    page, wrong = look(browser, charts_url)
    _make(page)
    size = (
        "async () => { await frame(); await frame(); const k = c.u(); return [k.width, k.height, c.plot.clientWidth]; }"
    )
    width, height, css = page.evaluate(size)
    assert (width, height) == (css, 220)
    page.evaluate("() => { c.container.style.width = '400px'; }")
    assert page.evaluate(size) == [400, 220, 400]
    page.evaluate("() => { c.container.style.width = ''; }")
    zoomed = {"width": 450, "height": 500, "deviceScaleFactor": 2, "mobile": False}
    page.context.new_cdp_session(page).send("Emulation.setDeviceMetricsOverride", zoomed)
    width, height, css = page.evaluate(size)
    assert (width, height) == (css * 2, 440) and css < 450 and page.evaluate("() => inked(c.container)") > 500
    page.context.close()
    assert not wrong


def test_a_change_of_the_theme_redraws_in_its_colours(stage: Page) -> None:
    dark = [0x56, 0xB4, 0xE9]
    _make(stage)
    change = """async ([theme, dark]) => {
      document.documentElement.dataset.theme = theme;
      window.dispatchEvent(new CustomEvent("neat-theme"));
      await frame();
      return [inked(c.container), inked(c.container, dark)];
    }"""
    light, none = stage.evaluate(change, ["light", dark])
    assert light > 500 and none == 0
    none, bright = stage.evaluate(change, ["dark", dark])
    stage.evaluate(change, ["light", dark])
    assert none == 0 and bright > 500


def test_the_rail_shows_marks_as_buttons_and_as_a_list(stage: Page) -> None:
    """Near ones are one; left and right go through them, and the charts of the group show the place. axe finds nothing
    wrong with the rail, a chart and its legend."""
    lines = f"Array.from({{ length: 7 }}, (_, i) => line({FLAT}, {{ key: 'k' + i, label: 'run ' + i, colour: i }}))"
    _make(stage, "{sync: 'rail', axis: 'step'}", lines)
    stage.evaluate(
        """async () => {
          const { createRail } = await import("/static/js/chart/rail.js");
          const container = document.createElement("div");
          document.querySelector("#stage").prepend(container);
          const rail = createRail(container, { sync: "rail", domain: [0, 99] });
          made.push(rail);
          rail.set([
            { kind: "checkpoint", step: 10, label: "step_10.pt", run: "r" },
            { kind: "checkpoint", step: 10.1, label: "step_10b.pt", run: "r" },
            { kind: "checkpoint", step: 100, label: "step_100.pt", run: "r" },
            { kind: "event", step: 50, label: "loss jumped", run: "r" },
            { kind: "event", step: 80, severity: "info", label: "the best so far", run: "r" },
            { kind: "event", step: 80, severity: "warning", label: "slower", run: "r" },
            { kind: "event", step: 95, severity: "info", label: "better still", run: "r" },
            { kind: "commit", time: 4, label: "abc123", run: "r" },
          ]);
          await frame();
        }"""
    )
    names = [button.get_attribute("aria-label") for button in stage.locator(".rail-mark").all()]
    said = ["event: loss jumped", "2 events (1 warning): the best so far to slower", "info event: better still"]
    assert names == ["2 checkpoints: step_10.pt to step_10b.pt", "checkpoint: step_100.pt", *said]
    shapes = stage.locator(".rail-event path").evaluate_all(
        "(found) => found.map((one) => [one.getAttribute('d'), one.getAttribute('fill')].join())"
    )
    assert len(set(shapes)) == 3, "a severity is told by form and colour"
    edge = stage.locator(".rail-checkpoint").last
    assert edge.evaluate("(one) => one.style.left") == "100%", "a step beyond the axis"
    stage.locator(".rail-mark").first.focus()
    stage.keyboard.press("ArrowRight")
    assert stage.locator(".rail-said").text_content() == "event: loss jumped (step 50)"
    assert _cursor(stage) == "step 50"
    assert stage.locator(".rail-list summary").text_content() == "8 marks as a list (1 without a place on this axis)"
    stage.locator(".rail-list summary").click()
    assert len(stage.locator(".rail-list li").all()) == 8
    from axe_playwright_python.sync_playwright import Axe  # not there where there is no browser either

    assert Axe().run(stage).response["violations"] == []


def test_a_chart_has_a_name_and_roles(stage: Page) -> None:
    _make(stage, lines=f"[line({FLAT}), line([], {{ key: 'b', label: 'val', colour: 1, scale: 'y2' }})]")
    label = stage.get_by_role("img").get_attribute("aria-label") or ""
    assert label.startswith("Loss: 2 lines. Last values: loss 1 at step 99, val no points.")
    assert stage.locator(".chart-plot").get_attribute("tabindex") == "0"
