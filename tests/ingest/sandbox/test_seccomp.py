"""The filter is a program; run step by step, it gives the right answer on processors that are not here, too."""

import errno
import os
import signal
import socket
import struct

import pytest

from ingest.sandbox import seccomp

ALLOW, KILL = "allow", "kill"
SELF = 4242

NUMBERS = {
    "x86_64": {"read": 0, "write": 1, "mmap": 9, "futex": 202, "execve": 59, "socket": 41, "fork": 57, "clone": 56,
               "clone3": 435, "tgkill": 234, "prlimit64": 302, "openat": 257, "open": 2, "ptrace": 101, "bpf": 321,
               "socketpair": 53, "sendto": 44, "io_uring_setup": 425, "keyctl": 250, "userfaultfd": 323, "mount": 165},
    "aarch64": {"read": 63, "write": 64, "mmap": 222, "futex": 98, "execve": 221, "socket": 198, "clone": 220,
                "clone3": 435, "tgkill": 131, "prlimit64": 261, "openat": 56, "ptrace": 117, "bpf": 280,
                "socketpair": 199, "sendto": 206, "io_uring_setup": 425, "keyctl": 219, "userfaultfd": 282,
                "mount": 40},
}  # fmt: skip
MARKS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
POINTER = 0x7F00_0000_1000


def run(machine: str, number: int, *arguments: int, mark: int | None = None) -> str | int:
    """Run the filter over one call, as the kernel would; an answer is allow, kill or an error number."""
    seen = struct.pack("<iIQ6Q", number, mark or MARKS[machine], 0, *(list(arguments) + [0] * 6)[:6])
    program = seccomp.build(seccomp._ARCHITECTURES[machine], own_process=SELF)
    at = held = 0
    while True:
        code, yes, no, operand = program[at]
        at += 1
        match code:
            case 0x20:
                (held,) = struct.unpack_from("<I", seen, operand)
            case 0x15:
                at += yes if held == operand else no
            case 0x35:
                at += yes if held >= operand else no
            case 0x45:
                at += yes if held & operand else no
            case 0x54:
                held &= operand
            case 0x06:
                kinds = {0x7FFF0000: ALLOW, 0x80000000: KILL}
                return kinds.get(operand) or operand & 0xFFFF


@pytest.mark.parametrize("machine", NUMBERS)
@pytest.mark.parametrize("call", ["read", "write", "mmap", "futex"])
def test_ordinary_calls_go_through(machine: str, call: str) -> None:
    assert run(machine, NUMBERS[machine][call]) == ALLOW


@pytest.mark.parametrize("machine", NUMBERS)
@pytest.mark.parametrize(
    "call", ["execve", "socket", "ptrace", "bpf", "io_uring_setup", "keyctl", "userfaultfd", "mount"]
)
def test_dangerous_calls_are_not_permitted(machine: str, call: str) -> None:
    assert run(machine, NUMBERS[machine][call]) == errno.EPERM


@pytest.mark.parametrize("machine", NUMBERS)
def test_threads_are_made_and_processes_are_not(machine: str) -> None:
    numbers = NUMBERS[machine]
    assert run(machine, numbers["clone"], 0x3D0F00) == ALLOW  # what pthread_create asks for
    assert run(machine, numbers["clone"], signal.SIGCHLD) == errno.EPERM
    assert run(machine, numbers["clone3"]) == errno.ENOSYS
    if "fork" in numbers:
        assert run(machine, numbers["fork"]) == errno.EPERM


@pytest.mark.parametrize("machine", NUMBERS)
def test_a_process_may_signal_itself_only(machine: str) -> None:
    assert run(machine, NUMBERS[machine]["tgkill"], SELF, SELF, signal.SIGABRT) == ALLOW
    assert run(machine, NUMBERS[machine]["tgkill"], SELF + 1, SELF, signal.SIGABRT) == errno.EPERM


@pytest.mark.parametrize("machine", NUMBERS)
def test_limits_may_be_read_and_not_set(machine: str) -> None:
    number = NUMBERS[machine]["prlimit64"]
    assert run(machine, number, 0, 7, 0, POINTER) == ALLOW
    assert run(machine, number, 0, 7, POINTER, 0) == errno.EPERM
    assert run(machine, number, 0, 7, 1 << 32, 0) == errno.EPERM
    assert run(machine, number, 0, 7, 1, 0) == errno.EPERM


@pytest.mark.parametrize("machine", NUMBERS)
def test_sockets_reach_nobody(machine: str) -> None:
    numbers = NUMBERS[machine]
    stream = socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    assert run(machine, numbers["socketpair"], socket.AF_UNIX, stream) == ALLOW
    assert run(machine, numbers["socketpair"], socket.AF_UNIX, socket.SOCK_DGRAM) == errno.EPERM
    assert run(machine, numbers["socketpair"], socket.AF_INET, stream) == errno.EPERM
    assert run(machine, numbers["sendto"], 3, POINTER, 1, 0, 0, 0) == ALLOW
    assert run(machine, numbers["sendto"], 3, POINTER, 1, 0, POINTER, 16) == errno.EPERM
    assert run(machine, numbers["sendto"], 3, POINTER, 1, 0, 1 << 40, 16) == errno.EPERM


@pytest.mark.parametrize("machine", NUMBERS)
def test_opening_for_reading_empties_no_file(machine: str) -> None:
    numbers = NUMBERS[machine]
    for call, place in (("openat", 2), ("open", 1)):
        if call in numbers:
            head = [0] * place
            assert run(machine, numbers[call], *head, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
            assert run(machine, numbers[call], *head, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) == ALLOW
            assert run(machine, numbers[call], *head, os.O_RDONLY | os.O_TRUNC) == errno.EPERM


@pytest.mark.parametrize("machine", NUMBERS)
def test_calls_that_nobody_looked_at_do_not_exist(machine: str) -> None:
    for number in (seccomp.NEWEST_KNOWN + 1, 600, 0x40000000 + 59):
        assert run(machine, number) == errno.ENOSYS


@pytest.mark.parametrize("machine", NUMBERS)
def test_calls_of_another_architecture_end_the_process(machine: str) -> None:
    assert run(machine, 11, mark=0x40000003) == KILL  # 32-bit execve


@pytest.mark.parametrize("machine", NUMBERS)
def test_the_filter_is_short_enough_for_the_kernel(machine: str) -> None:
    assert len(seccomp.build(seccomp._ARCHITECTURES[machine], own_process=SELF)) < 4096
