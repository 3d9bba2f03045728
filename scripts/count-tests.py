#!/usr/bin/python3
"""Counts the tests in a runner's report.

  count-tests.py --meson build/meson-logs/testlog.json
  count-tests.py --junit report.xml

Prints "PASSED FAILED SKIPPED" on stdout; on stderr, in full, what failed, and
every skipped test with its reason: a skip must not go unnoticed.
"""
import json
import re
import sys
import xml.etree.ElementTree as ElementTree

# What cmocka prints at the end of each group.
CMOCKA = re.compile(r"\[ *(PASSED|FAILED|SKIPPED) *\] (\d+) test\(s\)")
SKIP_WORDS = re.compile(r"^.*\bskip(?:ped|ping)?\b.*$", re.I | re.M)


def say(text):
    print(text, file=sys.stderr)


def meson_counts(record):
    """Counts of one test program: its cases where it tells them, else one."""
    output = record.get("stdout", "") + record.get("stderr", "")
    counts = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for word, number in CMOCKA.findall(output):
        counts[word] += int(number)
    result = record["result"]
    if result == "SKIP":
        counts["SKIPPED"] = counts["SKIPPED"] or 1
    elif result not in ("OK", "EXPECTEDFAIL"):
        # A crash ends the program before it has counted anything.
        counts["FAILED"] = counts["FAILED"] or 1
    elif not any(counts.values()):
        counts["PASSED"] = 1
    if counts["FAILED"]:
        say("FAIL  %s: %s\n%s" % (record["name"], result, output))
    elif counts["SKIPPED"]:
        for line in SKIP_WORDS.findall(output)[:5]:
            say("SKIP  %s: %s" % (record["name"], line.strip()))
    return counts["PASSED"], counts["FAILED"], counts["SKIPPED"]


def count_meson(path):
    with open(path, encoding="utf-8") as log:
        return [meson_counts(json.loads(line)) for line in log]


def count_junit(path):
    rows = []
    for case in ElementTree.parse(path).iter("testcase"):
        skipped = case.find("skipped")
        failed = case.find("failure") is not None or case.find("error") is not None
        if skipped is not None:
            say("SKIP  %s: %s" % (case.get("name"), skipped.get("message")))
        rows.append((not failed and skipped is None, failed, skipped is not None))
    return rows


def main():
    kind, path = sys.argv[1:]
    rows = {"--meson": count_meson, "--junit": count_junit}[kind](path)
    print(*(sum(column) for column in zip(*rows)) if rows else (0, 0, 0))


if __name__ == "__main__":
    main()
