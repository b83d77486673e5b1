"""The tree of a markdown file to records, in order. Pure. Which line belongs to which record is settled in `lines.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from neatd.assist.notes import fences, merged, shell
from neatd.assist.notes.blocks import Block
from neatd.assist.notes.cells import Table
from neatd.assist.notes.context import Here, place_of
from neatd.assist.notes.entities import entity_kind
from neatd.assist.notes.fields import date_of, label_of, metric_in
from neatd.assist.notes.kinds_of import default_kind, kind_of
from neatd.assist.notes.marks import marked
from neatd.assist.notes.merged import MERGED, Piece
from neatd.assist.notes.names import Source
from neatd.assist.notes.outline import Node
from neatd.assist.notes.parts import field_of, last_line, node_parts, parts_of, raw_of
from neatd.assist.notes.plain import bare, cut, has_words, plain
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.sections import is_numbered, meaning
from neatd.assist.notes.tables import table_drafts
from neatd.assist.notes.things import Thing, make

_REFERENCE = re.compile(r"^\[[^\[\]]{1,120}\]:\s*\S+")
_ALERT = re.compile(r"^\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*", re.I)
_CODE = re.compile(r"`([^`\n]{1,1000})`")
_APART = frozenset({"task", "bug", "decision", "hypothesis", "lesson", "challenge"})  # records of their own in an experiment
_FIELDED = frozenset({"decision", "bug", "hypothesis"})
_TOLD_TOGETHER = frozenset({"", "insight", "assessment", "note", "session", "lesson"})
_GROUPS = frozenset({"task", "decision", "bug", "insight", "lesson", "hypothesis", "challenge", "goal", "change", "preference", "style", "command",
                     "document", "experiment", "service"})  # fmt: skip


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
        made = _META(node.title, pieces, self.name) if kind == "meta" else getattr(merged, kind)(node.title, pieces)
        made.section = section
        self.drafts.append(made)

    def visit(self, node: Node, here: Here, above: Here | None) -> None:
        """A heading and all below it. `above` is the place around it, `here` the place in it."""
        if above is not None and (kind := entity_kind(node, above)):
            self._entity(kind, node, here, above)
            return
        if above is not None and not node.blocks and not node.children and self._leaf(node, here, above):
            return
        if node.level:
            self.headings.append(Heading(node.lines, last_line(node)))
        self.here_section = node.section()
        self.blocks(node, node.blocks, here)
        for child in paired(node.children) if here.kind == "decision" else node.children:
            self.visit(child, here.under(child.text, child.level), here)

    def _leaf(self, node: Node, here: Here, above: Here) -> bool:
        """Whether a heading with nothing below it is a record: a field with its value, or a thing of the kind above."""
        label = label_of(node.text)
        lines = tuple(range(node.lines[0], node.lines[1] + 1))
        self.here_section = node.parent.section() if node.parent else ""
        if label and label.value and (kind := kind_of(marked(node.text), label, above._replace(kind="", is_default=True), False)) in ("session", "meta"):
            self.merge("session" if _is_session_file(node) else kind, node.parent or node, Piece(node.text, node.text, lines))
            return True
        told = meaning(node.title)
        if above.is_default or above.kind not in _GROUPS or above.source.is_changelog or (told.kind and told.share >= 1.0 and not is_numbered(node.title)):
            return False
        made = self.add(make(above.kind, Thing(marked(node.text), (), lines, here._replace(kind=above.kind, about=above.about, told=above.told), is_heading=True)))
        return bool(made)

    def _entity(self, kind: str, node: Node, here: Here, above: Here) -> None:
        """A heading that is one record with all below it."""
        front = [block for block in _root(node).blocks if block.kind == "front"] if node.level == 1 else []
        apart = [child for child in node.children if kind == "experiment" and meaning(child.title).kind in _APART and meaning(child.title).share >= 1.0]
        whole = Node(node.text, node.level, node.lines, node.blocks, [child for child in node.children if child not in apart], node.parent)
        parts = node_parts(self.source, whole)
        inside = {line for child in apart for line in range(child.lines[0], last_line(child) + 1)}
        lines = [line for line in range(node.lines[0], last_line(node) + 1) if line not in inside]
        for block in front:
            parts += [part for part in parts_of(self.source, [block._replace(kind="paragraph")]) if part.raw.strip(" -")]
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
        for block in _joined(found, here):
            before = len(self.drafts)
            if block.kind == "item":
                self.item(node, block, here)
            elif block.kind == "paragraph":
                self.paragraph(node, block, here)
            elif block.kind == "fence":
                self.fence(node, block, here, last)
            elif block.kind == "table":
                self.table(node, block, here)
            elif block.kind == "quote":
                self.blocks(node, _unalerted(block.children), here)
            elif block.kind == "heading":  # in a quote
                self.headings.append(Heading(block.lines, found[-1].lines[1]))
            elif block.kind in ("comment", "front"):
                self.aside(node, block)
            last = self.drafts[-1] if len(self.drafts) > before else None

    def add(self, made: Draft) -> Draft:
        made.section = made.section or self.here_section
        self.drafts.append(made)
        return made

    def merge(self, kind: str, node: Node, piece: Piece) -> None:
        """A piece of a record that a whole section makes together."""
        scope = _scope(node, kind, self.origin)
        section = scope.parent.section() if scope.parent else ""
        self.merging.setdefault((kind, id(scope)), (scope, [], section))[1].append(piece)

    def item(self, node: Node, block: Block, here: Here) -> None:
        """A list item: a record with what is nested in it; a heading, when its name tells what its own items are."""
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
        return here.is_default or here.kind in ("", "assessment", "session") or (told.kind == here.kind and here.kind == "task")

    def paragraph(self, node: Node, block: Block, here: Here) -> None:
        """A paragraph: one record, or one a line where the lines are fields, or the file's references."""
        rows = block.text.split("\n")
        if all(_REFERENCE.match(row.strip()) for row in rows):
            lines = range(block.lines[0], block.lines[1] + 1)
            self.add(draft("document", f"Links: {plain(rows[0])}"[:120], block.text, lines))
            return
        labels = [label_of(row.strip()) for row in rows]
        are_fields = labels[0] and (len(rows) == 1 or sum(bool(one) for one in labels) * 10 >= len(rows) * 7)
        if not are_fields or (len(rows) > 1 and not all(one is None or one.is_bold or len(one.name) < 30 for one in labels)):
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
        if kind == "meta" and _is_session_file(node):
            kind = "session"
        if kind in MERGED or kind == "meta":
            self.merge(kind, node, Piece(mark.text, raw, lines))
            return
        if kind == "command" and (made := _inline_command(mark.text, raw, here, lines)):
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
        elif shell.is_shell(block.mark, block.text) and _is_login(text) and _below(node, "machine", self.origin):
            self.merge("machine", node, Piece(text.split("\n", 1)[0], text, lines))
        elif shell.is_shell(block.mark, block.text):
            self._commands(block, about or (here.about if here.kind != "command" else ""))
        elif fences.is_tree(text) and not re.match(r"services?\b", text, re.I):
            title = f"{here.about or 'Files'}: {text.strip().splitlines()[0].strip()}"
            self.add(draft("document", cut(title), text, lines))
        elif here.kind == "service" or re.match(r"services?(?: running)?\b", text, re.I):
            self._services(block, here)
        elif last is not None and last.lines and last.kind not in MERGED:
            last.lines += lines
            last.fields["body"] = f"{last.fields.get('body') or last.fields['title']}\n{raw_of(self.source, block.lines)}"
        else:
            self._other_fence(block, here, text, lines)

    def _other_fence(self, block: Block, here: Here, text: str, lines: tuple[int, ...]) -> None:
        words = text.split("\n", 1)[0]
        kind = here.kind
        if kind == "command":
            kind = "service" if re.match(r"https?://\S+$", text.strip()) else "insight"
        elif kind in ("experiment", "test", "task", "decision", "hypothesis", "goal", "lesson", "challenge", "bug", "document"):
            kind = "experiment" if kind == "experiment" and metric_in(text) else "insight"
        kind = kind or default_kind(here, words)
        made = make(kind, Thing(marked(fences.title_of(text, here.about)), (), lines, here))
        made.fields["body"] = text
        made.fields.update(dict(zip(("metric", "value"), metric_in(text) or (), strict=False)) if kind == "experiment" else {})
        self.add(made)

    def _services(self, block: Block, here: Here) -> None:
        """A service a line; the line that announces them belongs to the first."""
        rows = fences.rows_of(block.text)
        heads = [at for at, words in rows if re.match(r"services?(?: running)?\b.{0,40}$", words, re.I)]
        rest = [(at, words) for at, words in rows if at not in heads and words] or rows
        for number, (at, words) in enumerate(rest):
            lines = [block.lines[0] + 1 + at]
            if number == 0:
                lines = [block.lines[0], *(block.lines[0] + 1 + head for head in heads if head != at), *lines]
            self.add(make("service", Thing(marked(words), (), sorted(lines), here)))
        self.drafts[-1].lines += [line for line in range(self.drafts[-1].lines[-1] + 1, block.lines[1] + 1)]

    def _commands(self, block: Block, about: str) -> None:
        """The commands of a fence; its first and last line go with the first and last of them."""
        found = shell.commands(block.text)
        if not found:
            lines = range(block.lines[0], block.lines[1] + 1)
            self.add(draft("insight", fences.title_of(block.text.strip(), about), block.text.strip(), lines))
            return
        covered: set[int] = set()
        for one in found:
            lines = [block.lines[0] + 1 + row for row in one.rows]
            covered.update(lines)
            body = one.text if "\n" in one.text else ""
            made = self.add(draft("command", one.line or one.text, "", lines, about=one.about or about))
            if body:
                made.fields["body"] = body
        rest = [line for line in range(block.lines[0], block.lines[1] + 1) if line not in covered]
        self.drafts[-1].lines += [line for line in rest if line > block.lines[0]]
        self.drafts[-len(found)].lines.insert(0, block.lines[0])

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
            self.merge("session" if _is_session_file(node) else "meta", node, Piece("", block.text, lines))
            return
        text = block.text.replace("<!--", "").replace("-->", "").strip()
        if has_words(text):
            self.add(draft("note", cut(bare(text)), text, lines))


