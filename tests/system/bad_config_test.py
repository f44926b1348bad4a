# SPDX-License-Identifier: BSD-2-Clause
"""Configurations with faults: all of them are told at once, each by its line; nothing is started.

In the texts below a line with a fault ends in "#!" and a word of the message that is to come.
"""
import os
import re
import socket
import stat

import pytest
from support import DISK, PREFIX, conf, disk, ram, target

# What stands in every file but where it is the fault: no secret may show up in a message.
SECRET = "do-not-tell-me-1"
GOOD_PORTALS = 'portals = ( { address = "127.0.0.1"; port = $port; } );'

FAULTS = {
    "a brace that is missing": '''
        state_dir = "state";
        limits = { login_timeout = 5;
        portals = ( { address = "127.0.0.1"; } );
        chap = = 5;                                             #! syntax error
    ''',
    "text without quotes": '''
        state_dir = "state"; $portals
        targets = ( { name = "iqn.2026-11.com.example:x"; credentials = (
            { user = "a"; secret = do-not-tell-me-1; } ); } );  #! double quotes
    ''',
    "a size without quotes": '''
        state_dir = "state"; $portals
        targets = ( { name = "iqn.2026-11.com.example:x"; luns = (
            { lun = 0; path = "disk.img"; size = 10M            #! double quotes
              create = true; } ); } );
    ''',
    "yes for true": '''
        state_dir = "state"; $portals
        iscsi = { initial_r2t = yes; };                         #! true and false
    ''',
    "a comma behind the last group": '''
        state_dir = "state";
        portals = ( { address = "127.0.0.1"; },
                  );                                            #! comma too many
    ''',
    "no portal": '''
        state_dir = "state";
        portals = ( );                                          #! empty
    ''',
    "a setting that does not exist": '''
        state_dir = "state";
        prtals = ( { address = "127.0.0.1"; } );                #! did you mean portals?
        portals = ( { adress = "127.0.0.1"; } );                #! did you mean address?
        limits = { login_time = 5; };                           #! did you mean login_timeout?
    ''',
    "a value of another kind": '''
        state_dir = 5;                                          #! state_dir
        reactors = "many";                                      #! reactors
        portals = { address = "127.0.0.1"; };                   #! portals
        targets = "none";                                       #! targets
    ''',
    "a number out of its range": '''
        state_dir = "state";
        reactors = 5000;                                        #! 1024
        portals = ( { address = "127.0.0.1"; port = 65536; },   #! 65535
                    { address = "127.0.0.2"; port = 0; } );     #! 1
        limits = { login_timeout = 0;                           #! 600
                   max_half_open = -1; };                       #! 1
        iscsi = { max_burst_length = "16M"; };                  #! 16777215
    ''',
    "an address that is none": '''
        state_dir = "state";
        portals = ( { address = "localhost"; },                 #! "localhost"
                    { address = "127.0.0.256"; },               #! "127.0.0.256"
                    { address = "[::1]"; },                     #! brackets
                    { address = "127.0.0.1"; advertise = ":"; } );  #! advertise
    ''',
    "a portal that is there twice": '''
        state_dir = "state";
        portals = ( { address = "127.0.0.1"; },
                    { address = "127.0.0.1"; port = 3260; },    #! twice
                    { address = "0.0.0.0"; } );                 #! overlaps
    ''',
    "a name that is none": '''
        state_dir = "state"; $portals
        targets = ( { name = "disk"; },                         #! "disk"
                    { name = "iqn.2026-13.com.example:x"; },    #! month
                    { name = "iqn.2026-11.com.Example:x"; },    #! lower case
                    { name = "eui.123"; } );                    #! eui
    ''',
    "a target that is there twice": '''
        state_dir = "state"; $portals
        targets = ( { name = "iqn.2026-11.com.example:x"; },
                    { name = "iqn.2026-11.com.example:x"; } );  #! twice
    ''',
    "units that cannot be": '''
        state_dir = "state"; $portals
        targets = ( { name = "iqn.2026-11.com.example:x"; luns = (
            { lun = 1; store = "ram"; size = "1M"; },
            { lun = 1; store = "ram"; size = "1M"; },           #! twice
            { lun = 10; store = "ram"; },                       #! size
            { lun = 2; store = "file"; },                       #! path
            { lun = 3; store = "tape"; path = "x"; },           #! "tape"
            { lun = 4; store = "ram"; size = "1X"; },           #! "1X"
            { lun = 5; store = "ram"; size = 5000; },           #! block
            { lun = 6; store = "ram"; size = "1M"; block_size = 1000; },    #! 4096
            { lun = 7; store = "ram"; size = "1M"; vendor = "far too long"; },   #! 8
            { lun = 8; store = "ram"; size = "1M"; naa = "600"; },  #! 32
            { lun = 20000; store = "ram"; size = "1M"; },       #! 16383
            { lun = 9; same_as = "nothing"; } ); } );           #! "nothing"
    ''',
    "two units on one file": '''
        state_dir = "state"; $portals
        targets = ( { name = "iqn.2026-11.com.example:x"; luns = (
            { lun = 0; path = "disk.img"; size = "1M"; create = true; },
            { lun = 1; path = "./disk.img"; size = "1M"; create = true; } ); } );   #! disk.img
    ''',
    "credentials that let nobody in, or too many": '''
        state_dir = "state"; $portals
        targets = ( { name = "iqn.2026-11.com.example:x"; credentials = (
            { initiator = "iqn.2026-11.com.example:a"; },       #! secret
            { initiator = "iqn.2026-11.com.example:b"; secret = "shorty"; },  #! 12
            { initiator = "host"; secret = "do-not-tell-me-1"; },   #! "host"
            { secret = "do-not-tell-me-1"; },                   #! user
            { initiator = "iqn.2026-11.com.example:c"; secret = "do-not-tell-me-1";
              target_secret = "do-not-tell-me-1"; },            #! target_secret
            { initiator = "iqn.2026-11.com.example:d"; secret = "do-not-tell-me-2"; },
            { initiator = "iqn.2026-11.com.example:d"; secret = "do-not-tell-me-3"; } );  #! twice
        } );
    ''',
    "a secret for both directions, in two targets": '''
        state_dir = "state"; $portals
        targets = ( { name = "iqn.2026-11.com.example:x"; credentials = (
            { initiator = "iqn.2026-11.com.example:a"; secret = "do-not-tell-me-1"; } ); },
                    { name = "iqn.2026-11.com.example:y"; credentials = (
            { initiator = "iqn.2026-11.com.example:b"; secret = "do-not-tell-me-2";
              target_secret = "do-not-tell-me-1"; } ); } );     #! target_secret
    ''',
    "algorithms that do not exist": '''
        state_dir = "state"; $portals
        chap = { algorithms = [ "MD5",
                                "MD4" ]; };                     #! "MD4"
    ''',
    "authentication that does not exist": '''
        state_dir = "state"; $portals
        discovery = { auth = "kerberos"; };                     #! "kerberos"
        targets = ( { name = "iqn.2026-11.com.example:x";
                      auth = "None"; } );                       #! "None"
    ''',
    "discovery behind CHAP that nobody can pass": '''
        state_dir = "state"; $portals
        discovery = { auth = "chap"; };                         #! credential
    ''',
    "nothing at all": "#! state_dir",
    "a management interface that is open to all": '''
        state_dir = "state"; $portals
        management = { socket_mode = "rw";                      #! "rw"
                       http = ( { address = "127.0.0.1"; } );   #! port
                       tokens = ( { name = "t"; token = "x"; } ); };    #! 16
    ''',
}


