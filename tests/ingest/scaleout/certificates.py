"""An authority of one's own and certificates that it signed, for a cluster in a test."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingest.scaleout.tls import Credentials


@dataclass(frozen=True)
class Signed:
    """A private key and what was signed for it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def make_credentials(folder: Path) -> Credentials:
    """Make an authority and one certificate of a machine, as PEM files in a folder."""
    folder.mkdir()
    authority = _sign("test authority", None)
    machine = _sign("test machine", authority)
    files = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(machine.certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    files[2].write_bytes(machine.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return Credentials(*files)


def _sign(name: str, authority: Signed | None) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = authority.certificate.subject if authority else subject
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
    )
    return Signed(key, builder.sign(authority.key if authority else key, hashes.SHA256()))
