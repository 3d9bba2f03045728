#!/usr/bin/python3
"""Prints FILE after preprocessing, with the flags of the build directory.

  preprocess.py BUILD-DIRECTORY FILE
"""
import json
import os
import shlex
import subprocess
import sys


def main():
    build, wanted = sys.argv[1:]
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        for entry in json.load(f):
            path = os.path.join(entry["directory"], entry["file"])
            if os.path.realpath(path) != os.path.realpath(wanted):
                continue
            words = shlex.split(entry["command"])
            del words[words.index("-o"):words.index("-o") + 2]
            words.remove("-c")
            return subprocess.run([*words, "-E"],
                                  cwd=entry["directory"], check=False).returncode
    print("%s: not built" % wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
