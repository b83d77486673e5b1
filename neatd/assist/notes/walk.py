"""The tree of a markdown file to records, in order. Pure. Which line belongs to which record is settled in `lines.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from neatd.assist.notes import fenced, fences, merged, shell
from neatd.assist.notes.apart import apart
from neatd.assist.notes.blocks import Block
from neatd.assist.notes.cells import Table
from neatd.assist.notes.context import Here, place_of
from neatd.assist.notes.entities import entity_kind
from neatd.assist.notes.fields import label_of
from neatd.assist.notes.findings import Thing
from neatd.assist.notes.joining import joined, paired, parted, tells_commands, unalerted
from neatd.assist.notes.kinds_of import kind_of
from neatd.assist.notes.marks import marked
from neatd.assist.notes.merged import MERGED, Piece
from neatd.assist.notes.names import Source
from neatd.assist.notes.outline import Node
from neatd.assist.notes.parts import field_of, last_line, node_parts, parts_of, raw_of
from neatd.assist.notes.plain import bare, cut, has_words, plain
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.said import is_day
from neatd.assist.notes.scopes import inline_command, is_below, is_login, is_session_file, meta, root_of, scope_of
from neatd.assist.notes.sections import is_numbered, meaning
from neatd.assist.notes.tables import table_drafts
from neatd.assist.notes.things import make

_REFERENCE = re.compile(r"^\[[^\[\]]{1,120}\]:\s*\S+")
_GROUPS = frozenset(
    {
        "task",
        "decision",
        "bug",
        "insight",
        "lesson",
        "hypothesis",
        "challenge",
        "goal",
        "change",
        "preference",
        "style",
        "command",
        "document",
        "experiment",
        "service",
    }
)


@dataclass
class Heading:
    """A line that is no record: it goes to the first record below it, up to the line `end`."""

    lines: tuple[int, int]
    end: int


@dataclass
class Walk:
    """What is found so far. `source` are the file's lines as they are."""

    source: Sequence[str]
    name: str
    origin: Source
    drafts: list[Draft] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    merging: dict[tuple[str, int], tuple[Node, list[Piece], str]] = field(default_factory=dict)
    named: set[tuple[str, int, int]] = field(default_factory=set)
    here_section: str = ""

    def run(self, root: Node) -> None:
        """Everything under `root` becomes drafts."""
        self.visit(root, Here(kind=self.origin.kind, source=self.origin), None)
        for (kind, _), (node, pieces, section) in self.merging.items():
            self._finish(kind, node, pieces, section)
        self.drafts.sort(key=lambda one: (one.lines or list(one.cites) or [0])[0])

    def _finish(self, kind: str, node: Node, pieces: list[Piece], section: str) -> None:
        """The record of a whole section; pieces that describe no machine after all are what is known of the place."""
        if kind == "machine" and not merged.is_machine(pieces):
            here = place_of(node, self.origin)._replace(kind="insight")
            for piece in pieces:
                one = make("insight", Thing(marked(piece.text), parts_of([], ()), piece.lines, here))
                one.fields.update({"body": piece.raw} if "\n" in piece.raw else {})
                one.section = section
                self.drafts.append(one)
            return
        made = meta(node.title, pieces, self.name) if kind == "meta" else getattr(merged, kind)(node.title, pieces)
        made.section = section
        self.drafts.append(made)

    def visit(self, node: Node, here: Here, above: Here | None) -> None:
        """A heading and all below it. `above` is the place around it, `here` the place in it."""
        if above is not None and (kind := entity_kind(node, above)):
            self._entity(kind, node, here, above)
            return
        if (
            above is not None
            and all(block.kind == "rule" for block in node.blocks)
            and not node.children
            and self._leaf(node, here, above)
        ):
            return
        if node.level:
            self.headings.append(Heading(node.lines, last_line(node)))
        self._day(node, here)
        self.here_section = node.section()
        self.blocks(node, node.blocks, here)
        for child in paired(node.children):
            self.visit(child, here.under(child.text, child.level), here)

    def _day(self, node: Node, here: Here) -> None:
        """A heading that is nothing but a date is a session, though all below it are records of their own."""
        is_title = node.level == 1 and node.parent is not None and len(node.parent.children) == 1
        if (
            0 < node.level < 7
            and not is_title
            and (node.blocks or node.children)
            and here.kind in ("", "session", "assessment")
            and not here.source.is_changelog
            and is_day(node.title)
        ):
            self.merge("session", node, Piece(node.text, "", tuple(range(node.lines[0], node.lines[1] + 1))))

    def _leaf(self, node: Node, here: Here, above: Here) -> bool:
        """Whether a heading with nothing below it is a record: a field with its value, or a thing of the kind above."""
        label = label_of(node.text)
        lines = tuple(range(node.lines[0], node.lines[1] + 1))
        self.here_section = node.parent.section() if node.parent else ""
        if (
            label
            and label.value
            and (kind := kind_of(marked(node.text), label, above._replace(kind="", is_default=True), False))
            in ("session", "meta")
        ):
            self.merge(
                "session" if is_session_file(node) else kind, node.parent or node, Piece(node.text, node.text, lines)
            )
            return True
        told = meaning(node.title)
        if (
            above.is_default
            or above.kind not in _GROUPS
            or above.source.is_changelog
            or (told.kind and told.share >= 1.0 and not is_numbered(node.title))
        ):
            return False
        made = self.add(
            make(
                above.kind,
                Thing(
                    marked(node.text),
                    (),
                    lines,
                    here._replace(kind=above.kind, about=above.about, told=above.told),
                    is_heading=True,
                ),
            )
        )
        return bool(made)

    def _entity(self, kind: str, node: Node, here: Here, above: Here) -> None:
        """A heading that is one record with all below it."""
        front = [block for block in root_of(node).blocks if block.kind == "front"] if node.level == 1 else []
        whole, apart = parted(node) if kind == "experiment" else (node, [])
        parts = node_parts(self.source, whole)
        inside = {line for child in apart for line in range(child.lines[0], last_line(child) + 1)}
        lines = [line for line in range(node.lines[0], last_line(node) + 1) if line not in inside]
        for block in front:
            inner = Block("paragraph", (block.lines[0] + 1, block.lines[1] - 1), block.text)
            parts += parts_of(self.source, [inner])
            lines = [*range(block.lines[0], block.lines[1] + 1), *lines]
            self.merging.pop(("meta", id(node)), None)
        place = here._replace(kind=kind, status=above.status, about=above.about, told=above.told)
        made = make(kind, Thing(marked(node.text), parts, lines, place, is_heading=True))
        made.section = node.parent.section() if node.parent else ""
        self.drafts.append(made)
        for child in apart:
            self.visit(child, here.under(child.text, child.level), here)

    def blocks(self, node: Node, found: Sequence[Block], here: Here) -> None:
        """The blocks right below a heading."""
        last: Draft | None = None
        told: Block | None = None  # a line that says what the commands below it are for
        together = joined(apart(found), here)
        for at, block in enumerate(together):
            before = len(self.drafts)
            if told is None and tells_commands(block, together[at + 1 : at + 2], here):
                told = block
                continue
            if told is not None:
                self.extend(fenced.commands(block, bare(told.text).rstrip(".:")))
                if len(self.drafts) > before:
                    self.drafts[before].lines.insert(0, told.lines[0])
                last, told = None, None
                continue
            if block.kind == "item":
                self.item(node, block, here)
            elif block.kind == "paragraph":
                self.paragraph(node, block, here)
            elif block.kind == "fence":
                self.fence(node, block, here, last)
            elif block.kind == "table":
                self.table(node, block, here)
            elif block.kind == "quote":
                self.blocks(node, unalerted(block.children), here)
            elif block.kind == "heading":  # in a quote
                self.headings.append(Heading(block.lines, found[-1].lines[1]))
            elif block.kind in ("comment", "front"):
                self.aside(node, block)
            last = self.drafts[-1] if len(self.drafts) > before else None

    def add(self, made: Draft) -> Draft:
        made.section = made.section or self.here_section
        self.drafts.append(made)
        return made

    def extend(self, made: Sequence[Draft]) -> None:
        for one in made:
            self.add(one)

    def merge(self, kind: str, node: Node, piece: Piece) -> None:
        """A piece of a record that a whole section makes together."""
        scope = scope_of(node, kind, self.origin)
        section = scope.parent.section() if scope.parent else ""
        key = (kind, id(scope), id(node))
        if kind == "session" and node is not scope and node.level and key not in self.named:
            piece = piece._replace(raw=f"{node.title}:\n{piece.raw}")  # the headings below a session's are words of it
        self.named.add(key)
        self.merging.setdefault((kind, id(scope)), (scope, [], section))[1].append(piece)

    def item(self, node: Node, block: Block, here: Here) -> None:
        """A list item: a record with what is nested in it; a heading, when its name tells what its own items are."""
        if not has_words(block.text) and not block.children:
            return
        mark = marked(block.text)
        label = label_of(mark.text)
        lines = range(block.lines[0], block.lines[1] + 1)
        inner = [child for child in block.children if child.kind == "item"]
        if label and not label.value and inner and self._is_group(label.name, here):
            first = block.children[0].lines[0]
            self.headings.append(Heading((block.lines[0], max(block.lines[0], first - 1)), block.lines[1]))
            section, self.here_section = self.here_section, f"{self.here_section} / {bare(label.name)}"
            self.blocks(node, block.children, here.under(label.name, 7))
            self.here_section = section
            return
        kind = kind_of(mark, label, here, True)
        raw = raw_of(self.source, block.lines)
        boxes = [child for child in inner if marked(child.text).is_box] if kind == "task" else []
        if not boxes:
            self.piece(kind, node, block, here, raw, tuple(lines))
            return
        known = {box.lines[0] for box in boxes}
        rest = [child for child in block.children if child.lines[0] not in known]
        inside = {line for box in boxes for line in range(box.lines[0], box.lines[1] + 1)}
        own = [line for line in lines if line not in inside]
        parent = self.add(make("task", Thing(mark, parts_of(self.source, rest), own, here)))
        for box in boxes:
            before = len(self.drafts)
            self.item(node, box, here)
            for one in self.drafts[before:]:
                one.parent = one.parent or parent

    def _is_group(self, name: str, here: Here) -> bool:
        told = meaning(name)
        if merged.is_session_fact(name):
            return False
        if told.share < 1.0 or told.is_weak or told.kind not in _GROUPS or (here.kind and field_of(here.kind, name)):
            return False
        return (
            here.is_default
            or here.kind in ("", "assessment", "session")
            or (told.kind == here.kind and here.kind == "task")
        )

    def paragraph(self, node: Node, block: Block, here: Here) -> None:
        """A paragraph: one record, or one a line where the lines are fields, or the file's references."""
        rows = block.text.split("\n")
        if all(_REFERENCE.match(row.strip()) for row in rows):
            lines = range(block.lines[0], block.lines[1] + 1)
            self.add(draft("document", f"Links: {plain(rows[0])}"[:120], block.text, lines))
            return
        if block.children:
            whole = raw_of(self.source, block.lines)
            self.piece("", node, block, here, whole, tuple(range(block.lines[0], block.lines[1] + 1)))
            return
        labels = [label_of(row.strip()) for row in rows]
        are_fields = labels[0] and (len(rows) == 1 or sum(bool(one) for one in labels) * 10 >= len(rows) * 7)
        if not are_fields or (
            len(rows) > 1 and not all(one is None or one.is_bold or len(one.name) < 30 for one in labels)
        ):
            self.piece("", node, block, here, block.text, tuple(range(block.lines[0], block.lines[1] + 1)))
            return
        self._fields(node, block, here, rows)

    def _fields(self, node: Node, block: Block, here: Here, rows: list[str]) -> None:
        """Lines that are fields, each a record of its own; those of a session together."""
        groups: list[list[int]] = []
        for at, row in enumerate(rows):
            if label_of(row.strip()) or not groups:
                groups.append([at])
            else:
                groups[-1].append(at)
        kinds = []
        for group in groups:
            text = "\n".join(rows[at].strip() for at in group)
            mark = marked(text)
            kinds.append((kind_of(mark, label_of(mark.text), here, False), text, group))
        facts = next((kind for kind, _, _ in kinds if kind in ("session", "meta")), "")
        for kind, text, group in kinds:
            if facts and kind in ("", "note", "assessment", "insight", "meta", "session", "change", "none"):
                kind = "session" if any(one == "session" for one, _, _ in kinds) else facts
            lines = tuple(block.lines[0] + at for at in group)
            self.piece(kind, node, Block("paragraph", (lines[0], lines[-1]), text), here, text, lines)

    def piece(self, kind: str, node: Node, block: Block, here: Here, raw: str, lines: tuple[int, ...]) -> None:
        """The record of an item or paragraph, or a piece of its section's."""
        mark = marked(block.text)
        kind = kind or kind_of(mark, label_of(mark.text), here, block.kind == "item")
        if kind == "none":
            words = f"{here.about}: {plain(block.text)}" if here.about and len(plain(block.text)) < 60 else block.text
            self.add(draft("assessment", cut(bare(words)), raw, lines, component=here.about))
            return
        if kind == "meta" and is_session_file(node):
            kind = "session"
        if kind in MERGED or kind == "meta":
            self.merge(kind, node, Piece(mark.text, raw, lines))
            return
        if kind == "command" and (made := inline_command(mark.text, raw, here, lines)):
            self.add(made)
            return
        if (label := label_of(mark.text)) and kind != here.kind and (told := meaning(label.name)).kind == kind:
            here = here._replace(status=told.status)
        thing = Thing(mark, parts_of(self.source, block.children), lines, here)
        self.add(make(kind if kind != "command" else "insight", thing))

    def fence(self, node: Node, block: Block, here: Here, last: Draft | None) -> None:
        """A fence: commands, a machine's fields, before and after, services, a tree; else a part of what is above it."""
        lines = tuple(range(block.lines[0], block.lines[1] + 1))
        text = block.text.strip("\n")
        if not has_words(text):
            return
        about = here.about if here.about != here.told else ""
        if here.kind in ("machine", "session", "phase") or (here.kind == "test" and merged.is_test_fact(text)):
            self.merge(here.kind, node, Piece(text.split("\n", 1)[0], text, lines))
        elif pair := fences.before_after(text):
            title = f"{here.about}: {pair[0]} → {pair[1]}" if here.about else f"{pair[0]} → {pair[1]}"
            self.add(draft("change", cut(title), text, lines, before=pair[0], after=pair[1], status="done"))
        elif shell.is_shell(block.mark, block.text) and is_login(text) and is_below(node, "machine", self.origin):
            self.merge("machine", node, Piece(text.split("\n", 1)[0], text, lines))
        elif shell.is_shell(block.mark, block.text):
            self.extend(fenced.commands(block, about or (here.about if here.kind != "command" else "")))
        elif fences.is_tree(text) and not re.match(r"services?\b", text, re.I):
            title = f"{here.about or 'Files'}: {text.strip().splitlines()[0].strip()}"
            self.add(draft("document", cut(title), text, lines))
        elif here.kind == "service" or re.match(r"services?(?: running)?\b", text, re.I):
            self.extend(fenced.services(block, here))
        elif last is not None and last.lines and last.kind not in MERGED:
            last.lines += lines
            last.fields["body"] = (
                f"{last.fields.get('body') or last.fields['title']}\n{raw_of(self.source, block.lines)}"
            )
        else:
            self.add(fenced.other(block, here))

    def table(self, node: Node, block: Block, here: Here) -> None:
        """The records of a table; its head goes with the first."""
        table = Table(block)
        if here.kind in MERGED and len(table.head) == 2 and here.kind != "phase":
            lines = tuple(range(block.lines[0], block.lines[1] + 1))
            rows = "\n".join(f"{bare(row[0])}: {plain(row[1])}" for _, row in table.rows)
            self.merge(here.kind, node, Piece(rows, rows, lines))
            return
        found = table_drafts(table, here)
        for made in found:
            self.add(made)
        if found:
            found[0].lines = [block.lines[0], block.lines[0] + 1, *found[0].lines]
            found[0].cites = tuple(found[0].cites) or tuple(found[0].lines)
        else:
            self.headings.append(Heading(block.lines, last_line(node)))

    def aside(self, node: Node, block: Block) -> None:
        """A comment is a note; front matter tells of the file."""
        lines = tuple(range(block.lines[0], block.lines[1] + 1))
        if block.kind == "front":
            self.merge("session" if is_session_file(node) else "meta", node, Piece("", block.text, lines))
            return
        text = block.text.replace("<!--", "").replace("-->", "").strip()
        if has_words(text):
            self.add(draft("note", cut(bare(text)), text, lines))
