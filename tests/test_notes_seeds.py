"""One file for each kind of notes people keep: same structure, other words. At least nine tenths of its lines are typed."""

from __future__ import annotations

from collections import Counter

from neatd.assist.notes.parse import Notes, Parsed, parse


def typed_share(notes: Notes) -> float:
    return sum(len(one.lines) for one in notes.records if one.kind != "note") / notes.lines


def of(notes: Notes, kind: str) -> list[Parsed]:
    return [one for one in notes.records if one.kind == kind]


def titles(notes: Notes, kind: str) -> list[object]:
    return [one.fields["title"] for one in of(notes, kind)]


LAB = """\
# Notes Across Sessions

Kept by hand.

## GPU Box

```
Host: trainer@192.0.2.7
Port: 2222
Key: ~/.ssh/box_ed25519
GPU: A100 (40GB)
Driver: 550.90
Provider: Example Cloud
```

**SSH Command:**
```bash
ssh -i ~/.ssh/box_ed25519 trainer@192.0.2.7 -p 2222
```

## Current Status

- [x] Loader ported
- [ ] Metric of the competition runs

## Experiment Progress

| Experiment | Val Dice | vs Baseline | Status | Notes |
|------------|----------|-------------|--------|-------|
| baseline   | 0.1373   | —           | done   | small net, 300 samples |

## Hypotheses to Test

1. **Larger patches**: val/dice > 0.20 with 160 voxels

## Bugs / Issues Encountered

- **Fixed**: out of memory with all 806 volumes
  - Solution: added `--max-samples`
  - the box has 58 GB
  - Future fix: load lazily

## Next Session Priorities

1. ~~Reach the box~~ ✓ Done
2. Train the baseline

---

## Session History

### Session 2026-02-05

**Completed:**
- Wrote the baseline

**Results:**
```
Baseline: Val Dice 0.1373, Train Loss 0.5822
```
"""


def test_a_lab_book_gives_machine_checklist_table_hypotheses_and_bugs() -> None:
    """The structure of a notes file of one person with a rented machine."""
    notes = parse(LAB, "notes.md")
    assert typed_share(notes) >= 0.9 and not notes.unplaced
    (machine,) = of(notes, "machine")
    assert machine.fields["host"] == "trainer@192.0.2.7" and machine.fields["port"] == "2222"
    assert machine.fields["gpu"] == "A100 (40GB)" and "192.0.2.7" not in str(machine.fields["title"])
    assert Counter(one.fields["status"] for one in of(notes, "task")) == {"done": 3, "open": 2}
    (baseline,) = of(notes, "experiment")
    assert (baseline.fields["metric"], baseline.fields["value"], baseline.fields["status"]) == ("Val Dice", 0.1373, "done")
    assert baseline.fields["params"] == {"Status": "done", "Notes": "small net, 300 samples"}
    (hypothesis,) = of(notes, "hypothesis")
    assert hypothesis.fields["predict"] == "val/dice > 0.20"
    (bug,) = of(notes, "bug")
    assert bug.fields["fix"] == "added --max-samples" and bug.fields["follow_up"] == "load lazily"
    assert bug.fields["status"] == "fixed" and bug.lines == (38, 40, 41, 42, 43)
    assert bug.fields["body"] == "- the box has 58 GB"


HANDOFF = """\
# Session Handoff - 2025-12-19 ~11:00

## Current State

### Branch & Git
- **Branch**: main
- **Last commit**: `08ce7dd` feat: mend the logs
- **Uncommitted changes**:
  - `docs/results.csv` - updated
  - `scripts/run.sh` - NEW (untracked)

### Project Phase
- **Phase 6A**: Scaling - IN PROGRESS
- **Status**: search is running

## Test Status
- **Last `make test`**: PASS (342 tests) - this session
- **Failing**: none

## Search Progress

| Experiment | Trials | Best val_loss | Best Architecture |
|------------|--------|---------------|-------------------|
| 200M_h1 | 46/50 | 0.3633 | d=1024, L=12 |
| **200M_h3** | **50/50 COMPLETE** | **0.3081** | **d=768, L=24** |

## Manual Test Queue (2 tests)

| # | Config | d_ff | Params | Task | Notes |
|---|--------|------|--------|------|-------|
| 1 | d=1024, L=20, h=16 | 2048 | 168M | **h1** | between 16 and 24 |
| 2 | d=1024, L=20, h=16 | 2048 | 168M | **h3** | between 16 and 24 |

## Grid of Results

| Budget | h1 (1-day) | h3 (3-day) |
|--------|------------|------------|
| **2M** | 0.3199 | **0.2630** |
| **20M** | 0.3483 | — |

## Key Decisions Made This Session
1. **Queue first**: the manual tests run before the next search

## Files Modified This Session
- None (only watched)

## Data Versions
- Raw manifest: 2 entries

## Commands to Run
```bash
make test

# Look at the search
tmux capture-pane -t search -p | tail -20
python -c "
import json
print('it works')
"
```

## User Preferences (Authoritative)

### Testing Habits
- Tests first, always
"""


