"""The public headers as Doxygen reads them: the docstrings' labels become paragraphs, formulas and
Examples code; a docstring that stands over several declarations is said of each."""

import re

LABELS = "Shapes|Inputs|Outputs|Accepted|Mask|Gradient|Null|Throws|Source"
# What every layer has, so that no class says it again.
MEMBERS = {
    "Options": "What the constructor takes.",
    "options": "What it was made with.",
    "kind": "What it is called in messages, tables, files and `make_layer`.",
    "contract": "What it does with a mask.",
    "time": "What it does with steps that are not there yet.",
    "info": "Its name, its path in the model and whether it is built.",
    "build": "Makes the weights for an input like `x`; a model calls it.",
    "forward": "What it computes; a call goes through `operator()`, which checks the mask first.",
    "operator()": "Checks the mask by the contract, then computes.",
    "contract_now": "What these options do with a mask.",
    "time_now": "What these options do with steps that are not there yet.",
    "each_parameter": "Calls f with the name and the value of each weight.",
    "each_layer": "Calls f with the name and the layer of each layer inside.",
    "each_option": "Calls f with the name and the value of each option.",
    "write_options": "The options by name, as files keep them.",
    "str": "It as text.",
    "parameters": "All weights, in a set order.",
    "name": "What it is called.",
}
# What means the same in the Options of every layer, loss and optimizer that has it.
OPTIONS = {
    "activation": "What the result goes through, by name.",
    "beta_1": "How much of the mean of the gradients stays in a step.",
    "beta_2": "How much of the mean of their squares stays in a step.",
    "bias_initializer": "How the bias begins.",
    "dilation_rate": "Steps from one value in a window to the next.",
    "filters": "Features of the result.",
    "from_logits": "Whether predictions are logits; false: probabilities.",
    "go_backwards": "Runs each sequence from its last step to its first.",
    "kernel_initializer": "How the kernel begins.",
    "kernel_size": "Steps in a window.",
    "learning_rate": "What a step is multiplied by, before any schedule.",
    "num_heads": "How many heads attend beside each other.",
    "return_sequences": "All outputs; false: the last one alone.",
    "return_state": "The states too, as further outputs.",
    "stateful": "A batch begins with the states that the one before ended with.",
    "strides": "Steps from one window to the next.",
    "units": "Features of the result.",
    "use_bias": "Whether a bias is added.",
}


def escaped(text):
    """Text without what Doxygen or Markdown would read as a command."""
    text = re.sub(r"([\\@<#&%*~])", r"\\\1", text)
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", text)  # with a ' in it Doxygen sees no code


def converted(doc, indent):
    """A docstring's lines, without `///`, as Doxygen's."""
    out, state, before = [], "text", ""
    for line in doc:
        label = re.match(rf" ({LABELS}|Example): *(.*)", line)
        deep = line.startswith("   ")
        if state == "code" and not (line.startswith(" " * 11) or not line.strip()):
            out.append("@endcode")
            state = "text"
        if state == "formula" and not deep:
            out.append("@endcode")
            state = "text"
        if label and label[1] == "Example":
            out += ["@par Example", "@code{.cpp}", label[2]]
            state = "code"
        elif state == "code":
            out.append(line[11:])
        elif label:
            out += [f"@par {label[1]}", escaped(label[2])]
            state = "label"
        elif state == "label" and deep:
            out.append(escaped(line.strip()))
        elif deep and (state == "formula" or not before or before[-1] in ".:"):
            if state != "formula":
                out.append("@code{.unparsed}")
            out.append(line)
            state = "formula"
        else:
            item = re.match(r" (\d+) (?=[a-z])", line)
            out += ["", f"<b>{item[1]}</b> {escaped(line[item.end():])}"] if item else [escaped(line.strip())]
            state = "text"
        before = line.strip()
    out += {"code": ["@endcode"], "formula": ["@endcode"]}.get(state, [])
    return [f"{indent}/// {line}".rstrip() for line in out]


def name_of(line):
    """The name that a declaration's first line declares, and whether it is a function's."""
    words = r"(?:static|inline|constexpr|virtual|explicit|friend) "
    line = re.sub(rf"^(?:\[\[.*?\]\] |template <.*?> (?=\w)|{words})*", "", line.strip())
    found = re.match(r"(?:class|struct|enum class|enum|concept|using) (\w+)", line)
    if found:
        return found[1], False
    found = re.search(r"(operator *(?:\(\)|\[\]|[^\s\w(]+|bool|\w+)|~?\w+)\(", line)
    if found:
        return found[1], True
    found = re.search(r"(\w+)(?: = .*|\{.*)?;?$", line)
    return (found[1] if found else ""), False


def implied(name, line, scope):
    """The docstring of what needs none of its own."""
    if scope == "class":
        return MEMBERS.get(name)
    if scope == "class options":
        return OPTIONS.get(name, MEMBERS.get(name))
    found = re.match(r"(?:struct|using) (\w+?)(?:Layer)?(Options|Result)\b(?!;)", line)
    if found:
        what = {"Options": "What {} takes.", "Result": "What {} gives."}[found[2]]
        return what.format(found[1])
    return None


