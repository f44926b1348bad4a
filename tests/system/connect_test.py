# SPDX-License-Identifier: BSD-2-Clause
"""countersignctl connect: what it tells to type works as it stands, and secrets are told to nobody
but their keeper."""
import http.client
import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from credentials_test import Api
from support import (CREDENTIAL, DISK, HOST, ONE_WAY, PREFIX, SECRET, TARGET_SECRET, conf, lines,
                     needs_ipv6, no_secret, ram, target)

ROOT = Path(__file__).parents[2]

# Everything that a shell, a URL or an option of QEMU could take for its own.
ODD, ODD_TARGET = """it's "a", $HOME%41 `b`\\""", "another,one & more;"
ODD_CREDENTIAL = '{ initiator = "%s"; user = "o\'user, 1"; secret = "%s"; target_secret = "%s"; }' % (
    HOST, ODD.replace("\\", "\\\\").replace('"', '\\"'), ODD_TARGET)
NOBODY = 65534


@pytest.fixture
def connect(ctl):
    """connect(server, *options): what it prints for DISK."""
    return lambda server, *options, name=DISK, **kwargs: ctl(
        server, "connect", name, *options, **kwargs).stdout


def shell(script, folder):
    return subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True,
                          timeout=120, cwd=folder)


def commands(text):
    return "".join(line + "\n" for line in text.splitlines() if line.startswith("  "))


# --- what is printed works --------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("iscsi-ls"), reason="libiscsi-bin is not installed")
@pytest.mark.parametrize("credential", [CREDENTIAL, ODD_CREDENTIAL, ONE_WAY, ""],
                         ids=["mutual", "odd", "one_way", "none"])
