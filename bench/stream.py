# SPDX-License-Identifier: GPL-2.0-or-later
"""A bare TLS connection between the namespaces `client` and `server`: what a tunnel over TLS is compared with."""
import json
import math

from contenders import SERVER
from lab import CONGESTION, RELEASE, Failure


class TlsStream:
    """Runs bench/tls-stream and bench/tls-echo, whose ends print a line of JSON."""
    port = 4433

    def __init__(self, lab):
        self.lab, self.commands = lab, []

    def both_ends(self, tool, *options, seconds=30, serve=()):
        """Runs a server (with the options `serve`) and a client of the tool; returns what they printed, by namespace."""
        lab, path = self.lab, RELEASE / "bench" / tool
        common = (SERVER, self.port, "--congestion", CONGESTION)
        server = lab.start(f"{tool}-server", "server", path, "serve", *common, *serve)
        client = None
        try:
            server.await_line("listening")
            client = lab.start(f"{tool}-client", "client", path, "connect", *common, *options)
            client.popen.wait(seconds)
            server.popen.wait(seconds)
            self.commands += [" ".join(process.command) for process in (server, client)]
            return {ns: parse(process) for ns, process in (("server", server), ("client", client))}
        finally:
            for process in (server, client):
                if process:
                    lab.stop(process)

    def stream(self, seconds, omit=0):
        """An upload; returns (Mbit/s at the receiver, CPU seconds per GiB of an end, CPU shares of the ends). Its first `omit`
        seconds are not counted in the rate."""
        ends = self.both_ends("tls-stream", "--seconds", math.ceil(seconds), seconds=seconds + 60, serve=("--omit", omit))
        cost = (ends["client"]["cpu_s_per_gib"] + ends["server"]["cpu_s_per_gib"]) / 2
        shares = {f"{end['role']}": end["cpu_s"] / end["seconds"] for end in ends.values()}
        return ends["server"]["mbit"], cost, shares

    def echo(self, count=2000):
        """The median round trip of a 64-byte message, in microseconds."""
        return self.both_ends("tls-echo", "--count", count, "--pause", 100)["client"]["p50_us"]


def parse(process):
    """The JSON line that an end printed; the server of an echo prints none."""
    if process.popen.returncode:
        raise Failure(f"{process.name}: {process.text()[-300:]}")
    lines = [line for line in process.text().splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {}
