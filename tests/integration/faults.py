# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of test-faults: a server that misbehaves, `sstpcd quick` against it, and what must come of it.

A case passes if quick ends with the exit status of the expected cause and one line that names stage, cause, what was seen
and a remedy (or comes up, and ends with 0 when asked to), in time, without a sanitizer's complaint, and leaves nothing in
the kernel, the resolver's file, the state directory and the process table.
"""
import contextlib
import ctypes
import dataclasses
import hashlib
import http.server
import json
import os
import pathlib
import queue
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

T, BUILD, PREFIX, SOURCE = (pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], pathlib.Path(sys.argv[4]))
WANTED = sys.argv[5] if len(sys.argv) > 5 else ""
ATTEMPT_TIME = 20  # for one attempt: far above what any case needs, far below the timers of the protocol
STOP_TIME = 8
LIBC = ctypes.CDLL(None, use_errno=True)

STAGES = {"SETUP": "setup", "RESOLVE": "resolve", "CONNECT": "connect", "TLS": "TLS", "HTTP": "HTTP", "SSTP": "SSTP",
          "LCP": "LCP", "AUTH": "authentication", "IPCP": "IPCP", "UP": "up"}
CAUSES = {name: (STAGES[stage], int(code)) for name, stage, code in re.findall(
    r'X\(\w+, "([^"]+)", (\w+), \w+, (\d+),', (SOURCE / "src/base/cause.h").read_text())}


class Wrong(Exception):
    """What a case found."""


def expect(condition, what):
    if not condition:
        raise Wrong(what)


def until(seconds, ready, what):
    end = time.monotonic() + seconds
    while not ready():
        expect(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(0.02)


def socket_in(namespace):
    """A TCP socket that lives in a network namespace: threads can enter one each."""
    result = queue.Queue()

    def make():
        with open(f"/run/netns/{namespace}", "rb") as f:
            ok = LIBC.setns(f.fileno(), 0x40000000) == 0
        result.put(socket.socket() if ok else OSError(ctypes.get_errno(), "setns"))
    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    made = result.get()
    if isinstance(made, OSError):
        raise made
    return made


@dataclasses.dataclass
class Case:
    name: str
    server: object  # a context manager of a Run: the server
    options: list = dataclasses.field(default_factory=list)  # of quick
    cause: str = ""  # "" = comes up
    seen: str = ""  # in the message, or in the report of a session that is up
    stage: str = ""  # where the cause can come in any
    told: str = ""  # in the peer's log: what the client did
    anything: bool = False  # any end will do: only that it is one
    while_up: object = None  # called with the Run


class Run:
    """A case under way in one of the two pairs of namespaces."""

    def __init__(self, case, slot):
        self.case, self.slot = case, slot
        self.server_ns, self.client_ns = f"{PREFIX}server{slot}", f"{PREFIX}client{slot}"
        self.base = pathlib.Path(tempfile.mkdtemp(dir=T))
        self.run_dir, self.resolv = self.base / "run", self.base / "resolv.conf"
        self.out, self.err, self.json = self.base / "out", self.base / "err", self.base / "json"
        self.run_dir.mkdir()
        self.resolv.write_text("nameserver 192.0.2.99\n")
        for path in (self.out, self.err, self.json):
            path.write_text("")
        self.quick = self.peer_process = None

    # --- the client

    def start_quick(self):
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.quick = subprocess.Popen(
                ["ip", "netns", "exec", self.client_ns, BUILD / "src/sstpcd/sstpcd", "quick", "192.0.2.1", "--user", "alice",
                 "--password-file", T / "password", "--ca", T / "ca.pem", "--server-name", "vpn.example.com", "--run-dir",
                 self.run_dir, "--resolv-conf", self.resolv, *self.case.options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def ups(self):
        return self.out.read_text().count(" is up after ")

    def await_up(self, count=1):
        def ready():
            expect(self.quick.poll() is None, f"ended with {self.quick.returncode}: {self.err.read_text()}")
            return self.ups() >= count
        until(ATTEMPT_TIME, ready, "up")

    def end_quick(self, sig=signal.SIGINT):
        self.quick.send_signal(sig)
        self.quick.wait(STOP_TIME)

    def in_client(self, *command):
        return subprocess.run(["ip", "netns", "exec", self.client_ns, *command], capture_output=True, text=True, check=False,
                              timeout=30)

    @staticmethod
    def processes(namespace):
        pids = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=True).stdout
        return [int(pid) for pid in pids.split()]

    def workers(self):
        found = []
        for pid in self.processes(self.client_ns):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/exe").endswith("sstpc-tunnel"):
                    found.append(pid)
        return found

    def end_all(self):
        """After a case that has failed: nothing of it is in the way of the next."""
        def gone():
            pids = self.processes(self.client_ns) + self.processes(self.server_ns)
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not pids
        until(10, gone, "every process of a failed case has ended")
        self.in_client("nft", "flush", "ruleset")

    def snapshot(self):
        kernel = self.in_client("sh", "-c", "ip -o -d link | sed 's/qlen.*//'; ip -o address | sed 's/valid_lft.*//';"
                                "ip -4 route show table all; ip -6 route show table all; ip rule; ip -6 rule;"
                                "nft list ruleset")
        # The lock and the journal's folders may stay, what they hold may not.
        state = [str(p.relative_to(self.run_dir)) for p in sorted(self.run_dir.rglob("*"))
                 if p.is_file() and p.stat().st_size > 0]
        return kernel.stdout + kernel.stderr + self.resolv.read_text() + "\n".join(state)

    # --- sstp-peer

    def start_peer(self, *options, cert="vpn.example.com"):
        before = self.json.read_text().count('"listening"')  # of an earlier peer of the case
        self.peer_process = subprocess.Popen(
            ["ip", "netns", "exec", self.server_ns, BUILD / "src/sstp-peer/sstp-peer", "--listen", "0.0.0.0:443", "--cert",
             T / f"{cert}.pem", "--key", T / f"{cert}.key", "--users", T / "users", "--log-json", self.json, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(self.base / "peer").open("ab"))

        def ready():
            expect(self.peer_process.poll() is None, "sstp-peer: " + (self.base / "peer").read_text()[-500:])
            return self.json.read_text().count('"listening"') > before
        until(10, ready, "sstp-peer listens")

    def stop_peer(self, sig=signal.SIGTERM):
        if not self.peer_process:
            return
        if self.peer_process.poll() is None:
            self.peer_process.send_signal(sig)
            try:
                self.peer_process.wait(10)
            except subprocess.TimeoutExpired:
                self.peer_process.kill()
                self.peer_process.wait()
                raise Wrong("sstp-peer does not end") from None
        expect(self.peer_process.returncode in (0, -sig), f"sstp-peer ended with {self.peer_process.returncode}: "
               + (self.base / "peer").read_text()[-3000:])

    def events(self):
        return [json.loads(line) for line in self.json.read_text().splitlines() if line.endswith("}")]


# --- servers -----------------------------------------------------------------------------------------------------------------

def peer(*options, cert="vpn.example.com"):
    @contextlib.contextmanager
    def server(run):
        try:
            run.start_peer(*options, cert=cert)
            yield
        finally:
            run.stop_peer()
    return server


def fault(*faults):
    return peer(*(word for f in faults for word in ("--fault", f)))


def nobody(_run):
    return contextlib.nullcontext()


def talk(conversation):
    """A server in Python: conversation(socket) once per connection."""
    @contextlib.contextmanager
    def server(run):
        listener = socket_in(run.server_ns)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", 443))
        listener.listen()

        def serve():
            with contextlib.suppress(OSError):  # the listener is closed at the end; clients hang up
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.settimeout(ATTEMPT_TIME)
                        conversation(connection)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(ATTEMPT_TIME)
    return server


def https(answer, cert="vpn.example.com", abrupt=False, newest=None):
    """Answers the request with these bytes, or what a function makes of it, and closes. With `newest`, a version of TLS, it
    wants a certificate of the client."""
    def conversation(connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(T / f"{cert}.pem", T / f"{cert}.key")
        if newest:
            context.maximum_version = newest
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(T / "ca.pem")
        with context.wrap_socket(connection, server_side=True) as tls:
            seen = b""
            while b"\r\n\r\n" not in seen:
                data = tls.recv(4096)
                if not data:
                    return
                seen += data
            tls.sendall(answer(seen) if callable(answer) else answer)
            if not abrupt:
                with contextlib.suppress(OSError):
                    tls.unwrap()
    return talk(conversation)


class Pages(http.server.SimpleHTTPRequestHandler):
    """A web server that keeps its log to itself."""

    def log_message(self, *_args):  # pylint: disable=arguments-differ
        pass


def web_server(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(T / "vpn.example.com.pem", T / "vpn.example.com.key")
    with context.wrap_socket(connection, server_side=True) as tls:
        Pages(tls, ("192.0.2.2", 0), None)


def status(line, *headers):
    return "\r\n".join([f"HTTP/1.1 {line}", "Server: test/1", *headers, "", ""]).encode()


# --- what is done while a session is up --------------------------------------------------------------------------------------

def carries(size=300_000, ping=1400):
    def check(run):
        answer = run.in_client("ping", "-c", "3", "-i", "0.05", "-w", "20", "-s", str(ping), "10.9.0.1")
        expect(answer.returncode == 0, answer.stdout + answer.stderr)
        data = os.urandom(size)
        listener, client = socket_in(run.server_ns), socket_in(run.client_ns)
        with listener, client:
            listener.bind(("10.9.0.1", 0))
            listener.listen()
            listener.settimeout(10)
            client.settimeout(10)
            client.connect(listener.getsockname())
            there, _ = listener.accept()
            with there:
                there.settimeout(10)
                for source, sink in ((client, there), (there, client)):
                    thread = threading.Thread(target=source.sendall, args=(data,))
                    thread.start()
                    digest, left = hashlib.sha256(), size
                    while left > 0:
                        piece = sink.recv(65536)
                        expect(piece, "the transfer was cut off")
                        digest.update(piece)
                        left -= len(piece)
                    thread.join()
                    expect(digest.digest() == hashlib.sha256(data).digest(), "bytes were changed on the way")
    return check


def comes_back(disturb, cause):
    """After the disturbance: told by its name, dialled again within the back-off, with the same address."""
    def check(run):
        address = re.search(r"address +(\S+)", run.out.read_text())[1]
        disturb(run)
        until(10, lambda: "next attempt in" in run.out.read_text(), "the next attempt is announced")
        expect(cause in run.err.read_text(), f"told: {run.err.read_text()}")
        run.await_up(2)
        expect(re.findall(r"address +(\S+)", run.out.read_text())[1] == address, "another address")
        carries(20_000)(run)
    return check


def kill_worker(sig):
    def disturb(run):
        for pid in run.workers():
            os.kill(pid, sig)
    return disturb


def restart_peer(run):
    run.stop_peer(signal.SIGKILL)
    run.start_peer()


def die_and_clean_up(run):
    """kill -9 of the daemon: the next start clears up, and comes up on the same name."""
    run.quick.kill()
    run.quick.wait()
    until(10, lambda: not run.workers(), "the worker ends by itself")
    run.start_quick()
    run.await_up(2)


def delete_interface(run):
    worker = run.workers()[0]
    run.in_client("ip", "link", "delete", "sstpc0")
    until(10, lambda: not pathlib.Path(f"/proc/{worker}").exists(), "the worker notices that its device is no more")


def key_log(_run):
    lines = (T / "keys").read_text()
    expect("CLIENT_TRAFFIC_SECRET_0" in lines, f"no keys in {lines!r}")


def up_report(pattern):
    def check(run):
        expect(re.search(pattern, run.out.read_text()), f"no /{pattern}/ in {run.out.read_text()}")
    return check


# --- the cases ---------------------------------------------------------------------------------------------------------------

def pin_of(cert):
    return "sha256:" + subprocess.run([SOURCE / "tests/integration/ca", T, "pin", T / f"{cert}.pem"], check=True,
                                      capture_output=True, text=True).stdout.strip()


def connection_cases():
    yield Case("TCP refused", nobody, cause="connection-refused", seen=r"192\.0\.2\.1 port 443 through c0")
    yield Case("TCP accepted and closed", talk(lambda c: None), cause="tls-failed", anything=False, stage="TLS")
    yield Case("plain text instead of TLS", talk(lambda c: c.sendall(b"220 mail.example.com ESMTP\r\n") or c.recv(1000)),
               cause="not-tls")
    yield Case("a web server", talk(web_server), cause="not-sstp", seen="HTTP status 501 .*SimpleHTTP")
    for cert, cause in (("other.example.com", "certificate-name"), ("untrusted", "certificate-untrusted"),
                        ("expired", "certificate-expired"), ("future", "certificate-not-yet-valid"),
                        ("client-only", "certificate-purpose")):
        pin = pin_of(cert)
        yield Case(f"certificate {cert}", peer(cert=cert), cause=cause,
                   seen=re.escape(f"its pin is {pin}") if cause == "certificate-untrusted" else "")
        yield Case(f"certificate {cert}, pinned", peer(cert=cert), ["--pin", pin], while_up=up_report("trusted by this pin"))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        yield Case(f"a client certificate is wanted, {version.name}", https(status("200 OK"), newest=version),
                   cause="client-certificate")
    yield Case("another pin", peer(), ["--pin", pin_of("untrusted")], cause="pin-mismatch")


def http_cases():
    for code, cause in (("401 Unauthorized", "not-sstp"), ("403 Forbidden", "http-refused"),
                        ("404 Not Found", "http-refused"), ("503 Service Unavailable", "http-refused"),
                        ("405 Method Not Allowed", "not-sstp")):
        yield Case(f"HTTP {code}", https(status(code, "Content-Length: 0")), cause=cause, seen=f"HTTP status {code}")
    yield Case("HTTP 200 and the end", https(status("200 OK", "Content-Length: 0")), cause="not-sstp",
               seen="HTTP status 200 with a page of 0 bytes")
    yield Case("HTTP names the server", https(lambda request: status("503 " + re.search(rb"Host: (.*?)\r", request)[1].decode())),
               cause="http-refused", seen=r"HTTP status 503 vpn\.example\.com")
    yield Case("HTTP redirect", https(status("302 Found", "Location: https://www.example.com/")), cause="not-sstp",
               seen="redirect to https://www.example.com/")
    yield Case("HTTP refusal that is cut off", https(b"HTTP/1.1 403 Forbidden\r\nServ", abrupt=True), cause="http-refused",
               seen="HTTP status 403")
    yield Case("HTTP closed without answer", https(b""), cause="http-closed")
    yield Case("HTTP noise", fault("garbage:http:300"), cause="not-sstp")


def abort(code):
    return f"10010014000500010002000c00000000{code:08x}"


def sstp_cases():
    yield Case("NAK", fault("replace:ack:" + 8 * "10010016000300010002000e00000001000000040001"), cause="sstp-nak")
    for code in range(1, 12):
        yield Case(f"ABORT {code}", fault(f"replace:ack:{abort(code)}"), cause="aborted-by-server", stage="SSTP",
                   seen=f"status {code} ")
    for where, cause, stage in (("http", "http-closed", "HTTP"), ("ack", "connection-lost", "SSTP"),
                                ("lcp", "connection-lost", "LCP"), ("auth", "connection-lost", "authentication"),
                                ("ipcp", "connection-lost", "IPCP")):
        yield Case(f"closed before {where}", fault(f"close:{where}"), cause=cause, stage=stage)
    yield Case("noise instead of the ACK", fault("garbage:ack:300"), cause="not-sstp")
    for n in (1, 2, 3, 7):
        yield Case(f"records of {n} bytes", fault(f"split:all:{n}"), while_up=carries(20_000 * min(n, 3), ping=100))
    yield Case("a slow server", fault("delay:ack:300", "delay:lcp:300", "delay:auth:300"), while_up=carries(20_000))
    # Up and over within what one recv(2) brings: request, Nak and Ack of IPCP, and the end.
    up = "10000012ff0380210101000a03060a09000110000012ff0380210301000a03060a09000510000012ff0380210202000a03060a090005"
    yield Case("up and away", fault(f"replace:ipcp:{up}1001000800060000"), ["--no-peer-dns"], cause="disconnected-by-server")
    yield Case("up and aborted", fault(f"replace:ipcp:{up}{abort(4)}"), ["--no-peer-dns"], cause="aborted-by-server")
    yield Case("up and closed", fault(f"replace:ipcp:{up}", "close:ipv6cp"), ["--no-peer-dns"], cause="connection-lost")
    yield Case("a third of LCP and IPCP is lost", fault("drop:lcp:30", "drop:ipcp:30"))


def login_cases():
    yield Case("wrong password", peer(), ["--password-file", str(T / "wrong")], cause="authentication-failed")
    yield Case("unknown user", peer(), ["--user", "mallory"], cause="authentication-failed")
    for method in ("pap", "chap"):
        yield Case(f"only {method}", peer("--auth", method), cause="authentication-method")
        yield Case(f"only {method}, allowed", peer("--auth", method), ["--allow", method], while_up=carries(1000))
    yield Case("only SHA-1", peer("--hash", "sha1"), while_up=up_report("(?i)crypto binding sha-?1"))
    yield Case("MRU 1400", peer("--mru", "1400"), while_up=lambda run: (up_report(r"MTU +1400")(run), carries(100_000)(run)))
    yield Case("MTU 4000", peer("--mtu", "4000", "--mru", "4087"), ["--mtu", "4000"],
               while_up=lambda run: (up_report(r"MTU +4000")(run), carries(100_000, ping=3900)(run)))
    yield Case("no IPv6", peer("--no-ipv6"), while_up=carries(1000))
    yield Case("the server's own address", peer("--pool", "192.0.2.1-192.0.2.1"), cause="no-address", seen="its own address")
    yield Case("TLS 1.2", peer("--tls-max", "1.2"), while_up=up_report(r"TLSv1\.2"))
    yield Case("a key log", peer(), ["--keylog", str(T / "keys")], while_up=key_log)


def survival_cases():
    yield Case("the server dies and comes back", peer(), while_up=comes_back(restart_peer, "the connection to the server"))
    yield Case("the worker is killed", peer(), while_up=comes_back(kill_worker(signal.SIGKILL), "ended unexpectedly"))
    yield Case("the worker is told to end", peer(), while_up=comes_back(kill_worker(signal.SIGTERM), "ended by signal 15"))
    yield Case("the daemon is killed", peer(), while_up=die_and_clean_up)
    yield Case("the interface is deleted", peer(), while_up=delete_interface, anything=True)


def malformed_case(vector):
    name, hexa, expected = "malformed: " + vector["name"], vector["hex"], vector["expect"]
    where = {"request_sent": "replace:ack", "ack_received": "after:ack", "connected": "after:ipcp"}[vector["state"]]
    faults = [f"{where}:{hexa}"]
    if expected == "transport_lost":
        faults.append("close:ipcp")
    if re.search("CHAP|PAP|EAP", vector["name"]):
        faults = [f"after:auth:{hexa}"]
    case = Case(name, fault(*faults), anything=True)
    if expected in ("close_silently", "transport_lost"):
        case = Case(name, fault(*faults), cause="sstp-protocol" if expected == "close_silently" else "connection-lost",
                    stage="IPCP" if expected == "transport_lost" else "")
        if vector["name"] == "HTTP text in the stream":
            case.cause, case.stage = "not-sstp", ""  # a web server's second thought
    elif expected.startswith("abort:") and expected[6:].isdigit():
        case = Case(name, fault(*faults), cause="sstp-protocol", told=f"status {expected[6:]} ", anything=False)
        if vector["name"] == "ACK bitmask 0x04 only":
            case.cause = "binding-hash"
        if "ECHO_RE" in vector["name"]:
            case = Case(name, fault(*faults), anything=True)  # a request is answered, see sstp.h
    elif expected in ("ignore", "ignore_no_loop", "echo_response") and "auth" not in faults[0]:
        case = Case(name, fault(*faults))
        if where == "replace:ack":  # no ACK comes any more, and the timers are the protocol's: 60 s
            case = Case(name, fault(f"{where}:{hexa}1001000800050000"), cause="aborted-by-server", stage="SSTP")
    elif expected.startswith("accept") and where == "replace:ack":
        # Goes on to the login; then the server finds that this is not the nonce that it had sent.
        case = Case(name, fault(*faults), cause="aborted-by-server", seen="crypto binding")
    elif expected == "abort_reply_then_close":
        case = Case(name, fault(*faults), cause="aborted-by-server")
    return case


def malformed_cases():
    for vector in json.loads((SOURCE / "tests/vectors/vectors.json").read_text())["malformed"]["cases"]:
        yield malformed_case(vector)


# --- running -----------------------------------------------------------------------------------------------------------------

def judge_failure(run):
    case, text = run.case, run.err.read_text()
    stage, code = CAUSES[case.cause]
    lines = [line for line in text.splitlines() if line.startswith("sstpcd quick: ")]
    expect(run.quick.returncode == code, f"exit status {run.quick.returncode}, expected {code}: {text}")
    expect(len(lines) == 1, f"not one line: {text}")
    stage = case.stage or stage
    expect(stage == "up" or lines[0].startswith(f"sstpcd quick: {stage} 192.0.2.1:443: "), f"not in stage {stage}: {text}")
    expect(re.search(r": .+; .+", lines[0]), f"no remedy: {text}")
    expect(re.search(case.seen, lines[0]), f"no /{case.seen}/: {text}")


def run_case(run):
    case = run.case
    before = run.snapshot()
    with case.server(run):
        run.start_quick()
        try:
            if case.anything:  # some wait for what does not come; those must end when asked to
                with contextlib.suppress(Wrong):
                    until(3, lambda: run.ups() or run.quick.poll() is not None, "")
            else:
                until(ATTEMPT_TIME if "is lost" not in case.name else 60,
                      lambda: run.ups() or run.quick.poll() is not None, "it comes up or ends")
            if run.quick.poll() is None and (case.anything or not case.cause):
                if case.while_up:
                    case.while_up(run)
                run.end_quick()
            run.quick.wait(STOP_TIME)
        finally:
            if run.quick.poll() is None:
                run.quick.kill()
                run.quick.wait()
        text = run.err.read_text()
        expect(run.quick.returncode not in (97, 1) and run.quick.returncode >= 0 and "ERROR: " not in text,
               f"ended with {run.quick.returncode}: {text}")
        expect(case in SURVIVAL or "tunnel process" not in text, f"the worker broke: {text}")
        if case.cause:
            judge_failure(run)
        elif not case.anything:
            expect(run.quick.returncode == 0 and run.ups() > 0, f"ended with {run.quick.returncode}: {text}{run.out.read_text()}")
        if case.told:
            until(5, lambda: re.search(case.told, run.json.read_text()), f"/{case.told}/ in the peer's log")
    until(2, lambda: not run.processes(run.client_ns), "every process has ended")
    after = run.snapshot()
    expect(after == before, f"left behind:\n--- before\n{before}\n--- after\n{after}")


def worker(slot, cases, results):
    while True:
        try:
            case = cases.get_nowait()
        except queue.Empty:
            return
        run, begin, wrong = Run(case, slot), time.monotonic(), ""
        try:
            try:
                run_case(run)
            except Exception:
                run.end_all()
                raise
        except Exception as e:  # pylint: disable=broad-exception-caught
            wrong = f"{type(e).__name__}: {e}\n--- peer\n{run.json.read_text()[-1500:]}\n--- client\n{run.err.read_text()[-3000:]}"
        results.put((case, time.monotonic() - begin, wrong))


SURVIVAL = list(survival_cases())
ALL = [c for c in [*SURVIVAL, *sstp_cases(), *connection_cases(), *http_cases(), *login_cases(), *malformed_cases()]
       if WANTED in c.name]


def main():
    cases, results, failed = queue.Queue(), queue.Queue(), 0
    for case in ALL:
        cases.put(case)
    for slot in (0, 1):
        threading.Thread(target=worker, args=(slot, cases, results), daemon=True).start()
    for number in range(1, len(ALL) + 1):
        case, seconds, wrong = results.get()
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {case.name}  ({seconds:.1f} s)")
        for line in wrong.splitlines()[-40:]:
            print(f"# {line}")
        sys.stdout.flush()
    print(f"1..{len(ALL)}")
    return 1 if failed else 0


sys.exit(main())