def _joined(found: Sequence[Block], here: Here) -> list[Block]:
    """The blocks, a text that ends in a colon with the list it announces as one, where the items are no records."""
    out: list[Block] = []
    for block in found:
        above = out[-1] if out else None
        if block.kind == "item" and above and above.kind == "paragraph" and here.kind in _FIELDED and "\n" not in above.text and _fills(block, here.kind):
            out[-1] = above._replace(lines=(above.lines[0], block.lines[1]), children=(*above.children, block))
        elif block.kind == "item" and above and above.kind == "paragraph" and above.text.rstrip(" *_").endswith(":") and here.kind in _TOLD_TOGETHER and not marked(block.text).is_box and not here.source.is_instructions:
            out[-1] = above._replace(lines=(above.lines[0], block.lines[1]), children=(*above.children, block))
        else:
            out.append(block)
    return out


def _fills(block: Block, kind: str) -> bool:
    """Whether an item is a field of the record that the line above it begins."""
    label = label_of(block.text)
    return bool(label) and bool(field_of(kind, label.name) or label.name.lower() in ("decision", "reversibility", "date")) if label else False


def paired(children: Sequence[Node]) -> list[Node]:
    """Headings "Decision", "Rationale", "Implementation details" in a row as one, for logs that repeat them."""
    out: list[Node] = []
    for child in children:
        name = child.title.lower().strip(": ")
        if out and out[-1].title.lower().strip(": ") == "decision" and re.fullmatch(r"rationale|context|alternatives(?: considered)?|consequences|implications|implementation details|impact", name):
            out[-1].children.append(child)
        else:
            out.append(child)
    return out


