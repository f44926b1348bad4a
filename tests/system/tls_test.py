# SPDX-License-Identifier: BSD-2-Clause
"""Management over TLS: which versions are spoken, and whose certificate is shown."""
import socket
import ssl
import stat

import pytest

from aws_test import management
from support import conf, target


def text(cert="", address="127.0.0.1"):
    return conf(target(), more=f'''management = {{
      http = ( {{ address = "{address}"; port = $tls_port; tls = true; {cert} }} ); }};''')


OURS = 'cert = "cert.pem"; key = "key.pem";'


def shake_hands(server, context, address="127.0.0.1", name=None):
    """The certificate (DER) and the version of a connection."""
    with socket.create_connection((address, server.ports["tls_port"]), timeout=20) as s:
        with context.wrap_socket(s, server_hostname=name or address) as tls:
            return tls.getpeercert(True), tls.version()


def shown(server):
    return shake_hands(server, ssl._create_unverified_context())[0]


def make_cert(run, folder, name="", key="key.pem", more=("-nodes",)):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", *more,
        "-keyout", folder / key, "-out", folder / "cert.pem", "-days", "10",
        "-subj", f"/CN={name or 'test'}", "-addext", "subjectAltName=IP:127.0.0.1")


def der(path):
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def refusal(server):
    """What a server says that does not start."""
    server.spawn()
    assert server.process.wait(30) == 1
    server.process = None
    return server.log()


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_not_spoken(start, version):
    server = start(text())
    context = ssl._create_unverified_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    if version in ("TLSv1", "TLSv1_1"):
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            shake_hands(server, context)
    else:
        assert shake_hands(server, context)[1] == version.replace("_", ".")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "127.0.0.3", socket.gethostname()])
def test_the_servers_own_certificate_is_for_whatever_clients_call_it(start, name):
    server = start(text(address="127.0.0.3"))
    context = ssl.create_default_context(cafile=server.dir / "state/tls-cert.pem")
    shake_hands(server, context, "127.0.0.3", name)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(server, context, "127.0.0.3", "192.0.2.200")


def test_the_servers_own_certificate_stays_until_it_is_removed(start, ctl):
    server = start(text())
    path = server.dir / "state/tls-cert.pem"
    assert stat.S_IMODE((server.dir / "state/tls-key.pem").stat().st_mode) == 0o600
    was = shown(server)
    server.stop()
    server.start()
    assert shown(server) == was == der(path)
    path.unlink()
    ctl(server, "reload")
    assert shown(server) == der(path) != was


def test_a_certificate_that_was_made_half_way_is_made_anew(start):
    server = start(text())
    server.stop()
    state = server.dir / "state"
    (state / "tls-key.pem").unlink()
    (state / "tls-cert.pem.new").mkdir()    # the key can be written, the certificate not
    assert "tls-cert.pem" in refusal(server)
    (state / "tls-cert.pem.new").rmdir()
    server.start()
    assert shown(server) == der(state / "tls-cert.pem")


def test_a_certificate_that_is_renewed_is_shown_after_a_reload(make_server, ctl, run):
    server = make_server(text(OURS))
    make_cert(run, server.dir)
    server.start()
    assert shown(server) == der(server.dir / "cert.pem")
    was = der(server.dir / "cert.pem")
    make_cert(run, server.dir)
    assert shown(server) == was
    ctl(server, "reload")
    assert shown(server) == der(server.dir / "cert.pem") != was


def test_a_certificate_that_is_none_leaves_the_old_one_in_force(make_server, ctl, run):
    server = make_server(text(OURS))
    make_cert(run, server.dir)
    server.start()
    was = shown(server)
    for name, why in (("cert.pem", "there is no certificate in it that can be read"),
                      ("key.pem", "there is no private key in it that can be read")):
        good = (server.dir / name).read_text()
        (server.dir / name).write_text("-----BEGIN")
        said = ctl(server, "reload", status=1).stderr
        assert f"{name}: {why}" in said
        assert shown(server) == was
        (server.dir / name).write_text(good)


def test_a_listener_becomes_tls_and_goes_by_a_reload(start, ctl):
    plain = text().replace("tls = true;", "")
    server = start(plain)
    with pytest.raises(ssl.SSLError):
        shown(server)
    server.write_conf(text())
    ctl(server, "reload")
    assert shown(server) == der(server.dir / "state/tls-cert.pem")
    server.write_conf(plain)
    ctl(server, "reload")
    with pytest.raises(ssl.SSLError):
        shown(server)
    server.write_conf(conf(target()))
    ctl(server, "reload")
    with pytest.raises(ConnectionRefusedError):
        shown(server)


def test_what_was_hardly_meant_is_warned_of(start):
    server = start(text(address="0.0.0.0").replace("tls = true;", ""))
    server.wait_for_log(rf"warning: management: at 0.0.0.0:{server.ports['tls_port']} secrets cross "
                        "the network in the clear")
    server = start(conf(target(), more='''management = {
      tokens = ( { name = "t"; token = "a-token-of-the-test"; } ); };'''))
    server.wait_for_log("warning: management: without management.http nobody can reach")
    server = start(conf(target(), more=management()))
    assert "warning: management" not in server.log()


def test_a_key_of_another_certificate_is_refused(make_server, run):
    server = make_server(text(OURS))
    make_cert(run, server.dir)
    make_cert(run, server.dir, key="other.pem")
    assert "key.pem: the key is not that of the certificate" in refusal(server)


def test_nobody_is_asked_for_the_password_of_a_key(make_server, run):
    server = make_server(text(OURS))
    make_cert(run, server.dir, more=("-passout", "pass:secret"))
    assert "key.pem: the private key in it is encrypted" in refusal(server)


def is_closed(s):
    """Whether the server closes a connection on which nothing more is to come, unless it has done so
    before."""
    try:
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def test_what_is_no_tls_is_no_burden(start):
    server = start(conf(target(), more=management()))
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 500, b"\x80\x2e\x01"):
        with socket.create_connection(("127.0.0.1", server.ports["tls_port"]), timeout=40) as s:
            s.sendall(garbage)
            assert is_closed(s)
    assert shown(server)
