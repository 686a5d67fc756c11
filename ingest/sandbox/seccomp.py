"""A seccomp filter is a small program in the kernel that looks at each system call before it is carried out.

Landlock decides which files a jail may open. What Landlock does not know is refused here: the network, starting
programs and processes, touching other processes, shared memory beyond the limits, changing modes and times of files
by name, and the kernel's own controls. A reader that asks gets "not permitted" and can go on. System calls newer than
the lists here do not exist for a jail: every library knows how to do without them on an older kernel.

Sources: Linux ``seccomp(2)``, ``bpf(2)``; system call numbers from ``asm/unistd_64.h`` and ``asm-generic/unistd.h``.
"""

import ctypes
import errno
import os
import platform
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Final

_PR_GET_SECCOMP: Final = 21
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_MODE_FILTER: Final = 2

_ALLOW: Final = 0x7FFF0000
_KILL_PROCESS: Final = 0x80000000
_ERRNO: Final = 0x00050000

# Opcodes of classic BPF: load a word, jump if equal / greater or equal / any bit set, mask, return a constant.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _MASK, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06

_NUMBER_AT: Final = 0
_ARCHITECTURE_AT: Final = 4

CLONE_THREAD: Final = 0x10000

NEWEST_KNOWN: Final = 451
"""Number of the newest system call that was looked at (cachestat, Linux 6.5), the same on every architecture."""

# name: (x86-64, ARM64); None where an architecture does not have it
_REFUSED: Final[dict[str, tuple[int | None, int | None]]] = {
    # the network, and every other kind of socket
    "socket": (41, 198), "bind": (49, 200), "connect": (42, 203), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "sendmsg": (46, 211), "recvmsg": (47, 212), "sendmmsg": (307, 269), "recvmmsg": (299, 243),
    # programs and processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None), "unshare": (272, 97),
    "setns": (308, 268), "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272), "migrate_pages": (256, 238),
    "move_pages": (279, 239), "personality": (135, 92), "setrlimit": (160, 164),
    # files by other doors than open; what Landlock lets through although it changes a file
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "truncate": (76, 45), "chmod": (90, None),
    "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchown": (93, 55), "lchown": (94, None),
    "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "utime": (132, None),
    "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88), "mknod": (133, None),
    "mknodat": (259, 33), "inotify_add_watch": (254, 27), "fanotify_init": (300, 262),
    # memory that no limit counts, or that other processes see
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "mq_unlink": (241, 181),
    # the kernel
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443), "syslog": (103, 116),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None),
    "modify_ldt": (154, None), "vhangup": (153, 58), "lookup_dcookie": (212, 18), "mount": (165, 40),
    "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "move_mount": (429, 429), "open_tree": (428, 428),
    "mount_setattr": (442, 442),
}  # fmt: skip

_ABSENT: Final = {"clone3": (435, 435), "openat2": (437, 437)}
"""Their arguments lie in memory, where a filter cannot look. The C library falls back on ``clone`` and ``openat``."""


@dataclass(frozen=True, slots=True)
class _Architecture:
    """What a filter must know about a processor: its mark, its column above, and calls judged by their arguments."""

    mark: int
    column: int
    clone: int
    tgkill: int
    prlimit64: int
    socketpair: int
    sendto: int
    opens: tuple[tuple[int, int], ...]
    """Number of an opening call, and which of its arguments are the flags."""


_ARCHITECTURES: Final = {
    "x86_64": _Architecture(
        0xC000003E, 0, clone=56, tgkill=234, prlimit64=302, socketpair=53, sendto=44, opens=((2, 1), (257, 2))
    ),
    "aarch64": _Architecture(
        0xC00000B7, 1, clone=220, tgkill=131, prlimit64=261, socketpair=199, sendto=206, opens=((56, 2),)
    ),
}

_Program = list[tuple[int, int, int, int]]


def available() -> bool:
    """Tell whether this kernel takes filters and this processor is known."""
    if sys.platform != "linux" or sys.byteorder != "little" or platform.machine() not in _ARCHITECTURES:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    # Without a filter the call fails on purpose: with "bad address" where filters are known, else "invalid".
    return libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, None, 0, 0) == -1 and ctypes.get_errno() == errno.EFAULT


def install() -> None:
    """Filter the system calls of this process from now on.

    Raises
    ------
    OSError
        If the kernel does not take the filter.
    """
    program = build(_ARCHITECTURES[platform.machine()], own_process=os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in program))

    class FilterProgram(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    filter_program = FilterProgram(len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filter_program)),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not take the filter")


def build(architecture: _Architecture, own_process: int) -> _Program:
    """Write the filter as steps of ``(opcode, jump if true, jump if false, operand)``."""
    not_permitted, not_there = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    program: _Program = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 1, 0, architecture.mark),
        (_RETURN, 0, 0, _KILL_PROCESS),  # 32-bit calls have other numbers
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_AT_LEAST, 0, 1, NEWEST_KNOWN + 1),  # newer ones, and those of the x32 variant
        (_RETURN, 0, 0, not_there),
    ]
    for answer, calls in ((not_permitted, _REFUSED), (not_there, _ABSENT)):
        for numbers in calls.values():
            number = numbers[architecture.column]
            if number is not None:
                program += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, answer)]
    return program + _judged_by_arguments(architecture, own_process) + [(_RETURN, 0, 0, _ALLOW)]


def _judged_by_arguments(architecture: _Architecture, own_process: int) -> _Program:
    """Write the steps for calls that are allowed with some arguments only."""
    allow, refuse = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    # threads, but no processes
    program = _case(architecture.clone, [(_LOAD, 0, 0, _argument(0)), (_IF_ANY_BIT, 0, 1, CLONE_THREAD), allow, refuse])
    # signals to itself: abort() is one
    program += _case(architecture.tgkill, [(_LOAD, 0, 0, _argument(0)), (_IF_EQUAL, 0, 1, own_process), allow, refuse])
    # a pair of nameless sockets, which asyncio wakes itself with; what it sends can be addressed to nobody else
    stream_pair = [
        (_LOAD, 0, 0, _argument(0)),
        (_IF_EQUAL, 0, 4, socket.AF_UNIX),
        (_LOAD, 0, 0, _argument(1)),
        (_MASK, 0, 0, 0xF),  # the flags stand above
        (_IF_EQUAL, 0, 1, socket.SOCK_STREAM),
        allow,
        refuse,
    ]
    program += _case(architecture.socketpair, stream_pair)
    # sending to the other end only, and reading limits only: the address and the new limit must be null pointers
    for number, argument in ((architecture.sendto, 4), (architecture.prlimit64, 2)):
        null_pointer = [
            (_LOAD, 0, 0, _argument(argument)),
            (_IF_EQUAL, 0, 3, 0),
            (_LOAD, 0, 0, _argument(argument) + 4),
            (_IF_EQUAL, 0, 1, 0),
            allow,
            refuse,
        ]
        program += _case(number, null_pointer)
    # opening for reading with O_TRUNC empties a file; Landlock knows that only since Linux 6.2
    for number, argument in architecture.opens:
        flags = os.O_ACCMODE | os.O_TRUNC
        body = [(_LOAD, 0, 0, _argument(argument)), (_MASK, 0, 0, flags), (_IF_EQUAL, 0, 1, os.O_TRUNC), refuse, allow]
        program += _case(number, body)
    return program


def _argument(index: int) -> int:
    """Place of the lower half of a call's argument in what a filter sees."""
    return 16 + 8 * index


def _case(number: int, body: _Program) -> _Program:
    """For this call run ``body``, which ends with an answer."""
    return [(_IF_EQUAL, 0, len(body), number), *body]