def _unalerted(found: Sequence[Block]) -> list[Block]:
    """The blocks of a quote without the `[!NOTE]` that colours it."""
    return [block._replace(text=_ALERT.sub("", block.text)) if block.kind == "paragraph" else block for block in found]


def _root(node: Node) -> Node:
    while node.parent is not None:
        node = node.parent
    return node


def _is_login(text: str) -> bool:
    """Whether all a fence holds is how to get onto a machine."""
    rows = [row.strip() for row in text.split("\n", 20)[:20] if row.strip() and not row.strip().startswith("#")]
    return bool(rows) and all(re.match(r"(?:\$ )?(?:ssh|mosh)\s", row) for row in rows)


def _below(node: Node, kind: str, origin: Source) -> bool:
    return any(place_of(one, origin).kind == kind for one in node.path())


def _is_session_file(node: Node) -> bool:
    """Whether a heading above says that this is a session's or a handoff's."""
    path = node.path() or [child for child in node.children if child.level == 1][:1]
    return any(meaning(one.title).kind == "session" for one in path)


def _scope(node: Node, kind: str, origin: Source) -> Node:
    """The heading whose record a piece belongs to."""
    path = node.path()
    if not path:
        return next((child for child in node.children if child.level == 1), node)
    if kind == "meta":
        return path[0]
    if kind == "session":
        named = [one for one in path if re.search(r"session|hand-?(?:off|over)", one.title, re.I) or date_of(one.title)]
        dated = [one for one in named if date_of(one.title)]
        return (dated or named or path)[-1 if dated else 0]
    told = [one for one in path if place_of(one, origin).kind == kind]
    return told[0] if kind in ("machine", "phase") and told else path[-1]


def _META(heading: str, pieces: Sequence[Piece], name: str) -> Draft:
    """What a file says of itself: its title, status and path."""
    body = "\n".join(piece.raw.strip("-\n ") for piece in pieces)
    labels = {label.name.lower(): label.value for row in body.split("\n", 200) if (label := label_of(row.strip()))}
    title = bare(heading) or labels.get("title") or labels.get("name") or name.rsplit("/", 1)[-1]
    lines = sorted({line for piece in pieces for line in piece.lines})
    return draft("document", cut(plain(title).strip("\"'")), body, lines, path=name, status=plain(labels.get("status", ""))[:40].lower())


def _inline_command(text: str, raw: str, here: Here, lines: Sequence[int]) -> Draft | None:
    """A command written in a line of text, and what the line says of it."""
    found = [one for one in _CODE.findall(text) if shell.is_command(one, True)]
    line = found[0] if found else text.strip() if shell.is_command(text.split("\n")[0]) and "\n" not in text else ""
    if not line:
        return None
    words = plain(text.replace(f"`{line}`", " ", 1)) if found else ""
    about = re.sub(r"^[\s:–—-]+|[\s:–—-]+$", "", words)
    is_whole = "\n" not in raw.strip() and len(found) <= 1 and len(about) <= 200
    made = draft("command", line, "" if is_whole else raw, lines, about=cut(about, 200) or (here.about if here.about != here.told else ""))
    if not is_whole:
        made.fields["body"] = raw
    return made
