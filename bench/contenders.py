# SPDX-License-Identifier: GPL-2.0-or-later
"""The tunnels that are compared: each comes up between the namespaces `client` and `server`, over the same veth pair."""
import os

from lab import RELEASE, Failure

SERVER, CLIENT = "10.9.8.1", "10.9.8.2"  # outer addresses
PASSWORD = "correct horse"


class Plain:
    """No tunnel: the veth pair itself."""
    name = "veth"
    inner = SERVER
    commands = ()

    def __init__(self, lab):
        self.lab = lab

    def up(self):
        pass

    def down(self):
        pass

    def groups(self):
        return {}


class Tunnel(Plain):
    """Starts and ends the programs of a tunnel."""
    device = "tun0"

    def __init__(self, lab):
        super().__init__(lab)
        self.client = self.server = None

    def groups(self):
        return {f"{self.name} client": self.client.tree(), f"{self.name} server": self.server.tree()}

    def down(self):
        for process in (self.client, self.server):
            if process:
                self.lab.stop(process)
        self.client = self.server = None

    @property
    def commands(self):
        return [" ".join(process.command) for process in (self.server, self.client)]


class OpenConnect(Tunnel):
    """openconnect and ocserv over TLS (no DTLS), the cipher that we use."""
    name = "openconnect"
    inner = "10.77.0.1"
    port = 4443

    def up(self):
        lab, d = self.lab, self.lab.dir
        lab.run(None, "sh", "-c", f"printf '%s\\n%s\\n' '{PASSWORD}' '{PASSWORD}' | ocpasswd -c {d}/ocpasswd alice")
        (d / "ocserv.conf").write_text(f"""auth = "plain[passwd={d}/ocpasswd]"
tcp-port = {self.port}
run-as-user = root
run-as-group = root
socket-file = {d}/ocserv.socket
server-cert = {d}/vpn.test.pem
server-key = {d}/vpn.test.key
tls-priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM"
isolate-workers = false
max-clients = 4
max-same-clients = 4
keepalive = 3600
cisco-client-compat = false
device = oc
ipv4-network = 10.77.0.0
ipv4-netmask = 255.255.255.0
mtu = 1500
rate-limit-ms = 0
auth-timeout = 40
try-mtu-discovery = false
compression = false
pid-file = {d}/ocserv.pid
""")
        script = d / "openconnect-script"
        script.write_text("""#!/bin/sh
[ "$reason" = connect ] || exit 0
ip address add "$INTERNAL_IP4_ADDRESS/24" dev "$TUNDEV"
ip link set "$TUNDEV" up mtu 1500
""")
        script.chmod(0o755)
        self.server = lab.start("ocserv", "server", "ocserv", "-f", "-c", d / "ocserv.conf")
        lab.await_listen("server", self.port)
        self.client = lab.start("openconnect", "client", "openconnect", "--protocol=anyconnect", "--no-dtls", "--non-inter", "-u", "alice",
                                "--passwd-on-stdin", f"--cafile={d}/ca.pem", "--resolve", f"vpn.test:{SERVER}", "--interface", self.device,
                                "--mtu=1500", "--script", script, f"https://vpn.test:{self.port}", stdin=PASSWORD + "\n")
        lab.await_true(lambda: "10.77." in lab.run("client", "ip", "-4", "address", "show", "dev", self.device, check=False), 20)
        lab.run("client", "ping", "-c1", "-w5", "-i0.1", self.inner)


class OpenVpn(Tunnel):
    """OpenVPN over TCP, in user space, point to point, the cipher that we use."""
    name = "openvpn"
    inner = "10.78.0.1"
    port = 1194

    def up(self):
        lab, d = self.lab, self.lab.dir
        if not (d / "client.pem").exists():
            lab.run(None, os.path.join(os.path.dirname(__file__), "../tests/integration/ca"), d, "server", "client", "--usage", "clientAuth")
        common = ("--dev", self.device, "--dev-type", "tun", "--ca", d / "ca.pem", "--data-ciphers", "AES-128-GCM", "--disable-dco",
                  "--tun-mtu", "1500", "--mssfix", "0", "--verb", "3")
        self.server = lab.start("openvpn-server", "server", "openvpn", *common, "--proto", "tcp-server", "--local", SERVER, "--tls-server",
                                "--dh", "none", "--cert", d / "vpn.test.pem", "--key", d / "vpn.test.key",
                                "--ifconfig", self.inner, "10.78.0.2")
        lab.await_listen("server", self.port)
        self.client = lab.start("openvpn-client", "client", "openvpn", *common, "--proto", "tcp-client", "--remote", SERVER, "--tls-client",
                                "--cert", d / "client.pem", "--key", d / "client.key", "--ifconfig", "10.78.0.2", self.inner)
        self.client.await_line("Initialization Sequence Completed", 20)
        lab.run("client", "ping", "-c1", "-w5", "-i0.1", self.inner)


