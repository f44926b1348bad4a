# SPDX-License-Identifier: BSD-2-Clause
"""countersignctl, and the API that it is a client of."""
import json
import os
import re
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from initiator import login
from support import DISK, PREFIX, conf, target, wait_until

NAME = "iqn.2026-11.com.example:disk"
CONF = '''
state_dir = "state";
portals = ( { address = "127.0.0.1"; port = $port; } );
targets = (
  { name = "%s";
    auth = "none";
    luns = ( { lun = 0; type = "disk"; store = "ram"; size = "16M"; },
             { lun = 7; type = "disk"; store = "file"; path = "disk.img"; size = "32M";
               create = true; } );
  }
);
''' % NAME
NOBODY = 65534


@pytest.fixture
def server(start):
    return start(CONF)


@pytest.fixture
def http(server):
    """http(method, path, ...): status, headers in lower case, and the JSON of the answer."""
    def call(method, path, body=None, head=""):
        with connect(server) as s:
            data = (body or "").encode()
            s.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                      f"Content-Length: {len(data)}\r\n{head}\r\n".encode() + data)
            return parse(read_all(s))
    return call


def connect(server):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(str(server.dir / "state/ctl.sock"))
    return s


def read_all(s):
    answer = b""
    while data := s.recv(65536):
        answer += data
    return answer


