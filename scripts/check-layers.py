#!/usr/bin/python3
"""The shape of src/, checked.

  check-layers.py BUILD-DIRECTORY RULE

  includes  a layer includes only from itself and the layers before it
  crypto    only crypto/ includes OpenSSL; net/ and atls/ may have its ssl.h
  poison    functions that invite mistakes are not called anywhere
  headers   every header compiles alone
  globals   the library has no writable global, file-local ones included
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# In order: each may include from itself and from those to its left.
LAYERS = ("base crypto codec evidence measure collect rego policy manifest "
          "net atls store service").split()

OPENSSL_CRYPTO_LAYERS = {"crypto"}
OPENSSL_SSL_LAYERS = {"crypto", "net", "atls"}
# The handshake, its errors, and names of types without their contents.
OPENSSL_SSL_HEADERS = {"openssl/ssl.h", "openssl/tls1.h", "openssl/err.h",
                       "openssl/types.h"}

POISONED = ("strcpy strcat sprintf vsprintf strtok atoi atol atoll alloca gets "
            "tmpnam mktemp system").split()

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)
COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def source_files(*folders, suffixes=(".c", ".h")):
    """Paths relative to the root, sorted."""
    found = []
    for folder in folders:
        for place, _, names in os.walk(os.path.join(ROOT, folder)):
            found += [os.path.relpath(os.path.join(place, name), ROOT)
                      for name in names if name.endswith(suffixes)]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def includes(path):
    """Pairs (line number, header) of one file."""
    text = read(path)
    return [(text.count("\n", 0, match.start()) + 1, match.group(1))
            for match in INCLUDE.finditer(text)]


def layer_of(path):
    return path.split(os.sep)[1]


def check_includes(_build):
    for path in source_files("src"):
        layer = layer_of(path)
        if layer not in LAYERS:
            yield "%s: no such layer: %s" % (path, layer)
            continue
        allowed = LAYERS[:LAYERS.index(layer) + 1]
        for line, header in includes(path):
            target = header.split("/")[0]
            if target in LAYERS and target not in allowed:
                yield "%s:%d: %s/ includes %s, a layer above it" % (
                    path, line, layer, header)


def check_crypto(_build):
    for path in source_files("src", "cmd"):
        layer = layer_of(path) if path.startswith("src") else "cmd"
        for line, header in includes(path):
            if not header.startswith("openssl/"):
                continue
            if layer in OPENSSL_CRYPTO_LAYERS or (
                    header in OPENSSL_SSL_HEADERS and layer in OPENSSL_SSL_LAYERS):
                continue
            yield "%s:%d: <%s> outside crypto/" % (path, line, header)


def blank(match):
    """White space with the same line breaks."""
    return re.sub(r"[^\n]", " ", match.group(0))


def check_poison(_build):
    call = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(POISONED))
    for path in source_files("src", "cmd", "include", "fuzz"):
        text = COMMENT_OR_STRING.sub(blank, read(path))
        for match in call.finditer(text):
            yield "%s:%d: %s()" % (
                path, text.count("\n", 0, match.start()) + 1, match.group(1))


def compile_flags(build):
    """Include and define flags of the library, from Meson's own database."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        database = json.load(f)
    flags = set()
    for entry in database:
        for word in shlex.split(entry["command"]):
            if word.startswith("-I"):
                path = os.path.join(entry["directory"], word[2:])
                flags.add("-I" + os.path.normpath(path))
            elif word.startswith(("-D", "-std=")):
                flags.add(word)
    return sorted(flags)


def check_headers(build):
    flags = compile_flags(build)
    headers = source_files("src", "cmd", "include", suffixes=(".h",))
    batch = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, header in enumerate(headers):
            path = os.path.join(scratch, "%d.c" % number)
            with open(path, "w", encoding="utf-8") as f:
                f.write('#include "%s"\ntypedef int not_empty;\n'
                        % os.path.join(ROOT, header))
            batch.append((header, path))
        for header, path in batch:
            done = subprocess.run(["gcc", "-fsyntax-only", "-Wall", "-Wextra",
                                   "-Werror", *flags, path], text=True,
                                  stderr=subprocess.PIPE, check=False)
            if done.returncode != 0:
                yield "%s does not compile alone:\n%s" % (header, done.stderr)


def library_objects(build):
    """Objects of src/ in the build; generated code is not ours to judge."""
    found = []
    for place, _, names in os.walk(build):
        if os.path.basename(place).startswith("libassay-core.a"):
            found += [os.path.join(place, name) for name in names
                      if name.startswith("src_") and name.endswith(".c.o")]
    return sorted(found)


def check_globals(build):
    objects = library_objects(build)
    if not objects:
        yield "no objects of the library in %s" % build
    for path in objects:
        listing = subprocess.run(["nm", "--defined-only", path], text=True,
                                 stdout=subprocess.PIPE, check=True).stdout
        for line in listing.splitlines():
            kind, name = line.split()[-2:]
            # B, D and friends are writable; tables of pointers that only the
            # loader writes ("relro") are const in the source.
            if kind in "bBdDsSgGC" and not in_relro(path, name):
                yield "%s: writable symbol %s" % (os.path.basename(path), name)


def in_relro(path, symbol):
    table = subprocess.run(["objdump", "-t", path], text=True,
                           stdout=subprocess.PIPE, check=True).stdout
    for line in table.splitlines():
        words = line.split()
        if words and words[-1] == symbol:
            return any(word.startswith(".data.rel.ro") for word in words)
    return False


RULES = {"includes": check_includes, "crypto": check_crypto,
         "poison": check_poison, "headers": check_headers,
         "globals": check_globals}


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in RULES:
        print(__doc__, file=sys.stderr)
        return 2
    findings = list(RULES[sys.argv[2]](os.path.abspath(sys.argv[1])))
    for finding in findings:
        print(finding)
    print("%d findings" % len(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
