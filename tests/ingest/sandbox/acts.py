"""What an inmate may try: functions that are carried out inside a jail."""

import ctypes
import errno
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ingest.errors import Reason, SlideRefused

libc = ctypes.CDLL(None, use_errno=True)


def echo(tell: Callable[[dict[str, Any]], None], *args: Any) -> list[Any]:
    return list(args)


def count_up(tell: Callable[[dict[str, Any]], None], last: int) -> int:
    for number in range(last):
        tell({"number": number})
    return last


def own_process(tell: object) -> int:
    return os.getpid()


def facts(tell: object) -> dict[str, Any]:
    """Tell what an inmate knows of the world."""
    return {
        "environment": dict(os.environ),
        "arguments": sys.argv,
        "folder": os.getcwd(),
        "descriptors": [os.fstat(number).st_rdev == os.stat(os.devnull).st_rdev for number in range(3)],
        "session": os.getsid(0) == os.getpid(),
        "main": getattr(sys.modules["__main__"], "__file__", None),
        "modules": sorted(sys.modules),
        "privileges": _privileges(),
        "memory of its own": resource.getrlimit(resource.RLIMIT_DATA)[0],
    }


def _privileges() -> int:
    """Give the effective capabilities, of which root has all."""
    header, held = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, held) == 0
    return int(held[0] | held[3] << 32)


def refuse(tell: object, code: str) -> None:
    raise SlideRefused(next(reason for reason in Reason if reason.value == code))


def fail(tell: object, text: str) -> None:
    raise ValueError(text)


def answer_with(tell: object, what: str) -> Any:
    return {"nan": float("nan"), "bytes": b"x", "long": "x" * 100_000, "array": np.zeros(3)}[what]


# Ways to die


def crash(tell: object, how: str) -> None:
    match how:
        case "abort":
            os.abort()
        case "segmentation":
            ctypes.string_at(0)
        case "exit":
            os._exit(0)
        case "leave":
            sys.exit("a name in the last words")
        case "signal":
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)


def spin(tell: object) -> None:
    while True:
        pass


def sleep(tell: object, seconds: float) -> None:
    time.sleep(seconds)


def take_memory(tell: object, how: str) -> None:
    kept: list[Any] = []
    match how:
        case "python":
            while True:
                kept.append(bytearray(1 << 20))
        case "numpy":
            kept.append(np.ones((1 << 20, 1 << 12), np.float64))
        case "shared":
            while True:
                kept.append(mmap.mmap(-1, 8 << 20))
                kept[-1].write(bytes(8 << 20))


def map_to_read(tell: object, size_bytes: int) -> int:
    """Map memory as the code of a library is mapped."""
    with mmap.mmap(-1, size_bytes, mmap.MAP_PRIVATE, mmap.PROT_READ) as mapped:
        return len(mapped)


def write_much(tell: object, folder: str, how: str) -> None:
    block = bytes(1 << 20)
    for number in range(1000):
        name = "one" if how == "one file" else str(number)
        with (Path(folder) / name).open("ab") as file:
            file.write(block)


def openslide_region(tell: object, path: str) -> None:
    import openslide

    with openslide.OpenSlide(path) as slide:
        slide.read_region((0, 0), 0, (10, 10))


def say_raw(tell: Any, raw: bytes, times: int = 1) -> None:
    """Speak past the protocol, as taken-over code could."""
    descriptor = tell.__self__._descriptor
    for _ in range(times):
        view = memoryview(raw)
        while view:
            view = view[os.write(descriptor, view) :]
    time.sleep(60)


def close_mouth(tell: Any) -> None:
    os.close(tell.__self__._descriptor)
    time.sleep(60)


def leave_a_child(tell: object) -> int:
    """Start a process that would outlive this one."""
    process = os.fork()
    if process == 0:
        time.sleep(60)
        os._exit(0)
    return process


def end_soon(tell: object) -> None:
    """Answer, and end a moment later."""
    threading.Timer(0.1, os._exit, [0]).start()


# What must go on inside


