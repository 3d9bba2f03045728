"""Reads what our programs say with --help: verbs, options, examples.

The programs print it from the tables that parse their options, so this is
what they really take.
"""
import re
import subprocess
from collections import namedtuple

Option = namedtuple("Option", "letter name value text")
Help = namedtuple("Help", "summary usage options details example")

OPTION = re.compile(r"^ +(?:-(\w), +)?--([a-z0-9-]+)(?:[ =](\S+))?(?:  +(.*))?$")


def ask(program, *words):
    done = subprocess.run([program, *words, "--help"], text=True, check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return done.stdout


def verbs(program):
    """["dev up", ...]; [""] of a program without verbs."""
    found = []
    for line in ask(program).splitlines():
        match = re.match(r"^  ([a-z][a-z-]*)(?: ([a-z|-]+))?(?:  +\S.*)?$", line)
        if match and not line.startswith("  " + program.split("/")[-1]):
            found += [" ".join(filter(None, (match.group(1), verb)))
                      for verb in (match.group(2) or "").split("|")]
    return found or [""]


def parse_options(lines):
    options = []
    for line in lines:
        match = OPTION.match(line)
        if match:
            letter, name, value, text = match.groups()
            options.append(Option(letter, name, value, (text or "").strip()))
        elif options and line.startswith("     ") and line.strip():
            last = options[-1]
            options[-1] = last._replace(text=(last.text + " " + line.strip()).strip())
    return options


def read(program, verb):
    """The --help of one verb, taken apart."""
    text = ask(program, *verb.split())
    lines = text.splitlines()
    name = " ".join([program.split("/")[-1], *verb.split()])
    usage = next((line.split(":", 1)[1].strip() for line in lines
                  if line.startswith("Usage:")), name)
    summary = ""
    if " - " in lines[0]:
        summary = lines[0].split(" - ", 1)[1]
    elif len(lines) > 1:
        summary = lines[1].strip().rstrip(".")
    body, example, details, seen = [], "", [], False
    for number, line in enumerate(lines):
        if line.startswith("Example:"):
            example = " ".join(part.strip() for part in lines[number + 1:]).strip()
            break
        body.append(line)
        if OPTION.match(line):
            seen, details = True, []
        elif seen and not line.startswith(" "):
            details.append(line)
    paragraphs = [" ".join(part.split()) for part in "\n".join(details).split("\n\n")]
    return Help(summary, usage, parse_options(body),
                [part for part in paragraphs if part], example)
