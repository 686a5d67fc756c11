"""The kernel knows of every connection that a program tries: strace writes them down, those of its children too.

Python's own hooks would miss what native code does; a machine without a network would only show that nothing is needed.
"""

import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

CALLS = "connect,sendto,sendmsg,sendmmsg,bind,io_uring_setup"
"""Every way to an address."""

REFUSED = "inject=io_uring_setup:error=ENOSYS"
"""io_uring could send without a call that shows, so there is none, as on machines whose kernel forbids it."""

NAMES_PORT = 53
LOCAL_SERVICES = ("/var/run/nscd/socket", "/run/nscd/socket", "/run/uuidd/request")
"""Where the C library asks for accounts of this machine, and for numbers that are given once, if anybody is there."""

_CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)")
_INTERNET = re.compile(
    r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")',
)
_LOCAL = re.compile(r'sa_family=AF_UNIX, sun_path=@?"([^"]*)"')
_FAMILY = re.compile(r"sa_family=(\w+)")
_SEEN = re.compile(r"^(\d+) ", re.MULTILINE)
_ENDED = re.compile(r"^(\d+) +\+\+\+ ", re.MULTILINE)
_DETACHED = re.compile(r"^(\d+) .*<detached \.\.\.>$", re.MULTILINE)
"""What the tracer says of a thread that ended while it was being attached to."""


@dataclass(frozen=True)
class Trace:
    """What a command and all its children tried to reach."""

    file: Path

    def command(self, words: Sequence[str]) -> list[str]:
        """Give the command that runs `words` as it is and writes down what it tries.

        The tracer stands beside the program, so that signals reach the program itself; the jail's own walls hold.
        """
        tracer = shutil.which("strace")
        assert tracer is not None
        options = [
            "-D",
            "-f",
            "--seccomp-bpf",
            "-q",
            "-s",
            "0",
            "-e",
            f"trace={CALLS}",
            "-e",
            REFUSED,
            "-e",
            "signal=none",
        ]
        return [tracer, *options, "-o", str(self.file), *words]

    def whole(self) -> str:
        """Give all that was written down, once the program and all its children have ended."""
        for _ in range(300):
            text = self.file.read_text() if self.file.exists() else ""
            if is_whole(text):
                return text
            time.sleep(0.1)
        raise AssertionError("the tracer did not write to the end")


def is_whole(text: str) -> bool:
    """Tell whether everything that a trace tells of has ended, as the tracer saw, or the kernel knows."""
    gone = {number for number in _DETACHED.findall(text) if not Path("/proc", number).exists()}
    ended = gone.union(_ENDED.findall(text))
    return bool(ended) and ended == set(_SEEN.findall(text))


def left(trace: str, allowed: Sequence[str] = LOCAL_SERVICES) -> list[str]:
    """Tell each line that shows a way out of this machine, or a name that was asked for."""
    return [line for line in trace.splitlines() if _leaves(line, allowed)]


def _leaves(line: str, allowed: Sequence[str]) -> bool:
    call = _CALL.match(line)
    if call is None:
        return False
    if call[1] == "io_uring_setup":
        return "(INJECTED)" not in line
    if any(not ip_address(v4 or v6).is_loopback or int(port) == NAMES_PORT for port, v4, v6 in _INTERNET.findall(line)):
        return True
    if any(place and place not in allowed for place in _LOCAL.findall(line)):
        return True
    return bool(set(_FAMILY.findall(line)) - {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_UNSPEC"})


TRIES = {
    "a connection": "socket.socket().connect_ex(('192.0.2.1', 443))",
    "a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    "a message": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('2001:db8::1', 9))",
    "a name": "socket.getaddrinfo('slides.example', 443)",
    "another program": "socket.socket(socket.AF_UNIX).connect_ex('/run/other')",
    "an open door": "socket.socket().bind(('0.0.0.0', 0))",
    "a child": "os.fork() or socket.socket().connect_ex(('192.0.2.1', 443))",
}
"""Ways out of a machine, or through a door that others could use, as lines of Python."""


def trying(line: str) -> list[str]:
    """Give a program that does one of these, and does not mind if it cannot."""
    before = "import contextlib, os, socket; socket.setdefaulttimeout(1)"
    return [sys.executable, "-c", f"{before}\nwith contextlib.suppress(OSError):\n    {line}"]