def read_and_write(tell: object, slide: str, folder: str) -> dict[str, Any]:
    staged = Path(folder)
    (staged / "0" / "c").mkdir(parents=True)
    (staged / "0" / "c" / "partial").write_bytes(b"shard")
    (staged / "0" / "c" / "partial").replace(staged / "0" / "c" / "whole")
    (staged / "more").write_bytes(b"x")
    (staged / "more").unlink()
    with (staged / "longer").open("wb") as file:
        file.write(b"12345")
        file.truncate(3)
    threads = [threading.Thread(target=(staged / f"thread-{number}").touch) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, other = socket.socketpair()
    with one, other:
        one.send(b"wake")
        woken = other.recv(4)
    return {
        "slide": Path(slide).read_text(),
        "woken": woken.decode(),
        "limit": resource.getrlimit(resource.RLIMIT_CORE)[0],
    }


# What must not succeed; each raises OSError where it does not


def _libc(result: int) -> None:
    if result == -1:
        raise OSError(ctypes.get_errno(), "denied")


def _unix_socket(neighbour: str) -> None:
    socket.socket(socket.AF_UNIX).close()


def _datagram_pair(neighbour: str) -> None:
    for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM):
        end.close()


def _fork(neighbour: str) -> None:
    process = os.fork()
    if process == 0:
        os._exit(0)
    os.waitpid(process, 0)


def _run(neighbour: str) -> None:
    subprocess.run(["/bin/true"], check=True)


def _signal_others(neighbour: str) -> None:
    os.kill(os.getppid(), 0)


def _truncate_by_opening(neighbour: str) -> None:
    os.close(os.open(neighbour, os.O_RDONLY | os.O_TRUNC))


def _hard_link(neighbour: str) -> None:
    os.link(neighbour, neighbour + ".link")


def _symbolic_link(neighbour: str) -> None:
    os.symlink("/", neighbour + ".symlink")


def _memory_file(neighbour: str) -> None:
    os.close(os.memfd_create("hidden"))


def _shared_segment(neighbour: str) -> None:
    segment = libc.shmget(0, 4096, 0o1600)
    _libc(segment)
    libc.shmctl(segment, 0, None)


def _watch_folder(neighbour: str) -> None:
    descriptor = libc.inotify_init1(0)
    try:
        _libc(libc.inotify_add_watch(descriptor, os.path.dirname(neighbour).encode(), 2))
    finally:
        os.close(descriptor)


def _trace_me(neighbour: str) -> None:
    subprocess_status = libc.ptrace(0x4206, os.getppid(), 0, 0)  # PTRACE_SEIZE
    _libc(subprocess_status)


def _raise_limit(neighbour: str) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


FORBIDDEN: dict[str, Callable[[str], object]] = {
    "open a Unix socket": _unix_socket,
    "make a pair of datagram sockets": _datagram_pair,
    "make a process": _fork,
    "run a program": _run,
    "signal another process": _signal_others,
    "read a neighbouring slide": lambda neighbour: Path(neighbour).read_bytes(),
    "list the folder of the slide": lambda neighbour: os.listdir(os.path.dirname(neighbour)),
    "write to a neighbouring slide": lambda neighbour: Path(neighbour).open("ab").close(),
    "delete a neighbouring slide": os.unlink,
    "rename a neighbouring slide": lambda neighbour: os.rename(neighbour, neighbour + ".renamed"),
    "empty a file by name": lambda neighbour: os.truncate(neighbour, 0),
    "empty a file by opening it": _truncate_by_opening,
    "change a file's mode": lambda neighbour: os.chmod(neighbour, 0o600),
    "change a file's times": lambda neighbour: os.utime(neighbour),
    "change a file's owner": lambda neighbour: os.chown(neighbour, os.getuid(), os.getgid()),
    "set an attribute": lambda neighbour: os.setxattr(neighbour, "user.note", b"x"),
    "link to a file": _hard_link,
    "make a symbolic link": _symbolic_link,
    "make a folder": lambda neighbour: os.mkdir(neighbour + ".folder"),
    "make a pipe by name": lambda neighbour: os.mkfifo(neighbour + ".pipe"),
    "look into another process": lambda _: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "trace another process": _trace_me,
    "make a file in memory": _memory_file,
    "share memory": _shared_segment,
    "watch a folder": _watch_folder,
    "change a limit": _raise_limit,
}


def try_forbidden(tell: object, act: str, neighbour: str) -> str:
    """Try one act; tell whether it was done, denied, or failed for another reason."""
    try:
        FORBIDDEN[act](neighbour)
    except OSError as error:
        return "denied" if error.errno in {errno.EPERM, errno.EACCES, errno.EXDEV} else f"failed: {error.errno}"
    except ValueError:  # setrlimit translates "not permitted"
        return "denied"
    return "done"


def try_on_itself(tell: object, slide: str) -> dict[str, str]:
    """Try to change the slide that this jail may read."""
    changing = ["empty a file by name", "empty a file by opening it", "change a file's mode", "change a file's times",
                "write to a neighbouring slide", "delete a neighbouring slide"]  # fmt: skip
    return {act: try_forbidden(tell, act, slide) for act in changing}
