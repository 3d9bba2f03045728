#!/usr/bin/python3
"""Brings man pages and shell completion up to date with the programs.

  update-man.py BUILD-DIRECTORY

Rewrites, in each man/PROGRAM.N, what lies between the lines `.\\" begin
options` and `.\\" end options`, from the program's own --help; the rest of a
page is written by hand. tests/cli/test_man.py fails when this was forgotten.
"""
import glob
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import helptext  # noqa: E402  (after the path is set)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REGION = re.compile(r'(\.\\" begin options\n).*?(\.\\" end options\n)', re.S)


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)


def option_lines(option):
    names = (["\\-" + option.letter] if option.letter else []) + [
        roff("--" + option.name)]
    head = ", ".join("\\fB%s\\fR" % name for name in names)
    if option.value:
        head += " \\fI%s\\fR" % roff(option.value)
    return [".TP", head, roff(option.text)]


def verb_lines(program, verb):
    info = helptext.read(program, verb)
    name = os.path.basename(program)
    lines = []
    if verb:
        lines += ['.SS "%s %s"' % (name, verb), roff(info.summary) + "."]
    lines += [".PP", "\\fB%s\\fR" % roff(info.usage)]
    for option in info.options:
        if option.name not in ("help", "version"):
            lines += option_lines(option)
    for paragraph in info.details:
        lines += [".PP", roff(paragraph)]
    if info.example:
        lines += [".PP", "Example:", ".RS 4", ".nf", roff(info.example), ".fi",
                  ".RE"]
    return lines


def page_region(program):
    lines = []
    for verb in helptext.verbs(program):
        lines += verb_lines(program, verb)
    return "\n".join(lines) + "\n"


def find_program(build, name):
    found = glob.glob(os.path.join(build, "cmd", "*", name))
    return found[0] if found else None


def update_page(build, path):
    name = os.path.basename(path).rsplit(".", 1)[0]
    program = find_program(build, name)
    if not program:
        print("%s: %s is not built" % (path, name), file=sys.stderr)
        return None
    with open(path, encoding="utf-8") as f:
        old = f.read()
    new = REGION.sub(lambda match: match.group(1) + page_region(program) +
                     match.group(2), old)
    if new != old:
        with open(path, "w", encoding="utf-8") as f:
            f.write(new)
    return program


def completion_case(program):
    name = os.path.basename(program)
    rows = []
    for verb in helptext.verbs(program):
        options = " ".join("--" + option.name
                           for option in helptext.read(program, verb).options)
        rows.append('        "%s") echo "%s" ;;'
                    % (" ".join(filter(None, [name, verb])), options))
    words = " ".join(sorted({verb.split()[0] for verb in helptext.verbs(program)
                             if verb}))
    if words:
        rows.append('        "%s") echo "%s" ;;' % (name, words))
    groups = {}
    for verb in helptext.verbs(program):
        if " " in verb:
            groups.setdefault(verb.split()[0], []).append(verb.split()[1])
    rows += ['        "%s %s") echo "%s" ;;' % (name, group, " ".join(rest))
             for group, rest in groups.items()]
    return rows


def write_completion(programs):
    rows = [row for program in programs for row in completion_case(program)]
    names = " ".join(os.path.basename(program) for program in programs)
    with open(os.path.join(ROOT, "packaging/assay.bash-completion"), "w",
              encoding="utf-8") as f:
        f.write(COMPLETION % ("\n".join(rows), names))


COMPLETION = """\
# Completion of the assay programs for bash. Written by scripts/update-man.py.

_assay_words()
{
    case $1 in
%s
    esac
}

_assay()
{
    local current=${COMP_WORDS[COMP_CWORD]} key=${COMP_WORDS[0]##*/} i words
    # The verb is the longest run of leading words that has an entry.
    for ((i = 1; i < COMP_CWORD && i < 3; i++)); do
        words=$(_assay_words "$key ${COMP_WORDS[i]}")
        [[ -n $words ]] || break
        key="$key ${COMP_WORDS[i]}"
    done
    words=$(_assay_words "$key")
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _assay %s
"""


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    pages = sorted(glob.glob(os.path.join(ROOT, "man", "*.[18]")))
    programs = [update_page(sys.argv[1], page) for page in pages]
    if None in programs:
        return 3
    write_completion(programs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
