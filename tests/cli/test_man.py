"""--help, man pages and shell completion say the same."""
import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT, program

sys.path.insert(0, str(ROOT / "scripts"))
import helptext  # noqa: E402  (after the path is set)

PAGES = sorted((ROOT / "man").glob("*.[18]"))
PROGRAMS = [page.name.rsplit(".", 1)[0] for page in PAGES]


def page_sections(page):
    """{"dev up": text, ...} of the generated part; {"": text} without verbs."""
    text = page.read_text()
    region = re.search(r'begin options\n(.*?)\.\\" end options', text, re.S)
    assert region, "%s has no generated part" % page.name
    name = page.name.rsplit(".", 1)[0]
    parts = re.split(r'^\.SS "%s (.*)"$' % re.escape(name), region.group(1),
                     flags=re.M)
    if len(parts) == 1:
        return {"": parts[0]}
    return dict(zip(parts[1::2], parts[2::2]))


def page_options(section):
    """Names of the options that have an entry of their own."""
    heads = re.findall(r"^\.TP\n(.*)$", section, re.M)
    return {name for head in heads
            for name in re.findall(r"--([a-z0-9-]+)", head.replace("\\-", "-"))}


@pytest.mark.parametrize("page", PAGES, ids=PROGRAMS)
def test_page_and_help_name_the_same_verbs(page):
    binary = program(page.name.rsplit(".", 1)[0])
    assert sorted(page_sections(page)) == sorted(helptext.verbs(binary)), (
        "run scripts/update-man.py BUILD-DIRECTORY")


@pytest.mark.parametrize("page", PAGES, ids=PROGRAMS)
def test_page_and_help_name_the_same_options(page):
    binary = program(page.name.rsplit(".", 1)[0])
    sections = page_sections(page)
    for verb in helptext.verbs(binary):
        said = {option.name for option in helptext.read(binary, verb).options}
        assert page_options(sections[verb]) == said - {"help", "version"}, (
            "%s %s: run scripts/update-man.py BUILD-DIRECTORY"
            % (page.name, verb))


@pytest.mark.parametrize("page", PAGES, ids=PROGRAMS)
def test_page_is_well_formed(page):
    if not shutil.which("man"):
        pytest.skip("no man program to render pages with")
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8",
                           "-Z", str(page)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_program_has_a_page():
    built = {path.name for path in BUILD.glob("cmd/*/assay*")
             if path.is_file() and os.access(path, os.X_OK)}
    assert built == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_fits_a_screen_and_ends_with_an_example(name):
    binary = program(name)
    verbs = helptext.verbs(binary)
    groups = {verb.split()[0] for verb in verbs if " " in verb}
    for verb in ["", *sorted(groups), *verbs]:
        lines = helptext.ask(binary, *verb.split()).splitlines()
        assert max(map(len, lines)) <= 80, "%s %s: too wide" % (name, verb)
        assert len(lines) <= 50, "%s %s: too long" % (name, verb)
        assert any(line.startswith("Example:") for line in lines[-4:]), (
            "%s %s: no example at the end" % (name, verb))


@pytest.mark.parametrize("name", PROGRAMS)
def test_completion_knows_all_options(name):
    text = (ROOT / "packaging/assay.bash-completion").read_text()
    binary = program(name)
    for verb in helptext.verbs(binary):
        key = " ".join(filter(None, [name, verb]))
        row = re.search(r'^ +"%s"\) echo "(.*)" ;;$' % re.escape(key), text, re.M)
        assert row, "%s: run scripts/update-man.py BUILD-DIRECTORY" % key
        said = {"--" + option.name for option in helptext.read(binary, verb).options}
        assert set(row.group(1).split()) == said


def test_completion_completes():
    script = (
        "source %s; COMP_WORDS=(assay dev '') COMP_CWORD=2; _assay;"
        "echo ${COMPREPLY[*]}" % (ROOT / "packaging/assay.bash-completion"))
    done = subprocess.run(["bash", "-c", script], text=True, check=True,
                          stdout=subprocess.PIPE)
    assert {"up", "down", "status", "logs"} <= set(done.stdout.split())
