"""Where each place of a YAML document stands, and the mistakes of form that only its nodes show.

Pure: nodes in, lines out. A place is the path of keys and indices to a value: ("when", "k"), ("metrics", 1).
Invariant: the nodes are a tree. The loader refuses aliases, whose nesting may have no end.
"""

from __future__ import annotations

import yaml

Place = tuple[str | int, ...]
Mistake = tuple[int, str]  # (1-based line, "field: what is wrong")

LARGEST_BITS = 256  # of a whole number; Python refuses to write the longest ones out, also in a message


class Places:
    """The lines of a document. `doubled` keys can be read past; with `unreadable` values there is nothing to check."""

    def __init__(self, root: yaml.Node) -> None:
        self.doubled: list[Mistake] = []
        self.unreadable: list[Mistake] = []
        self._line_of: dict[Place, int] = {}
        self._walk(root, ())

    def line(self, place: Place) -> int:
        """The 1-based line of `place`, or of what would hold it when it is not in the document."""
        while place and place not in self._line_of:
            place = place[:-1]
        return self._line_of.get(place, 1)

    def _walk(self, node: yaml.Node, place: Place) -> None:
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._line_of[(*place, index)] = item.start_mark.line + 1
                self._walk(item, (*place, index))
        elif isinstance(node, yaml.MappingNode):
            self._walk_mapping(node, place)
        else:
            self._try(node, place)

    def _walk_mapping(self, node: yaml.MappingNode, place: Place) -> None:
        first_line: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # a list for a key: the constructor says what is wrong with it
            name, inner, line = key.value, (*place, key.value), key.start_mark.line + 1
            if name in first_line:
                self.doubled.append((line, f"{dotted(inner)}: is already set in line {first_line[name]}"))
            first_line.setdefault(name, line)
            self._line_of[inner] = line
            self._walk(value, inner)

    def _try(self, node: yaml.Node, place: Place) -> None:
        """Read one scalar alone, as only so its line is known: `!!int six`, the date 2024-13-45, a number too long."""
        try:
            value = yaml.constructor.SafeConstructor().construct_document(node)
            if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
                raise ValueError("the number is too long")
        except ValueError as error:
            self.unreadable.append((node.start_mark.line + 1, f"{dotted(place)}: cannot be read: {error}"))


def dotted(place: Place) -> str:
    """A place as people write it: `when.k`, `metrics[1]`; "the document" for ()."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "the document"
