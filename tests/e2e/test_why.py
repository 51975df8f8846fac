"""fosterctl's views on what depends on what, and on why a unit does not run, with a real daemon."""

import json
import re
import shutil
import subprocess

import pytest

from daemon import shell, unit

SLEEPER = ["/bin/sleep", "infinity"]
FAILING = shell("echo no space left >&2; exit 3")


@pytest.fixture
def family(foster):
    """web needs db, which fails before it is up, and so before web is started, and wants cache; off
    is not started."""
    daemon = foster({
        "web": unit(SLEEPER, depends={"requires": ["db"], "wants": ["cache"]}),
        "db": unit(FAILING, type="notify", depends={"after": ["cache"]},
                   restart={"policy": "never"}),
        "cache": unit(SLEEPER),
        "off": unit(SLEEPER, top={"enabled": False}),
    }).start()
    daemon.until_state("web", "failed")
    daemon.until_state("cache", "running")
    return daemon


def test_why_leads_to_the_root(family):
    lines = family.ctl("why", "web").stdout.splitlines()
    assert lines[0].startswith("web has failed at ")
    assert lines[0].endswith("): db, which it depends on, has failed")
    assert lines[1].startswith("  db has failed at ")
    assert lines[1].endswith("): exited with code 3")
    assert "  fosterctl start db  tries it again" in lines

    said = {why["name"]: why["chain"]
            for why in json.loads(family.ctl("why", "web", "off", "--json").stdout)}
    assert [link["name"] for link in said["web"]] == ["web", "db"]
    assert said["web"][1]["dependency"] == "requires"
    assert said["off"][0]["sentences"] == [
        "off has never been started: its file says enabled = false"]


def test_a_failed_start_tells_the_cause(family):
    told = family.ctl("start", "web", check=1).stderr.splitlines()
    assert told[0] == "fosterctl: web: failed, db, which it depends on, has failed"
    assert told[1].startswith("  db has failed at ")


def test_graph_and_tree_show_the_states(family):
    assert family.ctl("tree", "web").stdout == (
        "web  failed\n"
        "├─ cache (wants)  running\n"
        "└─ db (requires)  failed\n"
        "   └─ cache (after)  running\n")
    assert family.ctl("tree", "cache", "--reverse").stdout == (
        "cache  running\n"
        "├─ db (after)  failed\n"
        "│  └─ web (requires)  failed\n"
        "└─ web (wants)  failed\n")
    assert "  requires   db  failed\n" in family.ctl("graph", "web").stdout


def test_dot_is_what_graphviz_reads(family):
    text = family.ctl("graph", "--dot").stdout
    assert text.startswith("digraph foster {\n") and text.endswith("}\n")
    statement = re.compile(r'  ("[^"]+" (-> "[^"]+" )?\[.*\]|node \[.*\]|edge \[.*\]|rankdir=LR);')
    assert all(statement.fullmatch(line) for line in text.splitlines()[1:-1])
    if dot := shutil.which("dot"):
        subprocess.run([dot, "-Tsvg"], input=text, text=True, check=True, capture_output=True)


def test_cat_merges_drop_ins_from_where_the_daemon_looks(family):
    (family.units / "web.toml.d").mkdir()
    drop_in = family.write("web.toml.d/10-limits", '[stop]\ntimeout = "3s"\n')
    text = family.ctl("cat", "web").stdout
    assert f"# {drop_in}\n" in text
    assert re.search(rf'^timeout = "3s" +# {re.escape(str(drop_in))}:2$', text, re.MULTILINE)
    assert family.ctl("cat", "wbe", check=3).stderr.endswith("(did you mean web?)\n")
