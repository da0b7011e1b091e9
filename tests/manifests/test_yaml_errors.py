"""A YAML error says in plain English what is wrong, where, and what to do."""

from __future__ import annotations

import pytest

from autograder.manifests import parse

SPEC = "apiVersion: v1\nkind: Pod\nspec:\n"

CASES = {
    "a tab as indentation": (
        SPEC + "\tcontainers: []\n",
        "4:1: a tab cannot indent YAML; use spaces",
    ),
    "a tab after spaces": (
        SPEC + "  containers:\n  \t- name: a\n",
        "5:3: a tab cannot indent YAML; use spaces",
    ),
    "a no-break space": (
        SPEC + "  a: b\n \u00a0c: d\n",
        "5:2: a no-break space cannot indent YAML; use spaces",
    ),
    "too deep under a value": (
        SPEC + "  restartPolicy: Never\n    hostname: a\n",
        "5:5: this line is indented deeper than the one above, which has a value already; "
        "line it up with the field above, or take the value above away",
    ),
    "a colon in a value": (
        SPEC + "  command: echo a: b\n",
        "4:12: this value has a colon and a space in it, as if it were a field of its own; "
        "put the value in quotes, or begin a new line for the field",
    ),
    "no space after a colon": (
        "apiVersion: v1\nkind:Pod\n",
        "2:6: a space is missing after the colon; write `name: value`",
    ),
    "no space after a colon in a list": (
        SPEC + "  containers:\n  - name:a\n    image: b\n",
        "5:10: a space is missing after the colon; write `name: value`",
    ),
    "no colon": (
        SPEC + "  containers\n  - name: a\n",
        "4:13: a colon is missing behind the name of the field; write `name: value`",
    ),
    "neither a field nor an entry": (
        "kind: Pod\nsome more words\n",
        "2:1: this line is neither `name: value` nor an entry of a list; write a colon and a space behind the name "
        "of a field, or indent the line if it continues the text above",
    ),
    "fields that do not line up": (
        SPEC + "  containers:\n  - name: a\n   image: b\n",
        "6:4: this line does not line up with the fields above it; give all fields of one map the same indentation",
    ),
    "a list behind its field": (
        SPEC + "  containers: - name: a\n",
        "4:15: a list entry cannot stand here; begin the list on a line of its own, under the name of its field",
    ),
    "an open quote": (
        SPEC + '  hostname: "a\n  b: c\n',
        "4:13: a quote is opened here and not closed; add the same quote at the end of the text",
    ),
    "an open quote before the next document": (
        'a: "b\n---\nc: d\n',
        "1:4: a quote is opened here and not closed; add the same quote at the end of the text",
    ),
    "text behind a quote": (
        "a: 'it's'\n",
        "1:8: the text in quotes ended before this, with '; put the whole value in the other kind of quotes, \"",
    ),
    "text behind a bracket": (
        "a: [b] c\n",
        "1:8: something stands behind the closing `]`; begin a new line, or put the whole value in quotes",
    ),
    "an open bracket": (
        "a: [b, c\nd: e\n",
        "1:4: a `[` is opened here and not closed with `]`; close it, and put commas between its entries",
    ),
    "an open brace": (
        "a: {b: c\n",
        "1:4: a `{` is opened here and not closed with `}`; close it, and put commas between its fields",
    ),
    "an open bracket at the end": (
        "a: [\n",
        "1:5: the text ends here, and a bracket is still open; close it with `]` or `}`",
    ),
    "two commas": (
        "a: [b,,c]\n",
        "1:7: a value is missing here; write the value, or take the comma out",
    ),
    "an at sign": (
        "a: @b\n",
        "1:4: a value cannot begin with the character @; put it in quotes",
    ),
    "a star": (
        "a: *\n",
        "1:4: `&` and `*` begin the name of an anchor, and there is none; "
        "put a value that begins with & or * in quotes",
    ),
    "a backslash": (
        'a: "\\d"\n',
        "1:5: a backslash in double quotes begins a code, and this is none; "
        "use single quotes, or write the backslash twice",
    ),
    "text behind a block mark": (
        "a: | b\n",
        "1:6: only a comment may follow `|` or `>` on its line; begin the text on the next line, indented",
    ),
    "an unknown anchor": (
        "a: {b: *c}\n",
        "1:8: a.b: `*c` stands for nothing: there is no anchor `&c`; define it before with `&c`, "
        "or put the value in quotes if the star is meant as text",
    ),
    "an anchor inside of itself": (
        "a: &a [*a]\n",
        "1:8: a[0]: `*a` stands inside of what it stands for; take it out",
    ),
    "a template": (
        "a: {{ b }}\n",
        "1:5: a: a map cannot be the name of a field; put braces that are meant as text in quotes",
    ),
    "a list as a key": (
        "? [a]\n: b\n",
        "1:3: a list cannot be the name of a field; put brackets that are meant as text in quotes",
    ),
    "no key": (
        "a: {~: b}\n",
        "1:5: a: there is no name before the colon; give the field a name",
    ),
    "a merge of no map": (
        "a: {<<: 5}\n",
        "1:9: a: `<<` merges maps, and this is not a map; give it an alias of a map: `<<: *name`",
    ),
    "a wrong standard tag": (
        "a: !!int b\n",
        "1:4: a: `b` does not fit its tag !!int; leave the tag out",
    ),
    "a list instead of a map": (
        "- kind: Pod\n",
        "1:1: an object is a map of fields (apiVersion, kind, ...), and this is a list; "
        "take the dashes out; separate several objects by a line `---`",
    ),
    "a word instead of a map": (
        "Pod\n",
        "1:1: an object is a map of fields (apiVersion, kind, ...), and this is a single value; "
        "write `name: value`, with a space after the colon",
    ),
    "nothing": ("", "1:1: the manifest is empty"),
    "only comments and separators": ("# a\n---\n---\n~\n", "1:1: the manifest is empty"),
}


@pytest.mark.parametrize(("text", "message"), CASES.values(), ids=CASES)
def test_an_error_says_what_where_and_what_to_do(text: str, message: str) -> None:
    assert [str(problem) for problem in parse(text, source="m").problems] == [f"m:{message}"]


def test_a_broken_document_does_not_hide_the_others() -> None:
    manifest = parse("a: 1\n---\nb: [\n---\nc: 1\n---\nd: 'x'y\n", source="m")
    assert [document.value for document in manifest.documents] == [{"a": 1}, {"c": 1}]
    assert [problem.position and problem.position.line for problem in manifest.problems] == [3, 7]


def test_every_message_ends_without_the_words_of_libyaml() -> None:
    for text, _ in CASES.values():
        for problem in parse(text).problems:
            assert "expected" not in str(problem)
            assert "while" not in str(problem)