def reports(text):
    """{line: messages} of all the lines FILE:LINE: message."""
    told = {}
    for line, message in re.findall(r"^countersign\.conf:(\d+): (.*)$", text, re.M):
        told[int(line)] = told.get(int(line), "") + message + "\n"
    return told


def expected(text):
    """{line: word} of the marks."""
    return {n: line.split("#! ")[1].strip() for n, line in enumerate(text.splitlines(), 1)
            if "#! " in line}


def tree(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.fixture(params=["check", "start"])
def refused(request, programs, run, make_server):
    """refused(server): what the program says about the file, once by -t and once by a start."""
    def call(server):
        before = tree(server.dir)
        options = ["-t"] if request.param == "check" else ["-f"]
        done = run(programs / "countersignd", *options, "-c", server.conf.name, cwd=server.dir,
                   status=1, timeout=30)
        assert done.stdout == ""
        assert "Sanitizer" not in done.stderr
        assert tree(server.dir) == before        # no state, no socket, no file
        return done.stderr
    call.starts = request.param == "start"
    return call


@pytest.mark.parametrize("what", FAULTS)
def test_every_fault_is_told_by_its_line(make_server, refused, what):
    text = FAULTS[what].replace("$portals", GOOD_PORTALS)
    server = make_server(text)
    said = refused(server)
    told, marked = reports(said), expected(text)
    assert told.keys() == marked.keys(), said
    for line, word in marked.items():
        assert word in told[line], said
    assert "do-not-tell" not in said and "shorty" not in said


def test_the_file_itself_may_be_missing(run, programs, tmp_path):
    for options in (["-t"], ["-f"]):
        done = run(programs / "countersignd", *options, "-c", tmp_path / "none.conf", status=1)
        assert "none.conf" in done.stderr and "no such file" in done.stderr.lower()
    assert tree(tmp_path) == []


def test_an_included_file_is_named_with_its_own_lines(make_server, refused):
    server = make_server('state_dir = "state";\n@include "portals.conf"\n')
    (server.dir / "portals.conf").write_text('\nportals = ( { adress = "127.0.0.1"; } );\n')
    assert re.search(r"portals\.conf:2: .*adress", refused(server))


# --- what the file names --------------------------------------------------------------------------


def lun(path, more=""):
    return f'{{ lun = 0; store = "file"; path = "{path}"; {more} }}'


def names(said, server, word):
    """Whether one line names the place in the file and the word."""
    return re.search(rf"countersign\.conf:\d+: .*{word}", said)


def test_a_file_that_is_missing(make_server, refused):
    server = make_server(conf(target(luns=lun("none.img"))))
    assert names(refused(server), server, r"none\.img.*No such file")


def test_a_file_that_is_too_small_for_its_size(make_server, refused):
    server = make_server(conf(target(luns=lun("small.img", 'size = "2M";'))))
    (server.dir / "small.img").write_bytes(bytes(1 << 20))
    assert names(refused(server), server, r"small\.img")
    assert (server.dir / "small.img").stat().st_size == 1 << 20


def test_a_file_that_is_empty(make_server, refused):
    server = make_server(conf(target(luns=lun("empty.img"))))
    (server.dir / "empty.img").touch()
    assert names(refused(server), server, r"empty\.img")


def test_a_directory_in_place_of_a_file(make_server, refused):
    server = make_server(conf(target(luns=lun("folder", 'size = "1M"; create = true;'))))
    (server.dir / "folder").mkdir()
    assert names(refused(server), server, "folder is neither a file nor a block device")


def test_a_socket_or_a_fifo_in_place_of_a_file(make_server, refused):
    server = make_server(conf(target(luns=lun("fifo", 'size = "1M"; create = true;'))))
    os.mkfifo(server.dir / "fifo")
    assert names(refused(server), server, "fifo")


def test_a_file_in_a_directory_that_is_missing(make_server, refused):
    server = make_server(conf(target(luns=lun("no/disk.img", 'size = "1M"; create = true;'))))
    assert names(refused(server), server, "the directory no: No such file")


def test_a_state_dir_below_a_directory_that_is_missing(make_server, refused):
    server = make_server(conf().replace('"state"', '"no/state"'))
    assert names(refused(server), server, "state_dir.*no.*(No such file|does not exist)")


def test_a_state_dir_that_is_a_file(make_server, refused):
    server = make_server(conf())
    (server.dir / "state").write_text("mine")
    assert names(refused(server), server, "state")
    assert (server.dir / "state").read_text() == "mine"


def test_a_secret_file_that_others_can_read(make_server, refused):
    row = '{ initiator = "%shost1"; secret_file = "secret"; }' % PREFIX
    server = make_server(conf(target(credentials=row)))
    (server.dir / "secret").write_text(SECRET)
    (server.dir / "secret").chmod(0o644)
    said = refused(server)
    assert names(said, server, "secret") and SECRET not in said


def test_a_secret_file_that_is_missing(make_server, refused):
    row = '{ initiator = "%shost1"; secret_file = "none"; }' % PREFIX
    assert "none" in refused(make_server(conf(target(credentials=row))))


def test_files_of_all_units_are_told_at_once(make_server, refused):
    server = make_server(conf(target(luns=lun("one.img")),
                              target(PREFIX + "two", luns=lun("two.img"))))
    said = refused(server)
    assert "one.img" in said and "two.img" in said


@pytest.fixture
def unprivileged(tmp_path):
    """Runs what follows as a user without rights; takes root."""
    if os.geteuid() != 0:
        pytest.skip("takes root")
    for parent in [tmp_path, *tmp_path.parents]:
        mode = parent.stat().st_mode
        if parent.stat().st_uid == 0 and not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def test_a_file_without_permission(unprivileged, make_server):
    server = make_server('user = "nobody";' + conf(target(luns=lun("mine.img"))))
    os.chown(server.dir, 65534, 65534)
    (server.dir / "mine.img").write_bytes(bytes(1 << 20))
    (server.dir / "mine.img").chmod(0o600)
    assert server.spawn().process.wait(30) == 1
    server.process = None
    assert names(server.log(), server, r"no permission .*mine\.img")
    assert tree(server.dir) == ["countersign.conf", "mine.img", "stderr"]


# --- nothing half started -------------------------------------------------------------------------


def fails(server):
    code = server.spawn().process.wait(30)
    server.process = None
    server.check_reports()
    assert code == 1, server.log()
    return server.log()


def test_a_portal_in_use_leaves_no_other_one_and_no_file(make_server):
    server = make_server(conf(
        target(luns=disk("disk.img", size="1M")),
        portals='''{ address = "127.0.0.1"; port = $port; },
                   { address = "127.0.0.1"; port = $taken_port; }'''))
    with socket.create_server(("127.0.0.1", server.ports["taken_port"])):
        said = fails(server)
    assert re.search(rf"countersign\.conf:3: .*:{server.ports['taken_port']}: address already in "
                     "use", said)
    assert tree(server.dir) == ["countersign.conf", "stderr"]
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", server.port)) != 0


def test_a_unit_that_fails_leaves_no_file_of_the_others(make_server):
    server = make_server(conf(target(luns=", ".join([
        disk("new.img", 0, "1M"), ram(1), '{ lun = 2; store = "file"; path = "none.img"; }']))))
    assert "none.img" in fails(server)
    assert tree(server.dir) == ["countersign.conf", "stderr"]


def test_a_file_that_another_server_serves_is_refused(make_server, start):
    first = start(conf(target(luns=disk("disk.img", size="1M"))))
    second = make_server(conf(target(luns=lun(first.dir / "disk.img"))))
    assert names(fails(second), second, r"disk\.img")
    first.stop()
    second.start()
    assert DISK in second.conf.read_text()