def parse(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    kind = headers.get("content-type", "")
    return (int(lines[0].split()[1]), headers,
            json.loads(body) if kind == "application/json" else body)


# --- countersignctl ---------------------------------------------------------------------------


def test_status_tells_what_the_server_is(server, ctl):
    text = ctl(server, "status").stdout
    assert re.search(rf"^process +{server.pid}, up \d+ s$", text, re.M)
    assert re.search(rf"^portals +{server.portal}, group 1$", text, re.M)
    assert re.search(r"^targets +1, with 2 logical units$", text, re.M)
    assert re.search(r"^file I/O +(io_uring|threads)$", text, re.M)


def test_stats_tell_what_was_done_and_by_which_target(start, ctl):
    server = start(conf(target(), target(PREFIX + "idle"), more=
                        'pools = ( { name = "p"; path = "."; max_size = "1G"; } );'))
    with login(server.port, DISK) as session:
        session.ready()
        before = json.loads(ctl(server, "--json", "stats").stdout)
        session.write(0, bytes(64 * 512))
        for _ in range(9):
            session.read(0, 64)
        after = json.loads(ctl(server, "--json", "stats").stdout)
        was, now = ({t["name"]: t for t in s["targets"]} for s in (before, after))
        assert now[DISK]["sessions"] == now[DISK]["connections"] == 1
        assert now[DISK]["commands"] - was[DISK]["commands"] == 10
        # The headers of PDUs count.
        assert 0 <= now[DISK]["bytes_in"] - was[DISK]["bytes_in"] - 64 * 512 < 1000
        assert 0 <= now[DISK]["bytes_out"] - was[DISK]["bytes_out"] - 9 * 64 * 512 < 2000
        assert (now[PREFIX + "idle"]["sessions"], now[PREFIX + "idle"]["commands"]) == (0, 0)
        assert after["time_ms"] >= before["time_ms"] and after["process"]["resident_bytes"] > 1 << 20
        ctl(server, "volume", "create", PREFIX + "made", "64M")
        text = ctl(server, "stats").stdout
    assert re.search(r"^pools +p: 1 volumes of 64\.0 MiB, at most 1\.0 GiB$", text, re.M)
    assert re.search(rf"^{re.escape(DISK)} +1 +\d+ +\S+ KiB +\S+ KiB$", text, re.M), text
    assert re.search(r"^memory +\S+ MiB$", text, re.M)


def test_targets_are_a_table(server, ctl):
    lines = ctl(server, "targets").stdout.splitlines()
    assert lines[0].split() == ["TARGET", "AUTH", "LUN", "KIND", "STORE", "SIZE", "BLOCK", "MODE",
                                "PATH"]
    assert lines[1].split() == [NAME, "none", "0", "disk", "ram", "16.0", "MiB", "512"]
    assert lines[2].split()[:5] == ["7", "disk", "file", "32.0", "MiB"]


def test_one_target_is_told_in_full(server, ctl):
    text = ctl(server, "targets", NAME).stdout
    assert re.search(r"^ +NAA +6[0-9a-f]{31}$", text, re.M)
    assert "LUN 7" in text and "disk.img" in text


def test_a_target_that_is_not_there_is_refused_with_1(server, ctl):
    done = ctl(server, "targets", "iqn.2026-11.com.example:other", status=1)
    assert (done.stdout, done.stderr) == (
        "", "countersignctl: there is no target iqn.2026-11.com.example:other\n"
            "countersignctl: `countersignctl targets` lists what there is\n")


@pytest.mark.parametrize("args, command", [
    (["credentials", "delete", NAME, "iqn.2026-11.com.example:nobody"], "credentials list"),
    (["volume", "delete", "vol-1"], "volume list"),
    (["port-group", "set", "9", "standby"], "port-group list"),
    (["library", "status", "vtl"], "library list"),
    (["tape", "show", "NONE01L5"], "tape list"),
    (["drop", "1"], "sessions"),
])
def test_where_something_is_not_there_it_says_what_lists_them(server, ctl, args, command):
    said = ctl(server, *args, status=1).stderr
    assert said.endswith(f"`countersignctl {command}` lists what there is\n")
    ctl(server, *command.split())


def test_without_sessions_it_says_so(server, ctl):
    assert ctl(server, "sessions").stdout == "there are no sessions\n"


def test_a_session_is_seen_and_dropped(server, ctl):
    if subprocess.run(["which", "iscsi-perf"], capture_output=True).returncode:
        pytest.skip("iscsi-perf is not installed")
    load = subprocess.Popen(["iscsi-perf", f"iscsi://{server.portal}/{NAME}/0"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not (found := json.loads(ctl(server, "-j", "sessions").stdout)["sessions"]):
            assert time.monotonic() < deadline, server.log()
        session = found[0]
        assert session["target"] == NAME and session["type"] == "normal"
        assert session["auth"] == "none" and session["connections"] == 1
        assert session["peer"].startswith("127.0.0.1:")
        line = ctl(server, "sessions").stdout.splitlines()[1]
        assert line.split()[0] == str(session["tsih"]) and NAME in line
        assert session["local"] == server.portal and f" {server.portal} " in line
        assert ctl(server, "drop", session["tsih"]).stdout == (
            f"session {session['tsih']}: 1 connection closed\n")
        server.wait_for_log(r"dropped by uid \d+ \(process \d+\)")
    finally:
        load.kill()
        load.wait()


def test_a_session_that_is_not_there_is_refused_with_1(server, ctl):
    assert "no session 4711" in ctl(server, "drop", "4711", status=1).stderr


def test_json_is_what_the_server_says(server, ctl, http):
    told = json.loads(ctl(server, "--json", "targets").stdout)
    assert told == http("GET", "/v1/targets")[2]


@pytest.mark.parametrize("args, words", [
    ([], "say what to do"),
    (["dance"], "no command dance"),
    (["status", "more"], "usage: countersignctl status"),
    (["drop"], "usage: countersignctl drop TSIH"),
    (["drop", "-x"], "no option -x"),
    (["drop", "one"], "drop takes the TSIH"),
    (["--nonsense"], "no option --nonsense"),
    (["-s"], "missing after -s"),
])
def test_a_wrong_command_line_is_refused_with_2(programs, run, args, words):
    done = run(programs / "countersignctl", *args, status=2)
    assert done.stdout == "" and words in done.stderr


@pytest.mark.parametrize("make, words", [
    (lambda p: None, "is countersignd running?"),
    (lambda p: p.write_text("x"), "not a socket"),
    (lambda p: socket.socket(socket.AF_UNIX).bind(str(p)), "countersignd is not running"),
])
def test_a_server_that_cannot_be_reached_is_told_with_3(programs, run, tmp_path, make, words):
    path = tmp_path / "s"
    make(path)
    done = run(programs / "countersignctl", "-s", path, "status", status=3)
    assert done.stderr.startswith(f"countersignctl: {path}: ") and words in done.stderr


def test_something_else_on_the_socket_is_told_with_3(programs, run, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()

        def answer():
            c, _ = s.accept()
            c.recv(4096)
            c.sendall(b"220 mail.example.com ESMTP\r\n")
            c.close()
        thread = threading.Thread(target=answer)
        thread.start()
        done = run(programs / "countersignctl", "-s", path, "status", status=3)
        thread.join()
    assert str(path) in done.stderr


def test_the_socket_may_come_from_the_environment(server, programs, run):
    env = {**os.environ, "COUNTERSIGN_SOCKET": str(server.dir / "state/ctl.sock"),
           "http_proxy": "http://192.0.2.1:9"}
    assert "version" in run(programs / "countersignctl", "status", env=env).stdout


def options_of(text, command, option):
    """{command: [its options]}, of lines that match the one or the other."""
    found, name = {}, None
    for line in text.splitlines():
        if m := re.match(command, line):
            name = m[1]
            found[name] = []
        elif name and (m := re.match(option, line)):
            found[name].append(m[1])
    return found


def test_help_and_the_manual_page_name_the_same(programs, run):
    text = run(programs / "countersignctl", "help").stdout
    page = (Path(__file__).parents[2] / "man/countersignctl.8").read_text()
    # "  volume resize VOLUME SIZE  make …" and ".It Ic volume resize Ar volume size".
    in_help = options_of(text, r"  ([a-z][a-z-]*(?: [a-z]+)?)(?=  | [A-Z[]|$)", r" {6}--(\S+)")
    in_page = options_of(page, r"\.It Ic ([a-z-]+(?: [a-z]+)?)(?: O[po] .*| Ar .*)?$",
                         r"\.It Fl -(\S+)")
    assert "port-group set" in in_help and in_help["connect"]
    assert in_help == in_page
    in_help = re.findall(r"^  -(\w), --(\w+)", text, re.M)
    in_page = re.findall(r"^\.It Fl (\w).*, (?:Fl )?-(\w+)", page, re.M)
    assert sorted(in_help) == sorted(in_page)


def test_help_of_one_command_is_no_more_than_that(programs, run):
    ctl = programs / "countersignctl"
    text = run(ctl, "help", "credentials").stdout
    assert "credentials set SCOPE INITIATOR" in text and "--generate" in text
    assert "volume" not in text
    text = run(ctl, "volume", "create", "--help").stdout
    assert "--block-size" in text and "volume resize" not in text
    said = run(ctl, "credentials", status=2).stderr
    assert "say what to do with credentials" in said and "countersignctl help credentials" in said


# --- the API ----------------------------------------------------------------------------------


def test_an_unknown_path_is_404(http):
    for path in ("/", "/v1", "/v1/", "/v1/nothing", "/v1/targets/", "/v2/status", "/v1///status",
                 "/v1/status/more", "/v1/%zz"):
        status, _, body = http("GET", path)
        assert (status, body["error"]["code"]) == (404, "not_found"), path


def test_a_wrong_method_is_405_and_says_which_are_right(http):
    for method, path, allow in (("POST", "/v1/status", "get"), ("GET", "/v1/reload", "post"),
                                ("GET", "/v1/sessions/1", "delete"), ("PATCH", "/v1/targets", "get"),
                                ("OPTIONS", "/v1/status", "get")):
        status, head, body = http(method, path)
        assert (status, head["allow"]) == (405, allow)
        assert body["error"]["code"] == "method_not_allowed"


def test_names_are_decoded_one_segment_at_a_time(http):
    encoded = NAME.replace(":", "%3a")
    assert http("GET", f"/v1/targets/{encoded}")[2]["name"] == NAME
    assert http("GET", "/v1/targets/a%2Fb")[2]["error"]["message"] == "there is no target a/b"


def test_a_handle_that_is_no_number_is_400(http):
    for handle in ("x", "0", "65536", "-1", "1x", "99999999999999999999"):
        assert http("DELETE", f"/v1/sessions/{handle}")[0] == 400, handle


def test_a_bad_query_is_400(http):
    assert http("GET", "/v1/status?=&&=%")[0] in (200, 400)


def test_connections_are_kept(server):
    with connect(server) as s:
        for _ in range(3):
            s.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += s.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
            while len(body) < length:
                body += s.recv(65536)
            assert json.loads(body)["pid"] == server.pid


# --- limits and bad behaviour -----------------------------------------------------------------


def test_a_head_that_is_too_long_is_refused(server):
    with connect(server) as s:
        s.sendall(b"GET /v1/status HTTP/1.1\r\nA: " + b"x" * 20000 + b"\r\n\r\n")
        assert parse(read_all(s))[0] in (400, 413, 431)


def test_a_body_that_is_too_long_is_refused(server):
    with connect(server) as s:
        s.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n")
        s.sendall(b"x" * 9999999)
        assert parse(read_all(s))[0] == 413


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                                  b"GET " + b"/" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                                  b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
def test_garbage_harms_nobody(server, ctl, data):
    with connect(server) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        read_all(s)
    ctl(server, "status")


def test_clients_that_say_nothing_do_not_keep_out_others(server, ctl):
    idle = [connect(server) for _ in range(100)]
    begun = time.monotonic()
    ctl(server, "status")
    assert time.monotonic() - begun < 5
    for s in idle:
        s.close()


def held(server):
    """How many sockets the server has open."""
    folder = Path(f"/proc/{server.pid}/fd")
    return sum(os.readlink(folder / fd).startswith("socket:") for fd in os.listdir(folder))


def test_too_many_connections_wait_and_are_served_in_the_end(server, ctl):
    idle = [connect(server) for _ in range(300)]
    wait_until(lambda: held(server) >= 256)
    time.sleep(0.2)
    assert held(server) < 280      # some are its own
    for s in idle:
        s.close()
    ctl(server, "status")


def test_a_client_that_leaves_during_a_reload_harms_nobody(server, ctl):
    for _ in range(20):
        with connect(server) as s:
            s.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    ctl(server, "status")


def test_a_stop_in_the_middle_of_a_reload_is_clean(server):
    with connect(server) as s:
        s.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        server.stop()


# --- who may ----------------------------------------------------------------------------------


def as_nobody(server):
    """A request of the user nobody: the status, or the error's name."""
    script = ("import os, socket, sys\n"
              f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
              "s = socket.socket(socket.AF_UNIX)\n"
              "try:\n"
              "    s.connect(sys.argv[1])\n"
              "    s.sendall(b'GET /v1/status HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\n"
              "    print(s.recv(4096).split()[1].decode())\n"
              "except OSError as e:\n"
              "    print(type(e).__name__)\n")
    return subprocess.run(["/usr/bin/python3", "-c", script, server.dir / "open.sock"],
                          capture_output=True, text=True, timeout=20).stdout.strip()


@pytest.fixture
def open_server(start, tmp_path):
    """open_server(more): a server whose socket lies where everybody may go; root only."""
    if os.geteuid() != 0:
        pytest.skip("takes root")
    for parent in [tmp_path, *tmp_path.parents]:
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH)

    def call(more):
        server = start(CONF.replace("targets =", 'management = { socket = "open.sock"; %s };\n'
                                    "targets =" % more))
        server.dir.chmod(0o711)
        return server
    return call


def test_the_mode_of_the_socket_keeps_others_out(open_server):
    assert as_nobody(open_server("")) == "PermissionError"


def test_a_user_who_is_not_named_is_refused_in_spite_of_the_mode(open_server):
    server = open_server('socket_mode = "0666";')
    assert as_nobody(server) == "403"
    server.wait_for_log("uid 65534 .*may not use this socket")


def test_a_user_who_is_named_is_let_in(open_server):
    assert as_nobody(open_server('socket_mode = "0666"; socket_users = [ "nobody" ];')) == "200"


def test_a_reload_changes_who_may(open_server, programs, run):
    server = open_server('socket_mode = "0666";')
    server.write_conf(server.conf.read_text().replace('"0666";',
                                                      '"0666"; socket_users = [ "65534" ];'))
    run(programs / "countersignctl", "-s", server.dir / "open.sock", "reload")
    assert as_nobody(server) == "200"
