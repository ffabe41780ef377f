#!/usr/bin/env python3
"""A web service that judges SCEP requests by a list, to begin with.

    webhook.py --list devices.txt --secret hook.key --cert hook.pem
        [--key hook-key.pem] [--client-ca ca.pem] [--bind 127.0.0.1]
        [--port 8443]

Speaks what scep(1) with [challenge] judge = web and step-ca's SCEPCHALLENGE
webhooks send.  devices.txt has a device a line, read for each request: its
challenge, a blank, its common name alone (router1, not CN=router1), which is
all that its certificate is for and the name of its entity.  Empty lines and
those that begin with '#' count for nothing.  hook.key is the file of
[web] secretfile: the key of the signature, in base64, for nobody else to read.
It needs python3 and nothing else.

To try it on the host of scep, as the user scep in a folder of his:

    umask 077
    openssl rand -base64 32 >hook.key
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=127.0.0.1
        -addext subjectAltName=IP:127.0.0.1 -keyout hook-key.pem -out hook.pem
    scep alias set NAME judge=web web.url=https://127.0.0.1:8443/
        web.secretfile=$PWD/hook.key web.cafile=$PWD/hook.pem

each on one line; NAME is in RA mode, or its entities are registered.
"""
import argparse
import base64
import hashlib
import hmac
import http.server
import json
import re
import ssl
import sys

MAX_BODY = 1 << 20


def signed(body, signature):
    with open(opt.secret, encoding="ascii") as f:
        key = base64.b64decode(f.readline().strip(), validate=True)
    wanted = hmac.new(key, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), signature.encode())


def allowed(challenge, name):
    """Each line is compared in full: a wrong challenge that begins like a
    right one, or has its name, takes as long as any other."""
    found = False
    with open(opt.list, encoding="utf-8") as f:
        for line in f:
            words = line.rstrip("\n").split(" ", 1)
            if len(words) == 2 and not line.startswith("#"):
                same = hmac.compare_digest(
                    words[0].encode(), challenge.encode())
                found |= same and words[1] == name
    return found


def escaped(value):
    """As RFC 4514 has it, so that a comma begins no other attribute."""
    value = re.sub(r'([,+"\\<>;])', r"\\\1", value)
    value = re.sub(r"^([# ])", r"\\\1", value)
    return re.sub(r" $", r"\\ ", value)


def judge(ask):
    request = ask["x509CertificateRequest"]
    name = request["subject"].get("commonName", "")
    if not allowed(ask.get("scepChallenge", ""), name):
        return {"allow": False, "error": {"message": "not on the list"}}
    # A request can ask for any name beside the one that was looked at.  data
    # may say "profile" and "validity" too: scep-alias(5), The web service.
    return {"allow": True, "data": {
        "username": name, "subject": "CN=" + escaped(name), "san": ""}}


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 30

    def do_POST(self):
        size = self.headers.get("Content-Length", "")
        if not size.isdigit() or int(size) > MAX_BODY:
            return self.send_error(413)
        body = self.rfile.read(int(size))
        if not signed(body, self.headers.get("X-Smallstep-Signature", "")):
            return self.send_error(403, "bad signature")
        try:
            answer = json.dumps(judge(json.loads(body))).encode()
        except (ValueError, LookupError, TypeError, AttributeError):
            return self.send_error(400)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        return None


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that goes, or refuses our certificate, is one line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            return super().handle_error(request, client_address)
        print(f"{client_address[0]}: {error}", file=sys.stderr, flush=True)
        return None


p = argparse.ArgumentParser(description="Judges SCEP requests by a list.")
p.add_argument("--list", required=True)
p.add_argument("--secret", required=True)
p.add_argument("--cert", required=True)
p.add_argument("--key")
p.add_argument("--client-ca")
p.add_argument("--bind", default="127.0.0.1")
p.add_argument("--port", type=int, default=8443)
opt = p.parse_args()

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(opt.cert, opt.key)
if opt.client_ca:
    tls.load_verify_locations(opt.client_ca)
    tls.verify_mode = ssl.CERT_REQUIRED
server = Server((opt.bind, opt.port), Handler)
server.socket = tls.wrap_socket(
    server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
