"""The code of the guides in tests/pages/guides: what stands in ```cpp. Each block runs by itself; its
classes, at the line's beginning, are known to all blocks of its guide. A block with `// throws TYPE`
must throw that, and the ```text behind it has lines of the message."""

import json
import re

FOLDER = "tests/pages/guides"


class Block:
    """A block of code: its guide, the number of its first line, its lines, what it throws."""

    def __init__(self, guide, line):
        self.guide, self.line = guide, line
        self.code, self.classes, self.message = [], [], []

    def throws(self):
        found = re.search(r"// throws (\w+)$", "\n".join(self.code), re.MULTILINE)
        return found and found[1]

    def hoist(self):
        """Takes the classes out of the code; empty lines stay, so that numbers of lines do."""
        inside = False
        for i, line in enumerate(self.code):
            begins = re.match(r"(class|struct) \w+.*\{$", line)
            if begins:
                inside = True
            if inside:
                self.classes.append((self.line + i, line))
                self.code[i] = ""
            if line == "};":
                inside = False

    def outside(self, root):
        """The classes, where templates may stand in them."""
        lines = []
        for number, line in self.classes:
            lines += [f'#line {number} "{root / self.guide}"', line]
        return lines

    def entry(self):
        name = f"{space(self.guide)}::Block{self.line}().run()"
        if self.throws():
            message = json.dumps("\n".join(self.message), ensure_ascii=False)
            name = f"must_throw<mg::{self.throws()}>({message}, [] {{ {name}; }})"
        return f'      {{"{self.guide}:{self.line}", [] {{ {name}; }}}},'


def space(guide):
    """A namespace of its own."""
    return "guide_" + re.sub(r"\W", "_", guide.rsplit("/", 1)[-1][:-len(".md")])


def inputs(root):
    return [root / FOLDER] + sorted((root / FOLDER).glob("*.md"))


def read_raw(root):
    """The blocks of all guides, in order, as they stand there."""
    blocks = []
    for path in inputs(root)[1:]:
        guide, fence = str(path.relative_to(root)), None
        for number, line in enumerate(path.read_text().split("\n"), 1):
            if line.startswith("```"):
                fence = line[3:] if fence is None else None
                if fence == "cpp":
                    blocks.append(Block(guide, number + 1))
            elif fence == "cpp":
                blocks[-1].code.append(line)
            elif fence == "text" and blocks and blocks[-1].guide == guide and blocks[-1].throws():
                blocks[-1].message.append(line)
    return blocks


def read(root):
    blocks = read_raw(root)
    for block in blocks:
        block.hoist()
    return blocks


def faults(root):
    """What keeps code from being run, and what throws without saying what the message is."""
    for block in read_raw(root):
        place = f"{block.guide}:{block.line}"
        if re.search(r"// not run", "\n".join(block.code)):
            yield f"{place}: code that is not run; guides have none"
        if block.throws() and not block.message:
            yield f"{place}: it throws, and no ```text behind it has the message"
    for path in inputs(root)[1:]:
        lines = path.read_text().split("\n")
        guide = path.relative_to(root)
        if len(lines) > 150:
            yield f"{guide}: {len(lines)} lines; expected 150 at most"
        if sum(line.startswith("```") for line in lines) % 2:
            yield f"{guide}: a block of code has no end"
        for number, line in enumerate(lines, 1):
            if re.match(r"```(?!(cpp|text|python)?$)", line):
                yield f"{guide}:{number}: {line}; expected cpp, text or python"
