# SPDX-License-Identifier: BSD-2-Clause
"""Start and stop: what works, what is refused and with which words, and what is left behind."""
import contextlib
import fcntl
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import time
from pathlib import Path

import pytest

CONF = '''
state_dir = "state";
portals = ( { address = "127.0.0.1"; port = $port; } );
targets = (
  { name = "iqn.2026-11.com.example:disk";
    auth = "none";
    luns = ( { lun = 0; type = "disk"; store = "ram"; size = "16M"; } );
  }
);
'''
NOBODY = 65534


def with_lun(lun):
    return CONF.replace('{ lun = 0; type = "disk"; store = "ram"; size = "16M"; }', lun)


def file_lun(path, more=""):
    return with_lun(f'{{ lun = 0; type = "disk"; store = "file"; path = "{path}"; {more} }}')


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def refused(make_server):
    """refused(text, *options): starts a server that must exit with 1; gives what it said."""
    def call(text, *options, server=None):
        server = server or make_server(text)
        process = server.spawn(*options).process
        code = process.wait(30)
        server.process = None
        server.check_reports()
        assert code == 1, server.log()
        return server
    return call


def tree(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


# --- options --------------------------------------------------------------------------------


def test_help_names_every_option_of_the_manual_page(programs, run):
    text = run(programs / "countersignd", "--help").stdout
    page = Path(__file__).parents[2] / "man/countersignd.8"
    in_help = re.findall(r"^  -(\w), --", text, re.M)
    in_page = re.findall(r"^\.It Fl (\w)", page.read_text(), re.M)
    assert sorted(in_help) == sorted(in_page)


def test_version_is_printed(programs, run):
    assert re.match(r"countersignd \S+\n$", run(programs / "countersignd", "-V").stdout)


@pytest.mark.parametrize("args, words", [
    (["--nonsense"], '"--nonsense"'),
    (["-c"], '"-c"'),
    (["surplus"], '"surplus"'),
])
def test_a_wrong_command_line_is_refused_with_2(programs, run, args, words):
    done = run(programs / "countersignd", *args, status=2)
    assert words in done.stderr and "--help" in done.stderr


def test_without_a_file_it_says_which_is_missing(programs, run):
    if os.path.exists("/etc/countersign/countersign.conf"):
        pytest.skip("this machine has a configuration")
    done = run(programs / "countersignd", "-f", status=1)
    assert "/etc/countersign/countersign.conf" in done.stderr and "-c FILE" in done.stderr


# --- -t -------------------------------------------------------------------------------------


def check(server, run, **kwargs):
    return run(server.programs / "countersignd", "-t", "-c", server.conf.name, cwd=server.dir,
               **kwargs)


def test_a_good_file_passes_the_check_and_nothing_is_made(make_server, run):
    server = make_server(file_lun("disk.img", 'size = "1M"; create = true;'))
    done = check(server, run)
    assert (done.stdout, done.stderr) == ("", "")
    assert tree(server.dir) == ["countersign.conf"]


def test_the_check_prints_every_fault_with_its_line(make_server, run):
    server = make_server(CONF.replace('auth = "none"', 'auth = "some"')
                         .replace('"16M"', '"16X"'))
    lines = check(server, run, status=1).stderr.splitlines()
    assert len(lines) == 2
    assert all(re.match(r"countersign\.conf:\d+: ", line) for line in lines)
    assert '"some"' in lines[0] and '"16X"' in lines[1]


def test_the_check_looks_at_the_files(make_server, run):
    server = make_server(file_lun("missing.img"))
    text = check(server, run, status=1).stderr
    assert re.search(r"countersign\.conf:\d+: .*missing\.img", text)


def test_the_check_finds_two_rows_for_any_initiator(make_server, run):
    row = '{ user = "%s"; secret = "%s"; }'
    server = make_server(CONF.replace("luns =", "credentials = ( %s, %s ); luns =" % (
        row % ("a", "initiator-11111"), row % ("b", "initiator-22222"))))
    text = check(server, run, status=1).stderr
    assert re.match(r"countersign\.conf:\d+: .*any initiator", text)
    assert "initiator-" not in text


# --- a start that works -----------------------------------------------------------------------


def test_it_serves_and_stops_with_0_on_sigterm(start):
    server = start(CONF)
    assert accepts(server.port)
    process = server.process
    server.stop()
    assert process.returncode == 0
    assert not accepts(server.port)


def test_it_stops_with_0_on_sigint(start):
    server = start(CONF)
    process, server.process = server.process, None
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_a_second_signal_does_not_wait_for_initiators(start, run):
    """An initiator that ignores the request to log out: a socket that logs in and then sleeps."""
    server = start(CONF)
    with socket.socket() as s:
        s.connect(("127.0.0.1", server.port))
        keys = b"InitiatorName=iqn.2026-11.com.example:host1\0SessionType=Discovery\0"
        head = bytes([0x43, 0x87, 0, 0, 0]) + len(keys).to_bytes(3, "big") + bytes(40)
        s.sendall(head + keys + bytes(-len(keys) % 4))
        assert len(s.recv(4096)) >= 48
        server.wait_for_log("discovery session")
        begun = time.monotonic()
        process, server.process = server.process, None
        process.terminate()
        server.wait_for_log("stopping on signal 15")
        process.terminate()
        assert process.wait(4) == 0
        assert time.monotonic() - begun < 3
    assert "stopping at once" in server.log()


def test_what_it_makes_is_for_its_user_alone(start):
    server = start(file_lun("disk.img", 'size = "1M"; create = true;'))
    modes = {name: stat.S_IMODE((server.dir / name).stat().st_mode)
             for name in ("state", "state/lock", "state/identity", "state/ctl.sock", "disk.img")}
    assert modes == {"state": 0o700, "state/lock": 0o600, "state/identity": 0o600,
                     "state/ctl.sock": 0o600, "disk.img": 0o600}


def test_the_identity_of_a_unit_survives_a_restart(start, ctl):
    import json
    server = start(CONF)
    naa = [lun["naa"] for t in json.loads(ctl(server, "--json", "targets").stdout)["targets"]
           for lun in t["luns"]]
    assert re.match(r"6[0-9a-f]{31}$", naa[0])
    server.stop()
    server.start()
    again = [lun["naa"] for t in json.loads(ctl(server, "--json", "targets").stdout)["targets"]
             for lun in t["luns"]]
    assert naa == again


def test_it_starts_again_after_a_crash(start):
    server = start(CONF)
    server.kill()
    assert (server.dir / "state/ctl.sock").exists()
    server.start()
    assert accepts(server.port)


def test_a_socket_that_is_gone_does_not_stop_the_server(start):
    server = start(CONF)
    (server.dir / "state/ctl.sock").unlink()
    server.stop()


def test_ipv6_and_several_portals(start):
    text = CONF.replace('{ address = "127.0.0.1"; port = $port; }',
                        '{ address = "127.0.0.1"; port = $port; }, '
                        '{ address = "::1"; port = $port; }, '
                        '{ address = "127.0.0.1"; port = $second_port; group = 2; }')
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on this machine")
    server = start(text)
    assert accepts(server.ports["second_port"])
    with socket.socket(socket.AF_INET6) as s:
        s.connect(("::1", server.port))


# --- a start that fails -----------------------------------------------------------------------


def test_a_second_instance_is_told_who_runs(start, refused):
    server = start(CONF)
    first, server.process = server.process, None
    try:
        refused(None, server=server)
        assert f"process {first.pid}" in server.log() and "state" in server.log()
        assert accepts(server.port)
        assert (server.dir / "state/ctl.sock").exists()
    finally:
        server.process = first


def test_a_portal_in_use_is_named(refused, make_server):
    server = make_server(CONF)
    with socket.socket() as s:
        s.bind(("127.0.0.1", server.port))
        s.listen()
        refused(None, server=server)
    assert re.search(rf"countersign\.conf:3: .*127\.0\.0\.1:{server.port}: address already in use",
                     server.log())
    assert tree(server.dir) == ["countersign.conf", "stderr"]


def test_every_portal_in_use_is_named(refused, make_server):
    server = make_server(CONF.replace('port = $port; }', 'port = $port; }, '
                                      '{ address = "127.0.0.1"; port = $other_port; }'))
    with socket.socket() as s, socket.socket() as t:
        for sock, name in ((s, "port"), (t, "other_port")):
            sock.bind(("127.0.0.1", server.ports[name]))
            sock.listen()
        refused(None, server=server)
    assert all(f"127.0.0.1:{p}: address already in use" in server.log()
               for p in server.ports.values())


def test_an_address_of_another_machine_is_named(refused):
    server = refused(CONF.replace("127.0.0.1", "192.0.2.1"))
    assert "192.0.2.1" in server.log() and "no interface" in server.log()


def test_a_missing_file_is_named_and_nothing_is_left(refused):
    server = refused(file_lun("missing.img"))
    assert re.search(r"countersign\.conf:\d+: .*missing\.img", server.log())
    assert tree(server.dir) == ["countersign.conf", "stderr"]


def test_a_file_that_is_too_small_is_named_and_not_touched(refused, make_server):
    server = make_server(file_lun("small.img", 'size = "2M";'))
    (server.dir / "small.img").write_bytes(b"x" * (1 << 20))
    refused(None, server=server)
    assert re.search(r"countersign\.conf:\d+: .*small\.img has only 1M", server.log())
    assert (server.dir / "small.img").read_bytes() == b"x" * (1 << 20)


def test_all_files_that_are_wrong_are_named(refused):
    server = refused(with_lun(
        '{ lun = 0; type = "disk"; store = "file"; path = "one.img"; }, '
        '{ lun = 1; type = "disk"; store = "file"; path = "two.img"; }'))
    assert "one.img" in server.log() and "two.img" in server.log()


def test_a_file_that_is_open_elsewhere_is_named_and_no_new_one_is_left(refused, start, make_server):
    first = start(file_lun("disk.img", 'size = "1M"; create = true;'))
    path = first.dir / "disk.img"
    second = make_server(with_lun(
        '{ lun = 0; type = "disk"; store = "file"; path = "new.img"; size = "1M"; create = true; }, '
        f'{{ lun = 1; type = "disk"; store = "file"; path = "{path}"; }}'))
    refused(None, server=second)
    assert re.search(r"countersign\.conf:\d+: .*disk\.img: already open", second.log())
    assert tree(second.dir) == ["countersign.conf", "stderr"]


@contextlib.contextmanager
def start_that_fails(server):
    """The process while it waits for the lock of a disk that it will not get, with a tape library that
    it has opened before."""
    server.write_conf(file_lun("disk.img") + '''
        libraries = ( { name = "vtl"; target_prefix = "iqn.2026-11.com.example:vtl"; path = "vtl"; } );
    ''')
    with open(server.dir / "disk.img", "wb") as disk:
        disk.truncate(1 << 20)
        fcntl.fcntl(disk, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        process = server.spawn().process
        while not (server.dir / "vtl").exists() and process.poll() is None:
            time.sleep(0.005)
        yield process
        assert process.wait(30) == 1
    server.process = None
    server.check_reports()
    assert "disk.img: already open" in server.log()
    assert tree(server.dir) == ["countersign.conf", "disk.img", "stderr"]


@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_does_not_disturb_the_end_of_a_start_that_failed(make_server, sent):
    with start_that_fails(make_server(CONF)) as process:
        process.send_signal(sent)


def test_a_request_does_not_disturb_the_end_of_a_start_that_failed(make_server):
    server = make_server(CONF)
    with start_that_fails(server), socket.socket(socket.AF_UNIX) as s:
        s.connect(str(server.dir / "state/ctl.sock"))
        s.sendall(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        s.settimeout(30)
        with contextlib.suppress(ConnectionError):
            assert s.recv(4096) == b""


def test_a_socket_that_another_server_answers_on_is_left_alone(refused, start):
    first = start(CONF)
    path = first.dir / "state/ctl.sock"
    before = path.stat().st_ino
    second = refused(CONF.replace("targets =", f'management = {{ socket = "{path}"; }}; targets ='))
    assert "another server answers" in second.log() and str(path) in second.log()
    assert path.stat().st_ino == before
    assert tree(second.dir) == ["countersign.conf", "stderr"]


def test_a_file_in_the_place_of_the_socket_is_left_alone(refused, make_server):
    server = make_server(CONF.replace("targets =",
                                      'management = { socket = "precious"; }; targets ='))
    (server.dir / "precious").write_text("data")
    refused(None, server=server)
    assert "precious" in server.log()
    assert (server.dir / "precious").read_text() == "data"


def test_a_damaged_identity_is_refused(start, refused):
    server = start(CONF)
    server.stop()
    (server.dir / "state/identity").write_text("what?\n")
    refused(None, server=server)
    assert "identity" in server.log()
    assert (server.dir / "state/identity").read_text() == "what?\n"


def test_a_user_that_does_not_exist_is_named(refused):
    if os.geteuid() != 0:
        pytest.skip("only root becomes somebody else")
    server = refused('user = "no-such-user";' + CONF)
    assert 'no-such-user' in server.log()


# --- who it runs as ---------------------------------------------------------------------------


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


@pytest.fixture
def nobody_dir(tmp_path):
    """A folder that belongs to nobody, below one that nobody may enter; root only."""
    if os.geteuid() != 0:
        pytest.skip("takes root")
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_uid == 0 and not parent.stat().st_mode & stat.S_IXOTH:
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    os.chown(tmp_path, NOBODY, NOBODY)


def test_root_becomes_the_user_for_good(nobody_dir, make_server):
    server = make_server('user = "nobody";' + file_lun("disk.img", 'size = "1M"; create = true;'))
    os.chown(server.dir, NOBODY, NOBODY)
    server.start()
    facts = status_of(server.pid)
    assert facts["Uid"].split() == [str(NOBODY)] * 4
    assert facts["Gid"].split() == [str(NOBODY)] * 4
    assert facts["CapEff"] == facts["CapPrm"] == "0" * 16
    assert facts["NoNewPrivs"] == "1"
    assert {(server.dir / p).stat().st_uid for p in ("state", "state/lock", "disk.img",
                                                     "state/identity", "state/ctl.sock")} == {NOBODY}


def test_root_binds_a_port_that_the_user_could_not(nobody_dir, make_server):
    server = make_server('user = "nobody";' + CONF, ports={"port": 860})
    os.chown(server.dir, NOBODY, NOBODY)
    if accepts(860):
        pytest.skip("port 860 is in use")
    server.start()
    assert accepts(860)
    assert status_of(server.pid)["Uid"].split() == [str(NOBODY)] * 4


def test_what_the_user_may_not_read_is_refused_though_root_could(nobody_dir, make_server, refused):
    server = make_server('user = "nobody";' + file_lun("secret.img"))
    os.chown(server.dir, NOBODY, NOBODY)
    (server.dir / "secret.img").write_bytes(bytes(1 << 20))
    (server.dir / "secret.img").chmod(0o600)
    refused(None, server=server)
    assert re.search(r"countersign\.conf:\d+: .*no permission .*secret\.img", server.log())


def test_it_runs_without_any_privilege(nobody_dir, make_server, programs):
    if subprocess.run(["setpriv", "--version"], capture_output=True).returncode:
        pytest.skip("setpriv is not installed")
    server = make_server(CONF)
    os.chown(server.dir, NOBODY, NOBODY)
    for path in [programs, *programs.parents]:
        if not path.stat().st_mode & stat.S_IXOTH:
            pytest.skip(f"{path} may not be entered by everybody")
    process = subprocess.Popen(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
         programs / "countersignd", "-f", "-c", server.conf],
        cwd=server.dir, stderr=open(server.stderr, "ab"),
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    try:
        server.wait_for_log("serves 1 target")
        assert accepts(server.port)
        assert status_of(process.pid)["Uid"].split() == [str(NOBODY)] * 4
    finally:
        process.terminate()
    assert process.wait(10) == 0


# --- in the background ------------------------------------------------------------------------


def pid_of(server):
    return int((server.dir / "state/lock").read_text())


def gone(pid, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def daemon():
    """daemon(server): starts it in the background, gives the finished starter; stopped after the
    test."""
    servers = []

    def start(server):
        servers.append(server)
        return subprocess.run([server.programs / "countersignd", "-c", server.conf.name],
                              cwd=server.dir, stdin=subprocess.DEVNULL, timeout=30,
                              capture_output=True, text=True)
    yield start
    for server in servers:
        if (server.dir / "state/lock").exists():
            pid = pid_of(server)
            os.kill(pid, signal.SIGTERM)
            assert gone(pid)


def test_a_daemon_serves_when_its_starter_has_returned(make_server, daemon):
    server = make_server(CONF)
    done = daemon(server)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    pid = pid_of(server)
    assert accepts(server.port)
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    assert int(fields[3]) != pid and int(fields[4]) == 0      # leads no session, has no terminal


def test_a_daemon_that_cannot_start_says_so_where_it_was_started(make_server, daemon):
    server = make_server(file_lun("missing.img"))
    done = daemon(server)
    assert done.returncode == 1
    assert "missing.img" in done.stderr
    assert tree(server.dir) == ["countersign.conf"]


def test_a_daemon_reloads_the_file_that_it_was_started_with(make_server, daemon, ctl):
    server = make_server(CONF)
    assert daemon(server).returncode == 0
    server.write_conf(CONF.replace(":disk", ":other"))
    ctl(server, "reload")
    assert ":other" in ctl(server, "targets").stdout


# --- the service manager ----------------------------------------------------------------------


def test_a_socket_that_is_passed_in_is_used(make_server):
    server = make_server(CONF)
    with socket.socket() as s, socket.socket() as stranger:
        for sock, port in ((s, server.port), (stranger, 0)):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", port))
            sock.listen()
        unwanted = stranger.getsockname()[1]
        script = ("import os, sys; a, b = map(int, sys.argv[1:3]); "
                  "os.dup2(a, 3); os.dup2(b, 4); os.close(a); os.close(b); "
                  "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2'); "
                  "os.execv(sys.argv[3], sys.argv[3:])")
        a, b = os.dup(s.fileno()), os.dup(stranger.fileno())
        high = [os.open("/dev/null", os.O_RDONLY) for _ in range(8)]    # keeps 3 and 4 out of the way
        server.process = subprocess.Popen(
            ["/usr/bin/python3", "-c", script, str(a), str(b),
             str(server.programs / "countersignd"), "-f", "-c", str(server.conf)],
            cwd=server.dir, pass_fds=(a, b), stderr=open(server.stderr, "ab"))
        for fd in (a, b, *high):
            os.close(fd)
    server.wait_for_log("serves 1 target")
    assert accepts(server.port)
    assert f"127.0.0.1:{unwanted}" in server.wait_for_log(".*fits no portal.*").group()
    assert not accepts(unwanted)


def messages(notify, until, seconds=10):
    """What the server tells the service manager until a message holds UNTIL."""
    deadline = time.monotonic() + seconds
    seen = []
    notify.settimeout(0.2)
    while not seen or until not in seen[-1]:
        assert time.monotonic() < deadline, f"{until} did not come after {seen}"
        try:
            seen.append(notify.recv(4096).decode())
        except TimeoutError:
            pass
    return seen


def test_the_service_manager_is_told(make_server):
    server = make_server(CONF)
    path = server.dir / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        path.chmod(0o777)
        server.spawn(NOTIFY_SOCKET=str(path))
        messages(notify, "READY=1")
        server.reload()
        told = messages(notify, "READY=1")
        assert re.search(r"^RELOADING=1\nMONOTONIC_USEC=\d+$", told[0])
        server.process.terminate()
        messages(notify, "STOPPING=1")
        server.stop()