def test_a_handoff_gives_git_tests_queue_grid_and_preferences() -> None:
    """The structure of a handoff that an assistant writes at the end of a session."""
    notes = parse(HANDOFF, "session_context.md")
    assert typed_share(notes) >= 0.9 and not notes.unplaced
    (session,) = of(notes, "session")
    assert session.fields["started"] == "2025-12-19 11:00" and session.fields["file"] == ("docs/results.csv", "scripts/run.sh")
    (test,) = of(notes, "test")
    assert (test.fields["command"], test.fields["passed"], test.fields["failed"]) == ("make test", 342, 0)
    (phase,) = of(notes, "phase")
    assert (phase.fields["title"], phase.fields["status"]) == ("Phase 6A: Scaling", "IN PROGRESS")
    assert titles(notes, "decision") == ["Queue first: the manual tests run before the next search"]
    assert [one.fields["about"] for one in of(notes, "preference")] == ["Testing Habits"]
    commands = of(notes, "command")
    assert titles(notes, "command")[:2] == ["make test", "tmux capture-pane -t search -p | tail -20"]
    assert commands[1].fields["about"] == "Look at the search"
    assert str(commands[2].fields["body"]).endswith("print('it works')\n\"")
    assert "Files Modified This Session: None (only watched)" in titles(notes, "assessment")


def test_rows_of_a_queue_and_cells_of_a_grid_come_back_as_fields() -> None:
    """Parameters are numbers next to the cell as it is written; a bold cell is the best one."""
    trials = of(parse(HANDOFF, "session_context.md"), "experiment")
    running, finished, first, second, *cells = trials
    assert running.fields["status"] == "running" and finished.fields["status"] == "done"
    assert finished.fields["value"] == 0.3081 and finished.fields["metric"] == "Best val_loss"
    assert finished.fields["params"] == {"Trials": "50/50 COMPLETE", "Best Architecture": "d=768, L=24", "d": 768, "L": 24}
    assert first.fields["params"] == {
        "#": 1, "Config": "d=1024, L=20, h=16", "d_ff": 2048, "Params": "168M", "Task": "h1", "Notes": "between 16 and 24",
        "d": 1024, "L": 20, "h": 16,
    }  # fmt: skip
    assert first.fields["status"] == "planned" and first.fields["title"] != second.fields["title"]
    assert [(one.fields["value"], one.fields["params"]["h"]) for one in cells] == [(0.3199, 1), (0.263, 3), (0.3483, 1)]  # type: ignore[index]
    assert cells[1].fields["tags"] == ("best",) and cells[1].lines == () and cells[1].cites == cells[0].cites[-1:]


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
    assert [one.fields["status"] for one in of(notes, "service")][:2] == ["running", "running"]
    assert [(one.fields["status"], one.fields.get("horizon")) for one in of(notes, "task")] == [("done", None), ("open", "24-48h")]
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
        "title": "Decay has to depend on the context's length.", "component": "Memory System", "phase": "1.4.2", "forever": True,
    }  # fmt: skip
    assert of(notes, "lesson")[0].fields["phase"] == "2.1-2.2.1"
    assert of(notes, "challenge")[0].fields["body"] == "- long contexts"
    assert of(notes, "goal")[0].fields["horizon"] == "later" and len(of(notes, "assessment")) == 1
