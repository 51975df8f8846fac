"""What a service writes: readiness by a line of it, and the last of it for `why`."""

import json

from daemon import shell, unit
from events import Fifo


def test_a_line_of_output_makes_ready(foster, folder):
    gate = Fifo(folder / "gate")
    daemon = foster({
        "db": unit(shell(f"echo starting; read line < {gate.path}; echo 'listening on 5432'; "
                         "exec sleep infinity"), ready={"output": "^listening on [0-9]+$"}),
        "web": unit(["/bin/sleep", "infinity"], depends={"requires": ["db"]}),
    })
    daemon.launch()
    daemon.until_unit("db", lambda body: body.step_word == "ready", "waiting to be ready")
    daemon.until_state("web", "waiting")
    daemon.kill_manager()
    gate.say("go")
    daemon.until_state("web", "running")
    assert "starting\nlistening on 5432\n" in daemon.output()


def test_no_matching_line_in_time_fails_the_start(foster):
    daemon = foster({"a": unit(shell("echo nothing of interest; exec sleep infinity"),
                               ready={"output": "ready", "timeout": "200ms"},
                               restart={"policy": "never"})})
    daemon.launch()
    assert daemon.until_state("a", "failed")["cause"] == "start_timeout"


def test_why_shows_the_last_lines(foster):
    daemon = foster({
        "db": unit(shell("seq 1 9; echo disk full >&2; exit 1"), keep_output=True,
                   restart={"policy": "never"}),
        "web": unit(["/bin/sleep", "infinity"], depends={"requires": ["db"]}),
    })
    daemon.launch()
    daemon.until_state("web", "failed")
    said = daemon.ctl("why", "web").stdout
    assert "db has failed" in said and "exited with code 1" in said
    assert "| 9\n" in said and "| disk full\n" in said and "| 1\n" not in said
    chain = json.loads(daemon.ctl("why", "web", "--json").stdout)[0]["chain"]
    assert sorted(chain[1]["output"]) == ["6", "7", "8", "9", "disk full"]


def test_the_service_is_the_main_process_and_is_stopped_as_ever(foster, folder):
    fifo = Fifo(folder / "told")
    daemon = foster({"a": unit(shell(f"trap 'echo stopped > {fifo.path}; exit 0' TERM; "
                                     f"echo $$ > {fifo.path}; "
                                     "while :; do sleep 1000 & wait $!; done"),
                               keep_output=True)}).start()
    assert int(fifo.line()) == daemon.unit("a")["pid"]
    daemon.ctl("stop", "a")
    assert fifo.line() == "stopped"
