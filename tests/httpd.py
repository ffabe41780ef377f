#!/usr/bin/env python3
"""A stand-in for a web server that answers as a script says, for tests.

    tests/httpd.py --script answers.json --log asked --port-file port \\
        [--port N] [--cert server.pem --key server.key] [--client-ca ca.pem]

It listens on 127.0.0.1, on a port of the kernel's choice unless --port is
given, and writes the number to --port-file once it listens (by rename: wait
for the file).  With --cert it speaks TLS; with --client-ca it asks for a
client certificate and refuses whoever has none of that CA (--client-maybe: it
asks, and takes none too).  Certificates are read for each connection, the
script for each request, so both may be replaced (by mv) while it runs.  It
ends by SIGTERM, or by itself after --life seconds (900).

In a shell script of ours:

    python3 "$TOP/tests/httpd.py" --script answers.json --log asked \\
        --port-file port >>httpd.log 2>&1 &
    server $!
    wait_for test -s port
    URL=http://127.0.0.1:$(cat port)

THE SCRIPT is a JSON list of rules; the first that fits a request answers it,
and where none fits the answer is 404.

    [{"method": "POST", "path": "/token", "status": 200,
      "json": {"access_token": "abc"}},
     {"path": "/slow.*", "delay": 3, "body": "late"}]

  When a rule fits (all that are there must):
    "method": "POST"
    "path": "/a/.*"              a regular expression for all of the path,
    "query": "x=1.*"             for all of the query,
    "match": "words"             for a part of the body
    "header": {"Name": "regex"}  for a part of that header; "" if it is absent
    "times": 2                   only for so many requests, then it is passed
                                 over (counted for this text of the rule)
  What it answers:
    "status": 200
    "headers": {"Name": "value"} Content-Type is text/plain unless it is here
    "body": "text"  or  "json": {...} (as application/json)  or
    "base64": "..."  or  "file": "name"  or  "size": 10485760 (that many x)
    "program": ["sh", "answer.sh"]  its standard input is the line of the log
                                 (below), its output an answer as this list
                                 has them: {"status": 200, "json": {...}}
  How:
    "delay": 1.5                 seconds before the answer
    "pause": 1.5                 seconds between its head and its body
    "chunked": true              no Content-Length
    "close": 10                  the connection is cut after so many bytes of
                                 the body, of which Content-Length told more;
                                 "close": -1 without any answer
    "raw": "no HTTP at all"      these bytes, then the connection is closed
    "connect": "127.0.0.1:8443"  of CONNECT, with "status": 200: the tunnel
                                 goes there, whatever was asked for; "" goes
                                 where it was asked to.  So it is a proxy too.

THE LOG has one JSON object a line for each request, written before it is
answered:
    {"method": "POST", "path": "/a", "query": "x=1", "headers": {"host": ...},
     "body": "text", "client": "CN of the client's certificate", "tls": "TLSv1.3"}
Names of headers are in small letters; a body that is not UTF-8 stands in
"base64" instead; "client" and "tls" may be null.  A connection that failed in
the handshake of TLS is {"refused": "why"}.
"""
import argparse
import base64
import http.server
import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

lock = threading.Lock()
used = {}  # text of a rule -> how many requests it answered


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--script", required=True)
    p.add_argument("--log")
    p.add_argument("--port-file")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--cert")
    p.add_argument("--key")
    p.add_argument("--client-ca")
    p.add_argument("--client-maybe", action="store_true")
    p.add_argument("--life", type=float, default=900)
    return p.parse_args()


def write_log(line):
    if opt.log:
        with lock, open(opt.log, "a", encoding="ascii") as f:
            f.write(json.dumps(line) + "\n")


def fits(rule, ask, body):
    """Is this the rule for that request?  Counts, if it is."""
    for key in ("path", "query"):
        if key in rule and not re.fullmatch(rule[key], ask[key]):
            return False
    if rule.get("method", ask["method"]) != ask["method"]:
        return False
    if "match" in rule and not re.search(rule["match"].encode(), body):
        return False
    for name, value in rule.get("header", {}).items():
        if not re.search(value or "^$", ask["headers"].get(name.lower(), "")):
            return False
    text = json.dumps(rule, sort_keys=True)
    with lock:
        if used.get(text, 0) >= rule.get("times", sys.maxsize):
            return False
        used[text] = used.get(text, 0) + 1
    return True


