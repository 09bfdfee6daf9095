"""Runs inside the emulator's own virtual environment: makes its certificate, and serves AWS while its parent lives.

    emulator.py certificate DIR     writes DIR/cert.pem and DIR/key.pem
    emulator.py serve               serves until standard input ends; the line "keep" lets it outlive its parent
"""
import datetime
import ipaddress
import os
import signal
import sys
import threading
import time


def certificate(directory: str) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "curfew local emulator")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName(n) for n in ("localhost", "*.localhost", "*.execute-api.localhost")]
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        # A server's certificate and no authority: whoever trusts it trusts this one server, and nothing it could sign.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(os.path.join(directory, "key.pem"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(pem)
    with open(os.path.join(directory, "cert.pem"), "wb") as out:
        out.write(cert.public_bytes(serialization.Encoding.PEM))


def watch_parent() -> None:
    # The pipe ends when the parent does, however it ended: also by SIGKILL, where no handler of its own could run.
    if sys.stdin.readline().strip() == "keep":
        return
    os.killpg(0, signal.SIGTERM)
    time.sleep(2)
    os.killpg(0, signal.SIGKILL)


def serve() -> None:
    threading.Thread(target=watch_parent, daemon=True).start()
    from ministack.app import main

    sys.argv = ["ministack"]
    try:
        main()
    finally:
        # Workers share this process group; whatever outlived the server's own clean-up ends here.
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    if sys.argv[1:2] == ["certificate"]:
        certificate(sys.argv[2])
    else:
        serve()
