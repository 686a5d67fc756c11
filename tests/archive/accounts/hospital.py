"""A hospital's sign-in to be sent to: a real provider as a process of its own, and what a person does there."""

import atexit
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

SOURCE = Path(__file__).parent / "provider"
SECRET = "a secret: with % and + in it"
FORM_SECRET = "another secret"
FIELD = re.compile(r'<input [^>]*name="prompt" value="(\w+)"')
ACTION = re.compile(r'<form [^>]*action="([^"]+)"')


def absent(what: str, install: str) -> None:
    """Skip, or fail where everything is required."""
    require_all = os.environ.get("COVERSLIP_TEST_REQUIRE") == "all"
    (pytest.fail if require_all else pytest.skip)(f"{what} is missing: {install}")


@cache
def installed() -> Path:
    """Install the provider beside a copy of what starts it, once for all tests of this process."""
    if not (shutil.which("node") and shutil.which("npm")):
        absent("Node.js", "apt-get install nodejs npm, 20.19 or newer")
    folder = Path(tempfile.mkdtemp(prefix="coverslip-provider-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--prefer-offline"], cwd=folder, capture_output=True, check=False
    )
    if done.returncode:
        installed.cache_clear()
        absent("oidc-provider", "npm ci --prefix tests/archive/accounts/provider")
    return folder


@contextmanager
def hospital(*returns: str, host: str = "127.0.0.1", claims: str = "token") -> Iterator[str]:
    """Run a provider that may send browsers back to these addresses; gives its issuer."""
    command = ["node", str(installed() / "provider.mjs"), host, claims, *returns]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        issuer = process.stdout.readline().strip()
        assert issuer.startswith(f"http://{host}:"), "the provider did not start"
        yield issuer
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def visit(address: str, back: str, login: str) -> httpx.URL:
    """Do what a person does at the provider; gives the address that the browser is sent back to."""
    with httpx.Client() as browser:
        answer = browser.get(address)
        for _ in range(12):
            if answer.is_redirect:
                there = urljoin(str(answer.url), answer.headers["location"])
                if there.startswith(back):
                    return httpx.URL(there)
                answer = browser.get(there)
                continue
            form, prompt = ACTION.search(answer.text), FIELD.search(answer.text)
            assert form, answer.text
            assert prompt, answer.text
            typed = {"prompt": prompt[1], "login": login, "password": "whatever it is"}
            answer = browser.post(urljoin(str(answer.url), form[1]), data=typed)
    raise AssertionError("the provider never sent the browser back")