def find_rule(ask, body):
    with open(opt.script, encoding="utf-8") as f:
        rules = json.load(f)
    for rule in rules:
        if fits(rule, ask, body):
            if "program" not in rule:
                return rule
            out = subprocess.run(
                rule["program"], input=json.dumps(ask).encode(), check=True,
                stdout=subprocess.PIPE, timeout=60).stdout
            return {**rule, **json.loads(out)}
    return {"status": 404, "body": "no rule fits\n"}


def content(rule):
    """The body of an answer, and its type."""
    if "json" in rule:
        return json.dumps(rule["json"]).encode(), "application/json"
    if "base64" in rule:
        return base64.b64decode(rule["base64"]), "application/octet-stream"
    if "file" in rule:
        with open(rule["file"], "rb") as f:
            return f.read(), "application/octet-stream"
    if "size" in rule:
        return b"x" * rule["size"], "text/plain"
    return rule.get("body", "").encode(), "text/plain"


def tunnel(one, other):
    """Copies both ways until one side ends."""
    while True:
        for s in select.select([one, other], [], [], 60)[0] or [None]:
            data = s.recv(65536) if s else b""
            if not data:
                return
            (other if s is one else one).sendall(data)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stand-in"

    def setup(self):
        self.request.settimeout(60)
        self.client, self.tls = None, None
        if opt.cert:
            self.request = self.server.secure(self.request)
            self.tls = self.request.version()
            for rdn in (self.request.getpeercert() or {}).get("subject", ()):
                self.client = dict(rdn).get("commonName", self.client)
        super().setup()

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return body

    def note(self):
        path, _, query = self.path.partition("?")
        body = self.read_body()
        ask = {"method": self.command, "path": path, "query": query,
               "headers": {k.lower(): v for k, v in self.headers.items()},
               "client": self.client, "tls": self.tls}
        try:
            ask["body"] = body.decode()
        except UnicodeDecodeError:
            ask["base64"] = base64.b64encode(body).decode()
        write_log(ask)
        return ask, body

    def any_method(self):
        ask, body = self.note()
        rule = find_rule(ask, body)
        time.sleep(rule.get("delay", 0))
        if rule.get("close", 0) < 0:
            self.cut()
        elif "raw" in rule:
            self.wfile.write(rule["raw"].encode())
            self.cut()
        elif self.command == "CONNECT" and "connect" in rule:
            self.connect(rule["connect"] or self.path)
        else:
            self.answer(rule)

    def cut(self):
        self.wfile.flush()
        self.close_connection = True

    def connect(self, where):
        host, _, port = where.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port))) as far:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            tunnel(self.request, far)
        self.cut()

    def answer(self, rule):
        body, kind = content(rule)
        headers = rule.get("headers", {})
        self.send_response(rule.get("status", 200))
        if "content-type" not in [h.lower() for h in headers]:
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        chunked = rule.get("chunked", False)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if "pause" in rule:
            self.wfile.flush()
            time.sleep(rule["pause"])
        sent = body[:rule["close"]] if "close" in rule else body
        if chunked and sent:
            sent = b"%x\r\n%s\r\n" % (len(sent), sent)
        self.wfile.write(sent)
        if "close" in rule:
            self.cut()
        elif chunked:
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = any_method
    do_CONNECT = do_OPTIONS = any_method

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def secure(self, sock):
        """TLS, in the connection's own thread: nobody waits for another."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(opt.cert, opt.key)
        if opt.client_ca:
            context.load_verify_locations(opt.client_ca)
            context.verify_mode = (
                ssl.CERT_OPTIONAL if opt.client_maybe else ssl.CERT_REQUIRED)
        try:
            return context.wrap_socket(sock, server_side=True)
        except OSError as e:
            write_log({"refused": str(e)})
            raise

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    server = Server(("127.0.0.1", opt.port), Handler)
    if opt.port_file:
        with open(opt.port_file + ".new", "w", encoding="ascii") as f:
            f.write("%d\n" % server.server_address[1])
        os.rename(opt.port_file + ".new", opt.port_file)
    # Not sys.exit(): that would wait for whoever is served.
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, opt.life)
    server.serve_forever()


opt = options()
main()
