"""Transcripts of `assay manifest`: lint, diff, hash and new."""
import hashlib
import json

import pytest

INITDATA = 'version = "0.1.0"\nalgorithm = "%s"\n\n[data]\n"policy.rego" = "%s"\n'
MEASUREMENT = "5a" * 48
VALUE = ["--product", "Genoa", "--measurement", MEASUREMENT, "--min-tcb",
         "10,0,23,84"]


@pytest.fixture
def docs(tmp_path):
    for name in ("coord", "web"):
        (tmp_path / (name + ".toml")).write_text(INITDATA % ("sha256", name))
    return tmp_path


def new(assay, docs, *more):
    return assay("manifest", "new", "--policy", "coord.toml,role=coordinator",
                 "--policy", "web.toml,san=web,san=spiffe://a/web,secret=x/y",
                 *more, cwd=docs)


def test_new_makes_what_lint_likes(assay, docs):
    done = new(assay, docs, *VALUE, "-o", "m.json", "--output", "json")
    assert done.returncode == 0 and done.stderr == ""
    raw = (docs / "m.json").read_bytes()
    assert json.loads(done.stdout)["sha256"] == hashlib.sha256(raw).hexdigest()
    assert raw.startswith(b'{\n  "Policies"') and raw.endswith(b"}\n")
    policies = json.loads(raw)["Policies"]
    digest = hashlib.sha256((docs / "web.toml").read_bytes()).hexdigest()
    assert policies[digest] == {"SANs": ["web", "spiffe://a/web"],
                                "WorkloadSecretID": "x/y"}
    linted = assay("manifest", "lint", "--strict", docs / "m.json")
    assert linted.returncode == 0, linted.stdout


def test_values_left_open_are_missing(assay, docs):
    done = new(assay, docs, *VALUE[:4], "-o", "m.json")
    assert done.returncode == 0
    assert "missing reference value: ReferenceValues.snp[0].MinimumTCB." \
        "BootloaderVersion" in done.stderr
    linted = assay("manifest", "lint", "--output", "json", docs / "m.json")
    assert linted.returncode == 1
    report = json.loads(linted.stdout)
    assert not report["usable"] and report["missing"] == 4


def test_nothing_is_written_with_errors(assay, docs):
    done = assay("manifest", "new", *VALUE, "-o", "m.json", cwd=docs)
    assert done.returncode == 1 and "role \"coordinator\"" in done.stderr
    assert not (docs / "m.json").exists()


def test_other_digests_are_refused(assay, docs):
    (docs / "web.toml").write_text(INITDATA % ("sha512", "web"))
    assert new(assay, docs, *VALUE).returncode == 2


def test_lint_says_where(assay, docs):
    new(assay, docs, *VALUE, "-o", "m.json")
    text = (docs / "m.json").read_text()
    (docs / "m.json").write_text(
        text.replace('"Debug": false', '"Debug": true'))
    done = assay("manifest", "lint", "m.json", cwd=docs)
    assert done.returncode == 1
    assert "error: ReferenceValues.snp[0].GuestPolicy.Debug: got true" \
        in done.stdout
    assert done.stdout.startswith("m.json:")


def test_strict_fails_on_warnings(assay, docs):
    new(assay, docs, "--product", "Milan", *VALUE[2:], "-o", "m.json")
    assert assay("manifest", "lint", docs / "m.json").returncode == 0
    assert assay("manifest", "lint", "--strict",
                 docs / "m.json").returncode == 1


def test_diff_speaks_of_meaning(assay, docs):
    new(assay, docs, *VALUE, "-o", "a.json")
    text = (docs / "a.json").read_text()
    (docs / "b.json").write_text(json.dumps(json.loads(text)))
    same = assay("manifest", "diff", "a.json", "b.json", cwd=docs)
    assert same.returncode == 0 and "same meaning" in same.stdout
    (docs / "web.toml").write_text(INITDATA % ("sha256", "web2"))
    new(assay, docs, *VALUE, "-o", "c.json")
    done = assay("manifest", "diff", "a.json", "c.json", cwd=docs)
    assert done.returncode == 1
    assert "differs: 1 policy changed" in done.stdout
    broken = assay("manifest", "diff", "a.json", "web.toml", cwd=docs)
    assert broken.returncode == 2


def test_hash_is_of_the_bytes(assay, tmp_path):
    (tmp_path / "x").write_bytes(b"{}\n")
    done = assay("manifest", "hash", tmp_path / "x")
    assert done.stdout == hashlib.sha256(b"{}\n").hexdigest() + "\n"


@pytest.mark.parametrize("args, says", [
    (["manifest", "lint"], "missing operand, want: FILE"),
    (["manifest", "lint", "--strct", "x"], "did you mean --strict?"),
    (["manifest", "lint", "--strict", "--strict", "x"], "is given twice"),
    (["manifest", "lint", "--strict=1", "x"], "takes no value"),
    (["manifest", "lint", "--output", "xml", "x"], "want text|json"),
    (["manifest", "lint", "--output"], "--output needs a value"),
    (["manifest", "hash", "a", "b"], "unexpected operand: b"),
    (["manifest", "lnt"], "did you mean lint?"),
    (["manifest", "lint", "/no/such/file"], "/no/such/file"),
])
def test_usage_errors_are_2(assay, args, says):
    done = assay(*args)
    assert done.returncode == 2 and says in done.stderr and not done.stdout
