"""Through a real proxy that ends TLS, people sign in under its name and see tiles, and nobody reaches in beside it."""

import os
import shutil
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from archive.accounts import Grant, Role
from tests.archive.server.members import PASSWORD, Members
from tests.archive.server.taught import TaughtArchive, free_port, served

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    location /archive/ {{
      proxy_pass {inner};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


def write_certificate(folder: Path) -> None:
    """Write a certificate for this machine that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(private)


@contextmanager
def proxied(folder: Path, inner: str, port: int) -> Iterator[httpx.Client]:
    """Run nginx, and give a browser that knows its certificate."""
    write_certificate(folder)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port, inner=inner))
    process = subprocess.Popen([str(NGINX), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])
    context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    try:
        with httpx.Client(base_url=f"https://localhost:{port}", verify=context) as browser:
            for _ in range(100):
                try:
                    browser.get("/")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield browser
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.timeout(120)
def test_people_sign_in_through_the_proxy_and_nobody_beside_it(
    taught: TaughtArchive, members: Members, tmp_path: Path
) -> None:
    if NGINX is None:
        require_all = os.environ.get("COVERSLIP_TEST_REQUIRE") == "all"
        (pytest.fail if require_all else pytest.skip)("nginx is missing: apt-get install nginx-light")
    members.store.add("eva", PASSWORD, [Grant(Role.EDUCATOR)])
    (place,) = taught.teach("One", taught.add()).places
    port, tile = free_port(), f"/archive/slides/{place.handle}/tiles/0/0_0.jpg"
    where = {
        "behind_tls_proxy": True,
        "hostname": f"localhost:{port}",
        "root_path": "/archive",
        "proxy_address": "127.0.0.1",
    }
    with served(taught.root, workers=2, **where) as inner, proxied(tmp_path, inner, port) as browser:
        assert browser.get(tile).status_code == 401
        for name in ("wrong", "wrong", "wrong"):
            typed = {"name": name, "password": "x", "next": "/"}
            forged = {"origin": f"https://localhost:{port}", "x-forwarded-for": "198.51.100.7"}
            assert browser.post("/archive/sign-in", data=typed, headers=forged).status_code == 403
        with sqlite3.connect(taught.root / "accounts.sqlite") as accounts:
            assert accounts.execute("select address, failures from addresses").fetchall() == [("127.0.0.1", 3)]
        accounts.close()
        away = browser.get("/archive/").headers["location"]
        assert away == "/archive/sign-in?next=%2F"
        form = {"name": "eva", "password": PASSWORD, "next": f"/slides/{place.handle}"}
        answer = browser.post("/archive/sign-in", data=form, headers={"origin": f"https://localhost:{port}"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/archive/slides/{place.handle}")
        assert browser.get(answer.headers["location"]).status_code == 200
        assert browser.get(tile).headers["content-type"] == "image/jpeg"
        assert browser.get(tile, headers={"host": "evil.example"}).status_code == 421
        cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
        assert "__Host-coverslip" in cookies["cookie"]
        assert httpx.get(f"{inner}{tile}", headers=cookies).status_code == 421
