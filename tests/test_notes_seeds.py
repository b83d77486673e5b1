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
    assert (baseline.fields["metric"], baseline.fields["value"], baseline.fields["status"]) == (
        "Val Dice",
        0.1373,
        "done",
    )
    assert baseline.fields["params"] == {"Status": "done", "Notes": "small net, 300 samples"}
    (hypothesis,) = of(notes, "hypothesis")
    assert hypothesis.fields["predict"] == "val/dice > 0.20"
    (bug,) = of(notes, "bug")
    assert bug.fields["fix"] == "added --max-samples" and bug.fields["follow_up"] == "load lazily"
    assert bug.fields["status"] == "fixed" and bug.lines == (36, 38, 39, 40, 41)
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
    assert session.fields["started"] == "2025-12-19 11:00" and session.fields["file"] == (
        "docs/results.csv",
        "scripts/run.sh",
    )
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
    assert finished.fields["params"] == {
        "Trials": "50/50 COMPLETE",
        "Best Architecture": "d=768, L=24",
        "d": 768,
        "L": 24,
    }
    assert first.fields["params"] == {
        "#": 1,
        "Config": "d=1024, L=20, h=16",
        "d_ff": 2048,
        "Params": "168M",
        "Task": "h1",
        "Notes": "between 16 and 24",
        "d": 1024,
        "L": 20,
        "h": 16,
    }
    assert first.fields["status"] == "planned" and first.fields["title"] != second.fields["title"]
    assert [(one.fields["value"], one.fields["params"]["h"]) for one in cells] == [(0.3199, 1), (0.263, 3), (0.3483, 1)]  # type: ignore[index]
    assert cells[1].fields["tags"] == ("best",) and cells[1].lines == () and cells[1].cites == cells[0].cites[-1:]