class Reader:
    """Reads a header line by line; `out` has its lines for Doxygen, each with its number here."""

    def __init__(self, text, bases):
        self.bases, self.hidden = bases, False
        self.out, self.doc, self.standing, self.over = [], [], [], ""
        self.scopes, self.statement = [], ""  # what each open brace is of; what has no end yet
        self.lines = text.split("\n")
        for self.number, line in enumerate(self.lines, 1):
            if re.match(r" *///(?!<)", line):
                self.doc.append(line.strip()[3:])
                self.indent = line[:len(line) - len(line.lstrip())]
            else:
                self.read(line)

    def ahead(self):
        """The declaration that begins in this line, without what makes it a template."""
        whole = ""
        for line in self.lines[self.number - 1:self.number + 9]:
            whole += re.sub(r"//.*", "", line).strip() + " "
            if re.search(r"[;{}] $", whole):
                break
        whole = re.sub(r"^template <(?:[^<>]|<[^<>]*>)*> ", "", whole)
        return re.sub(r"^requires ?(?:\w+<.*?>|\(.*?\)) ", "", whole)

    def emit(self, *lines):
        self.out += [(self.number, line) for line in lines]

    def read(self, line):
        fresh = bool(self.doc)
        if fresh:
            self.standing, self.doc = converted(self.doc, self.indent), []
            if not self.hides(self.ahead()):
                self.emit(*self.standing)
        code = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])'", '""', line)
        code = re.sub(r"//.*", "", code).strip()
        if not code:
            self.standing = self.standing if fresh else []
        elif not self.statement and self.scopes[-1:] != ["body"] and not code.startswith(("#", "}")):
            self.declaration(line, fresh)
        line = line.replace("protected:", "private:")
        self.emit(re.sub(r"(///< ?)(.*)", lambda m: m[1] + escaped(m[2]), line))
        self.follow(code)
        if self.hidden and code and not self.statement and self.scopes[-1:] in ([], ["namespace detail"]):
            self.emit("/// @endcond")
            self.hidden = False

    def declaration(self, line, fresh):
        whole, nested = self.ahead(), "class" in "".join(self.scopes[-1:])
        if self.hides(whole):
            self.hidden = True
            self.emit("/// @cond")
            return
        name, function = name_of(whole)
        indent = line[:len(line) - len(line.lstrip())]
        if re.match(r" *(namespace|public:|private:|protected:)", line):
            self.standing = []
            return
        if fresh:
            self.over = name
        elif self.standing and self.indent == indent and self.shared(name, whole, nested, function):
            self.emit(*self.standing)
        elif "///<" not in line and not re.match(r"(class|struct|enum class) \w+;", whole):
            said = implied(name, whole, "".join(self.scopes[-1:]))
            if said:
                self.emit(f"{indent}/// {said}")

    def shared(self, name, whole, nested, function):
        """Whether the docstring over what stands above is said of this too: in a class of overloads
        alone, elsewhere of all but classes."""
        return function and name == self.over if nested else not re.match(r"class|struct|enum", whole)

    def hides(self, line):
        """Machinery, but for the classes that public ones are made of; how fmt writes ours."""
        if re.match(r"struct fmt::", line):
            return True
        if self.scopes[-1:] != ["namespace detail"]:
            return False
        found = re.match(r"(?:class|struct) (\w+)", line)
        return not found or found[1] not in self.bases

    def follow(self, code):
        if not code or code.startswith("#") or code in ("public:", "private:", "protected:"):
            return
        for token in re.findall(r"[{};]|[^{};]+", code):
            if token == "{":
                of = re.sub(r"template <.*?> (?=\w)", "", self.statement.strip())
                kind = re.match(r"(?:inline )?(namespace|class|struct|enum)\b(?!.*\()", of)
                opened = "body" if not kind else "namespace" if kind[1] == "namespace" else "class"
                if opened == "namespace" and re.search(r"\bdetail$", of):
                    opened = "namespace detail"
                elif opened == "class" and re.match(r"struct \w+Options\b", of):
                    opened = "class options"
                self.scopes.append(opened)
                if opened != "body":
                    self.statement = ""
            elif token == "}":
                # What closes a body ends a function, unless a `;` or more text follows.
                was = self.scopes.pop() if self.scopes else ""
                if was == "body" and self.scopes[-1:] != ["body"]:
                    self.statement = ""
            elif token == ";":
                if self.scopes[-1:] != ["body"]:
                    self.statement = ""
            elif self.scopes[-1:] != ["body"]:
                self.statement += token + " "


def bases(text):
    """The classes of namespace detail that public classes are made of."""
    named = re.findall(r"^using .*?\bdetail::(\w+)", text, re.MULTILINE)
    return set(named + re.findall(r"(?::|,) public (?:\w+::)*(\w+)", text))


def for_doxygen(text, kept):
    """The header's lines, each with its number in the header; `kept` is bases of all headers."""
    return Reader(text, kept).out
