"""A report of a long session and a guide for assistants: same structure as people write, other words."""

from __future__ import annotations

from neatd.assist.notes.parse import Notes, Parsed, parse


def typed_share(notes: Notes) -> float:
    return sum(len(one.lines) for one in notes.records if one.kind != "note") / notes.lines


def of(notes: Notes, kind: str) -> list[Parsed]:
    return [one for one in notes.records if one.kind == kind]


def titles(notes: Notes, kind: str) -> list[object]:
    return [one.fields["title"] for one in of(notes, kind)]


REPORT = """\
# Session Complete - 2025-11-12

**Duration:** ~3 hours

## ✅ What Was Accomplished

### 1. **Leak Closed** 🔧
- **Problem:** 50-60GB of RAM
- **Root cause:** the whole set was tokenized at once
- **Fix:** chunks of 1000
- **Result:** less memory (50GB → 15GB peak)
- **Files:** train.py (2 places)

### 2. **Monitor Added**
- **New panel** with alerts
- **Files:** monitor.py, ui.html

## 📊 Impact Metrics

### Disk
```
Before:  1004GB used
After:   533GB used
```

## Current System Status

### Services (All Running)
```
✅ Training daemon (PID 28)
✅ Monitor (port 8080)
```

## Recommended Next Steps

### Immediate (Done)
- ✅ Set up monitoring

### Short-Term (Next 24-48 Hours)
1. **Let training complete**

## Quick Reference Card

**Guide:** `cat README.md`
**Live UI:** http://localhost:8080/ui.html

---

**Status:** ✅ COMPLETE
"""


def test_a_report_gives_bugs_changes_services_and_horizons() -> None:
    """The structure of a report of what a long session achieved."""
    notes = parse(REPORT, "SESSION_COMPLETE.md")
    assert typed_share(notes) >= 0.9 and not notes.unplaced
    (bug,) = of(notes, "bug")
    assert (bug.fields["before"], bug.fields["after"], bug.fields["file"]) == ("50GB", "15GB peak", ("train.py",))
    assert bug.fields["cause"] == "the whole set was tokenized at once" and bug.fields["status"] == "fixed"
    monitor, disk = of(notes, "change")
    assert monitor.fields["file"] == ("monitor.py", "ui.html")
    assert (disk.fields["before"], disk.fields["after"]) == ("1004GB used", "533GB used")
    assert [one.fields.get("status") for one in of(notes, "service")] == ["running", "running", None]
    assert [(one.fields["status"], one.fields.get("horizon")) for one in of(notes, "task")] == [
        ("done", None),
        ("open", "24-48h"),
    ]
    assert [(one.fields["title"], one.fields["about"]) for one in of(notes, "command")] == [("cat README.md", "Guide")]
    assert of(notes, "service")[2].fields["url"] == "http://localhost:8080/ui.html"


GUIDE = """\
# CLAUDE.md - Project Pebble

## Always Do This
- Read @PLAN and @DESIGN.md before you begin.
- Never skip a failing test.

## Build & Test Commands
- Run all tests: `python3 -m pytest tests/`

## Code Style Guidelines
- Constructors first: `__init__`, then public methods

## Progress and Insights

### Memory System (Completed 1.4.2)
- **Key Insight 1**: Decay has to depend on the context's length.

## Reflections

### Current State Assessment (Updated: 2025-03-14)
Phase 2.2.1 is done and gradients are coordinated. The parts work together.

### Lessons Learned from Phases 2.1-2.2.1
1. **Locks**: timeouts prevent deadlocks

### Upcoming Challenges
1. **Data**: tasks that show the advantage:
   - long contexts

### Long-Term Vision
Small parts together beat one large model.
"""


def test_a_guide_for_assistants_gives_rules_commands_style_and_insights() -> None:
    """The structure of a CLAUDE.md that is also a diary; its insights stay in every brief."""
    notes = parse(GUIDE, "CLAUDE.md")
    assert typed_share(notes) >= 0.9 and not notes.unplaced
    (document,) = of(notes, "document")
    assert document.fields["must_read"] is True and document.fields["path"] == "PLAN"
    assert titles(notes, "preference") == ["Never skip a failing test."]
    (command,) = of(notes, "command")
    assert (command.fields["title"], command.fields["about"]) == ("python3 -m pytest tests/", "Run all tests")
    assert titles(notes, "style") == ["Constructors first: __init__, then public methods"]
    (insight,) = of(notes, "insight")
    assert insight.fields == {
        "title": "Decay has to depend on the context's length.",
        "component": "Memory System",
        "phase": "1.4.2",
        "forever": True,
    }
    assert of(notes, "lesson")[0].fields["phase"] == "2.1-2.2.1"
    assert of(notes, "challenge")[0].fields["body"] == "- long contexts"
    assert of(notes, "goal")[0].fields["horizon"] == "later" and len(of(notes, "assessment")) == 1