def test_the_commands_for_libiscsi_log_in(start, connect, tmp_path, credential):
    server = start(conf(target(credentials=credential)))
    done = shell(commands(connect(server, "--os", "libiscsi", "--show-secret")), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Target:{DISK} Portal:{server.portal},1" in done.stdout
    assert "DIRECT_ACCESS" in done.stdout
    way = {CREDENTIAL: "mutual CHAP", ODD_CREDENTIAL: "mutual CHAP", ONE_WAY: "CHAP",
           "": "none"}[credential]
    assert lines(server, f"logged in to {DISK}, authentication {way}")
    assert no_secret(server, ODD, ODD_TARGET)


@pytest.mark.skipif(not shutil.which("iscsi-ls"), reason="libiscsi-bin is not installed")
def test_the_commands_for_libiscsi_discover_by_the_credential_of_discovery(start, connect, tmp_path):
    server = start(conf(target(credentials=CREDENTIAL), more='''discovery = { auth = "chap";
        credentials = ( { user = "finder"; secret = "discovery-secret"; } ); };'''))
    done = shell(commands(connect(server, "--os", "libiscsi", "--show-secret")), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Target:{DISK} Portal:{server.portal},1" in done.stdout
    assert lines(server, f"logged in to {DISK}, authentication mutual CHAP")


@pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-utils is not installed")
@pytest.mark.parametrize("credential", [CREDENTIAL, ODD_CREDENTIAL, ""],
                         ids=["mutual", "odd", "none"])
def test_the_commands_for_qemu_see_the_disk(start, connect, tmp_path, credential):
    server = start(conf(target(luns=ram(lun=3, size="96M"), credentials=credential)))
    text = commands(connect(server, "--os", "qemu", "--show-secret"))
    look, boot = text.split("  qemu-system-x86_64")
    done = shell(look, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "virtual size: 96 MiB" in done.stdout
    if credential:
        assert (tmp_path / "chap.secret").stat().st_mode & 0o777 == 0o600
    # The machine itself is for tests/vm; that QEMU takes the options is for here.
    if shutil.which("qemu-system-x86_64"):
        done = shell("echo quit | qemu-system-x86_64" + boot.rstrip() +
                     " -nodefaults -display none -S -monitor stdio", tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_words_for_windows_are_strings_of_powershell(start, connect):
    server = start(conf(target(credentials=ODD_CREDENTIAL)))
    text = connect(server, "--os", "windows", "--show-secret")
    # In single quotes nothing but these is special (about_Quoting_Rules).
    odd = ODD.replace("'", "''")
    assert f"Set-IscsiChapSecret -ChapSecret '{ODD_TARGET}'\n" in text
    assert f"-AuthenticationType MUTUALCHAP -ChapUsername 'o''user, 1' -ChapSecret '{odd}'" in text
    assert f"-TargetPortalAddress 127.0.0.1 -TargetPortalPortNumber {server.port}" in text
    assert "Windows takes secrets of 12 to 16 characters" in text
    assert text.index("Remove-IscsiTargetPortal") < text.index("New-IscsiTargetPortal")


def test_ways_that_discovery_does_not_tell_are_put_on_record(start, connect):
    server = start(conf(target(credentials=CREDENTIAL), portals='''
        { address = "127.0.0.1"; port = $port; },
        { address = "127.0.0.1"; port = $second_port; group = 2; }''', more='''discovery = {
        auth = "chap"; credentials = ( { initiator = "%shost2"; secret = "discovery-secret"; } ); };
        ''' % PREFIX))
    second = f"iscsiadm -m node -T {DISK} -p 127.0.0.1:{server.ports['second_port']}"
    told = re.findall(f"{second} (.*)", connect(server))
    assert told == ["-o new", "--login"]


def test_windows_is_told_of_further_portals_for_multipath(start, connect):
    server = start(conf(target(credentials=CREDENTIAL), portals='''
        { address = "127.0.0.1"; port = $port; },
        { address = "127.0.0.1"; port = $second_port; group = 2; }'''))
    logins = [words for words in connect(server, "--os", "windows").split("Connect-IscsiTarget ")[1:]
              if "-AuthenticationType MUTUALCHAP" in words]
    assert [("-IsMultipathEnabled $true" in words.partition("`")[0],
             int(re.search(r"PortNumber (\d+)", words)[1])) for words in logins] == [
        (False, server.port), (True, server.ports["second_port"])]


def test_the_lines_for_linux_are_those_of_the_examples(start, connect):
    server = start(conf(target(credentials=CREDENTIAL)))
    example = (ROOT / "examples/linux/iscsid.conf").read_text()
    wanted = dict(re.findall(r"^(\S+) = (.+)$", example, re.M))
    told = dict(re.findall(r"^ {5}((?:node|discovery)\S+) = (.+)$",
                           connect(server, "--show-secret"), re.M))
    own = {"node.session.auth.username": HOST, "node.session.auth.password": SECRET,
           "node.session.auth.username_in": DISK, "node.session.auth.password_in": TARGET_SECRET}
    assert told == {**wanted, **own, "discovery.sendtargets.auth.authmethod": "None"}


def test_linux_is_told_where_the_units_are(start, connect):
    text = connect(start(conf(target(luns=ram() + ", " + ram(lun=300)))))
    assert f"-iscsi-{DISK}-lun-0\n" in text
    assert f"-iscsi-{DISK}-lun-0x412c000000000000\n" in text


def test_ipxe_gets_a_script(start, connect):
    server = start(conf(target(luns=ram(lun=17), credentials=CREDENTIAL)))
    text = connect(server, "--os", "ipxe", "--show-secret")
    assert text.startswith("#!ipxe\n")
    assert [line for line in text.splitlines() if line[0] != "#"] == [
        f"set initiator-iqn {HOST}", f"set username {HOST}", f"set password {SECRET}",
        f"set reverse-username {DISK}", f"set reverse-password {TARGET_SECRET}",
        f"sanboot iscsi:127.0.0.1::{server.port}:11:{DISK}"]


def test_esxi_requires_the_first_direction_before_the_second(start, connect):
    text = connect(start(conf(target(credentials=CREDENTIAL))), "--os", "esxi", "--show-secret")
    assert text.index("--direction=uni --level=required") < text.index("--direction=mutual")
    assert f"--authname={DISK} --secret={TARGET_SECRET}" in text


ESXCLI = """#!/bin/sh
printf '%s\\0' "$@" >>"$LOG"; echo >>"$LOG"
[ "$*" != "iscsi adapter list" ] || echo "vmhba64  iscsi_vmk  online   iqn.x  iSCSI Software Adapter"
"""
# The namespaces of esxcli that are used, and what each takes.
ESXI_COMMANDS = {
    "iscsi software set": {"enabled"}, "iscsi adapter list": set(),
    "iscsi adapter set": {"adapter", "name"},
    "iscsi adapter auth chap set": {"adapter", "direction", "level", "authname", "secret"},
    "iscsi adapter param set": {"adapter", "key", "value"},
    "iscsi adapter discovery sendtarget remove": {"adapter", "address"},
    "iscsi adapter discovery sendtarget add": {"adapter", "address"},
    "iscsi adapter discovery rediscover": {"adapter"},
    "storage core adapter rescan": {"adapter"}, "iscsi session list": {"adapter", "name"}}


@pytest.fixture
def esxcli(tmp_path):
    """esxcli(script): what it would have ESXi do, as [(command, {option: value})]."""
    def call(script):
        (tmp_path / "esxcli").write_text(ESXCLI)
        (tmp_path / "esxcli").chmod(0o755)
        subprocess.run(["sh", "-eu", "-c", script], check=True, timeout=60, env={
            **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(tmp_path / "log")})
        calls = []
        for line in (tmp_path / "log").read_text().splitlines():
            words = line.rstrip("\0").split("\0")
            command = [word for word in words if word.isalpha()]
            options = "\0".join(words[len(command):])
            for short, long in (("-A", "--adapter"), ("-a", "--address")):
                options = options.replace(f"{short}\0", f"{long}=")
            calls.append((" ".join(command), dict(
                word[2:].split("=", 1) for word in options.split("\0") if word)))
        for command, options in calls:
            assert set(options) <= ESXI_COMMANDS[command], (command, options)
            assert options.get("adapter", "vmhba64") == "vmhba64"
        return calls
    return call


def chap_of(calls):
    return [(o["direction"], o["level"], o["authname"], o["secret"])
            for command, o in calls if command == "iscsi adapter auth chap set"]


def test_esxi_is_told_names_and_secrets_as_they_are(start, connect, esxcli):
    server = start(conf(target(credentials=ODD_CREDENTIAL)))
    calls = esxcli(commands(connect(server, "--os", "esxi", "--show-secret")))
    assert chap_of(calls) == [("uni", "required", "o'user, 1", ODD),
                              ("mutual", "required", DISK, ODD_TARGET)]
    assert ("iscsi adapter discovery sendtarget add",
            {"adapter": "vmhba64", "address": server.portal}) in calls
    assert calls[-1] == ("iscsi session list", {"adapter": "vmhba64", "name": DISK})


def test_the_example_for_esxi_does_what_is_told(start, connect, esxcli, tmp_path):
    server = start(conf(target(credentials=CREDENTIAL)))
    told = esxcli(commands(connect(server, "--os", "esxi", "--show-secret")))
    (tmp_path / "log").unlink()
    example = esxcli((ROOT / "examples/esxi/connect.sh").read_text())
    assert [c for c, _ in example if c != "iscsi adapter param set"] == [c for c, _ in told]
    demo = (ROOT / "examples/demo.conf").read_text()
    for _, _, name, secret in chap_of(example):
        assert f'"{name}"' in demo and f'"{secret}"' in demo


def test_several_kinds_of_host_come_in_the_order_that_was_asked_for(start, connect):
    text = connect(start(conf()), "--os", "qemu", "--os", "linux")
    assert text.startswith(f"QEMU to {DISK}\n") and f"\n\nLinux (open-iscsi) to {DISK}" in text


def test_digests_that_a_host_does_not_know_are_told(start, connect):
    server = start(conf(target(credentials=ONE_WAY), more='chap = { algorithms = [ "SHA256" ]; };'))
    for os_name in ("qemu", "ipxe", "libiscsi"):
        assert "MD5 alone" in connect(server, "--os", os_name)


def test_discovery_with_chap_is_told_with_its_own_credential(start, connect):
    server = start(conf(target(credentials=CREDENTIAL), more='''discovery = { auth = "chap";
        credentials = ( { user = "finder"; secret = "discovery-secret"; } ); };'''))
    text = connect(server, "--show-secret")
    assert "     discovery.sendtargets.auth.username = finder\n" in text
    assert "     discovery.sendtargets.auth.password = discovery-secret\n" in text
    assert "discovery.sendtargets.auth.username_in" not in text
    assert "-AuthenticationType ONEWAYCHAP -ChapUsername 'finder'" in connect(
        server, "--os", "windows", "--show-secret")


def test_a_host_that_discovery_is_closed_to_is_told_the_target(start, connect):
    server = start(conf(target(credentials=CREDENTIAL), more='''discovery = { auth = "chap";
        credentials = ( { initiator = "%shost2"; secret = "discovery-secret"; } ); };''' % PREFIX))
    text = connect(server)
    assert f"iscsiadm -m node -T {DISK} -p {server.portal} -o new\n" in text
    assert "-m discovery -t" not in text


LIBRARY = '''libraries = ( { name = "vtl"; layout = "luns"; target = "%s"; auth = "chap";
    credentials = ( %s ); drives = 2; slots = 4; import_export = 2; path = "vtl"; } );
''' % (PREFIX + "vtl", CREDENTIAL)


@pytest.fixture
def library(start, tmp_path):
    return start(conf(more=LIBRARY))


def test_tapes_are_told_as_tapes(library, connect):
    text = connect(library, name=PREFIX + "vtl")
    there = f"/dev/tape/by-path/ip-{library.portal}-iscsi-{PREFIX}vtl-lun"
    assert f"{there}-0-changer " in text and f"{there}-2-nst\n" in text
    assert f"     mtx -f {there}-0-changer status\n" in text
    assert f"     mt -f {there}-2-nst status\n" in text
    assert "60-countersign.rules" not in text
    text = connect(library, "--os", "windows", name=PREFIX + "vtl")
    assert "Get-PnpDevice -Class TapeDrive, MediumChanger" in text and "Get-Disk" not in text


@pytest.mark.parametrize("os_name, words", [
    ("ipxe", "# It has no disk"), ("esxi", "VMware does not support tape over iSCSI")])
def test_hosts_that_have_no_use_for_tapes_are_told_so(library, connect, os_name, words):
    assert words in connect(library, "--os", os_name, name=PREFIX + "vtl")


@pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="QEMU is not installed")
def test_qemu_hands_tapes_through(library, connect, tmp_path):
    text = commands(connect(library, "--os", "qemu", "--show-secret", name=PREFIX + "vtl"))
    secret, machine = text.split("  qemu-system-x86_64")
    done = shell(f"{secret}printf 'info block\\nquit\\n' | qemu-system-x86_64 {machine.rstrip()} -nodefaults "
                 "-display none -S -monitor stdio", tmp_path)
    assert not done.stderr, done.stderr
    assert all(f"unit{n}: json:" in done.stdout for n in range(3)), done.stdout


# --- which portals ----------------------------------------------------------------------------


def portals(ctl, server):
    told = json.loads(ctl(server, "--json", "connect", DISK).stdout)["portals"]
    return [(p["address"], p["port"], p["group"]) for p in told]


def test_a_wildcard_is_told_as_addresses_that_can_be_reached(start, ctl):
    server = start(conf(portals='{ address = "0.0.0.0"; port = $port; }'))
    told = portals(ctl, server)
    assert told and not [a for a, _, _ in told if a == "0.0.0.0"]
    assert {(port, group) for _, port, group in told} == {(server.port, 1)}
    assert len({a.startswith("127.") for a, _, _ in told}) == 1     # loopback only for want of others


def test_what_a_portal_advertises_is_told(start, ctl):
    server = start(conf(portals='{ address = "127.0.0.1"; port = $port; '
                                'advertise = "192.0.2.77:4000"; group = 7; }'))
    assert portals(ctl, server) == [("192.0.2.77", 4000, 7)]


def test_a_name_is_told_once_for_all_addresses_behind_it(start, ctl):
    server = start(conf(portals='{ address = "0.0.0.0"; port = $port; '
                                'advertise = "storage.example.com"; }'))
    assert portals(ctl, server) == [("storage.example.com", 3260, 1)]


def test_only_the_portals_of_the_targets_groups_are_told(start, ctl):
    server = start(conf(target(more="portal_groups = [ 2 ];"),
                        portals='{ address = "127.0.0.1"; port = $first_port; },'
                                '{ address = "127.0.0.1"; port = $port; group = 2; }'))
    assert portals(ctl, server) == [("127.0.0.1", server.port, 2)]


def test_an_ipv6_address_is_told_in_brackets(start, connect):
    needs_ipv6()
    server = start(conf(portals='{ address = "::1"; port = $port; }'))
    assert f"iscsiadm -m discovery -t sendtargets -p [::1]:{server.port}\n" in connect(server)
    assert f"sanboot iscsi:[::1]::{server.port}:0:" in connect(server, "--os", "ipxe")


# --- whose credential -------------------------------------------------------------------------


TWO_ROWS = CREDENTIAL + f', {{ initiator = "{PREFIX}host2"; secret = "secret-of-host-2"; }}'


def test_of_several_initiators_one_must_be_named(start, ctl, connect):
    server = start(conf(target(credentials=TWO_ROWS)))
    refused = ctl(server, "connect", DISK, status=1).stderr
    assert f"say which initiator ({HOST}, {PREFIX}host2)" in refused
    text = connect(server, "--initiator", PREFIX + "host2", "--show-secret")
    assert f"node.session.auth.username = {PREFIX}host2\n" in text
    assert "secret-of-host-2" in text and SECRET not in text
    assert f"InitiatorName={PREFIX}host2\n" in text


def test_a_row_for_all_is_told_without_a_name(start, connect):
    server = start(conf(target(credentials=f'{{ user = "anyone"; secret = "{SECRET}"; }}')))
    text = connect(server)
    assert "Any name in /etc/iscsi/initiatorname.iscsi will do." in text
    assert "node.session.auth.username = anyone\n" in text


def test_who_may_not_log_in_is_told_so(start, ctl):
    server = start(conf(target(credentials=CREDENTIAL)))
    api = Api(server)
    refused = ctl(server, "connect", DISK, "--initiator", PREFIX + "stranger", status=1)
    assert f"{PREFIX}stranger has no credential for {DISK}" in refused.stderr
    api.must("PUT", f"/v1/svms/svm1/credentials/{HOST}", {"type": "deny"})
    assert "may not log in" in ctl(server, "connect", DISK, status=1).stderr


def test_a_locked_target_without_a_credential_is_told_so(start, ctl):
    server = start(conf(target().replace('"none"', '"chap"')))
    said = ctl(server, "connect", DISK, status=1).stderr
    assert "asks for CHAP and has no credential" in said
    assert "`countersignctl credentials set` gives it one" in said


def test_an_svms_credential_holds_for_its_targets(start, connect):
    server = start(conf(target()))
    Api(server).must("PUT", f"/v1/svms/svm1/credentials/{HOST}",
                     {"secret": SECRET, "addresses": ["192.0.2.0/24", "198.51.100.7"]})
    assert f"node.session.auth.password = {SECRET}\n" in connect(server, "--show-secret")


def test_where_it_must_come_from_is_told(start, ctl):
    server = start(conf(target()))
    Api(server).set(DISK, HOST, secret=SECRET, addresses=["192.0.2.0/24"])
    assert "from these addresses alone: 192.0.2.0/24" in ctl(server, "connect", DISK).stderr


@pytest.mark.parametrize("args, status, words", [
    (["x"], 1, "there is no target x"),
    ([DISK, "--initiator", "x"], 1, "an initiator is an iSCSI name"),
    ([DISK, "--os", "amiga"], 2, "--os takes linux, windows,"),
    ([""], 2, "not the name of a target"),
    ([], 2, "usage: countersignctl connect TARGET"),
])
def test_what_cannot_be_asked_is_refused(start, ctl, args, status, words):
    done = ctl(start(conf()), "connect", *args, status=status)
    assert done.stdout == "" and words in done.stderr


# --- who sees secrets -------------------------------------------------------------------------


def test_without_being_asked_for_secrets_are_not_told(start, ctl):
    server = start(conf(target(credentials=CREDENTIAL)))
    for args in ([], ["--os", "windows"], ["--os", "esxi"], ["--json"]):
        done = ctl(server, "connect", DISK, *args)
        assert SECRET not in done.stdout and TARGET_SECRET not in done.stdout
    assert Api(server).must("GET", "/v1/audit")["audit"] == []


def test_that_they_were_shown_is_in_audit_and_log(start, ctl):
    server = start(conf(target(credentials=CREDENTIAL)))
    told = json.loads(ctl(server, "--json", "connect", DISK, "--show-secret").stdout)
    assert (told["secret"], told["target_secret"]) == (SECRET, TARGET_SECRET)
    entry, = Api(server).must("GET", "/v1/audit")["audit"]
    assert entry["who"].startswith(f"uid {os.geteuid()} ")
    assert (entry["what"], entry["object"], entry["detail"]) == (
        "show secrets", DISK, {"initiator": HOST})
    assert lines(server, f"secrets of {HOST} for {DISK} shown to uid")
    assert no_secret(server)


def test_over_the_network_they_are_told_to_nobody(start):
    server = start(conf(target(credentials=CREDENTIAL), more='''management = {
        http = ( { address = "127.0.0.1"; port = $http_port; tls = false; } );
        tokens = ( { name = "ops"; token = "token-of-an-operator"; } ); };'''))
    c = http.client.HTTPConnection("127.0.0.1", server.ports["http_port"], timeout=60)
    head = {"Authorization": "Bearer token-of-an-operator"}
    c.request("POST", f"/v1/targets/{DISK}/connect", "{}", head)
    answer = c.getresponse()
    assert (answer.status, SECRET.encode() in answer.read()) == (403, False)
    c.request("GET", f"/v1/targets/{DISK}/connect", headers=head)
    answer = c.getresponse()
    assert (answer.status, SECRET.encode() in answer.read()) == (200, False)
    assert Api(server).must("GET", "/v1/audit")["audit"] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_a_user_whom_the_socket_lets_in_may_ask_but_not_see_them(start, programs, tmp_path):
    for parent in [tmp_path, *tmp_path.parents]:
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    server = start(conf(target(credentials=CREDENTIAL), more='''management = {
        socket = "open.sock"; socket_mode = "0666"; socket_users = [ "nobody" ]; };'''))
    server.dir.chmod(0o711)

    def as_nobody(method, body=""):
        script = ("import os, socket, sys\n"
                  f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
                  "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
                  f"s.sendall(b'{method} /v1/targets/{DISK}/connect HTTP/1.1\\r\\nHost: x\\r\\n"
                  f"Content-Length: {len(body)}\\r\\nConnection: close\\r\\n\\r\\n{body}')\n"
                  "while data := s.recv(65536): print(data.decode(), end='')\n")
        return subprocess.run(["/usr/bin/python3", "-c", script, server.dir / "open.sock"],
                              capture_output=True, text=True, timeout=20, check=True).stdout

    assert as_nobody("GET").startswith("HTTP/1.1 200 ")
    refused = as_nobody("POST", "{}")
    assert refused.startswith("HTTP/1.1 403 ") and SECRET not in refused