class Ours(Tunnel):
    """sstpcd quick and its worker against sstp-peer."""
    name = "sstpcd"
    inner, inner_client = "10.9.0.1", "10.9.0.2"
    device = "sstpc0"

    def __init__(self, lab, mtu=1500, system_store=False):
        super().__init__(lab)
        self.mtu, self.system_store = mtu, system_store

    def start_peer(self):
        lab, d = self.lab, self.lab.dir
        (d / "users").write_text(f"alice:{PASSWORD}\n")
        (d / "password").write_text(PASSWORD + "\n")
        (d / "password").chmod(0o600)
        self.server = lab.start("sstp-peer", "server", RELEASE / "src/sstp-peer/sstp-peer", "--listen", f"{SERVER}:443", "--cert", d / "vpn.test.pem",
                                "--key", d / "vpn.test.key", "--users", d / "users", "--address", self.inner, "--pool", "10.9.0.2-10.9.1.250",
                                "--mtu", self.mtu, "--mru", max(self.mtu, 1500), "--dns", "10.9.0.53,10.9.0.54", "--tun", "peer")
        lab.await_listen("server", 443)

    def start_client(self, *options):
        d = self.lab.dir
        self.client = self.lab.start("sstpcd", "client", RELEASE / "src/sstpcd/sstpcd", "quick", SERVER, "--user", "alice", "--password-file",
                                     d / "password", *(() if self.system_store else ("--ca", d / "ca.pem")), "--server-name", "vpn.test", "--interface", self.device,
                                     "--mtu", self.mtu, "--no-default-route", "--no-peer-dns", *options)

    def await_up(self, seconds=15):
        lab = self.lab
        lab.await_true(lambda: "LOWER_UP" in lab.run("client", "ip", "link", "show", self.device, check=False)
                       and "inet " in lab.run("client", "ip", "-4", "address", "show", "dev", self.device, check=False), seconds)

    def up(self):
        self.start_peer()
        self.start_client()
        self.await_up()
        self.lab.run("client", "ping", "-c1", "-w5", "-i0.1", self.inner)

    def connect_ms(self):
        """How long the connection took, as sstpcd reports it. Looked for rarely: looking takes time from a small machine."""
        return float(self.client.await_line(r" is up after ([\d.]+) ms", every=0.1)[1])

    def worker(self):
        """The pid of sstpc-tunnel."""
        for pid in self.client.tree():
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "sstpc-tunnel":
                return pid
        raise Failure("no worker runs")

    def groups(self):
        return {"worker": [self.worker()], "sstpcd": [self.client.pid], "sstp-peer": self.server.tree()}

    def link_local(self):
        """The peer's link-local address, to be reached through the tunnel."""
        text = self.lab.run("server", "ip", "-6", "-o", "address", "show", "dev", "peer0", "scope", "link")
        return text.split(" inet6 ")[1].split("/")[0] + f"%{self.device}"


class DebianSstpc(Ours):
    """Debian's sstp-client with pppd, against the same sstp-peer. It needs a kernel with PPP."""
    name = "sstpc"
    device = "ppp0"

    def start_client(self, *options):
        d = self.lab.dir
        self.client = self.lab.start("sstpc", "client", "sstpc", "--log-stderr", "--log-level", "2", "--ca-cert", d / "ca.pem", "--cert-warn",
                                     "--user", "alice", "--password", PASSWORD, SERVER, "ifname", self.device, "noauth", "refuse-eap",
                                     "refuse-pap", "noipdefault", "nodefaultroute", "mtu", "1500", "mru", "1500", "nodeflate", "nobsdcomp", *options)

    def await_up(self, seconds=40):
        super().await_up(seconds)

    def groups(self):
        return {"sstpc+pppd": self.client.tree(), "sstp-peer": self.server.tree()}
