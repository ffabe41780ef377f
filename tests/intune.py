#!/usr/bin/env python3
"""A stand-in for Microsoft's directory, Graph and Intune, for tests: a web
server (tests/httpd.py, whose options it takes) that looks at every header and
field, and fails on command.

    tests/intune.py --script control --log asked --port-file port \\
        --cert server.pem --key server.key

It answers as https://localhost:PORT/ with all of the services:

    POST /TENANT/oauth2/v2.0/token                       token
    GET  /v1.0/servicePrincipals/appId=.../endpoints     discovery
    POST /fef/ScepActions/validateRequest                validate
    POST /fef/ScepActions/successNotification            success
    POST /fef/ScepActions/failureNotification            failure
    POST /pki/CertificateAuthorityRequests/downloadRevocationRequests  download
    POST /pki/CertificateAuthorityRequests/uploadRevocationResults     upload

What it knows: tenant "contoso", application "app-1", whose secret is "s3cret
of app/1" or whose certificate lies in app.pem; a challenge is right that
begins with "intune-" and a certificate is told of under the transactionID
that was validated.

THE CONTROL FILE is JSON, read for each request; all may be left out:

    {"expires": 3600,          seconds that a token is good for
     "tokens": 1,              tokens of an earlier number are refused (401)
     "providers": ["Scep..."], which of the services Graph names
     "revocations": [...],     what download answers
     STEP: {...}}              instead of an answer: a rule of httpd.py
                               (status, json, delay, close, raw, ...), or
                               {"code": "SubjectNameMismatch"}; "times": N;
                               "done": true, it was done all the same

FILES beside the control file: `complaints` has a line for each thing that was
not as Microsoft has it, and such a request is answered with HTTP 400; `steps`
has a line for each request: its step, and its transactionID where it has one;
`told` has each notification that was taken, and each result of a revocation,
as JSON.
"""
import base64
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import httpd  # noqa: E402

GRAPH = "https://graph.example/"
TENANT, APP, SECRET = "contoso", "app-1", "s3cret of app/1"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SERVICES = {"ScepRequestValidationFEService": "/fef",
            "PkiConnectorFEService": "/pki"}
PROVIDER = "scep 0.1"

STEPS = [
    ("POST", "/contoso/oauth2/v2.0/token", "token"),
    ("GET", "/v1.0/servicePrincipals/appId="
            "0000000a-0000-0000-c000-000000000000/endpoints", "discovery"),
    ("POST", "/fef/ScepActions/validateRequest", "validate"),
    ("POST", "/fef/ScepActions/successNotification", "success"),
    ("POST", "/fef/ScepActions/failureNotification", "failure"),
    ("POST", "/pki/CertificateAuthorityRequests/downloadRevocationRequests",
     "download"),
    ("POST", "/pki/CertificateAuthorityRequests/uploadRevocationResults",
     "upload"),
]

tokens = {}      # token -> its scope
made = {}        # scope -> how many tokens
validated = {}   # transactionId -> CSR
failed = {}      # (step, text of a failure) -> how often
identifiers = set()


class Wrong(Exception):
    """What is not as Microsoft has it."""


def need(good, what):
    if not good:
        raise Wrong(what)


def beside(name):
    return os.path.join(os.path.dirname(os.path.abspath(httpd.opt.script)),
                        name)


def note(name, line):
    with httpd.lock, open(beside(name), "a", encoding="utf-8") as f:
        f.write(line + "\n")


def control():
    with open(httpd.opt.script, encoding="utf-8") as f:
        return json.load(f)


def here():
    with open(httpd.opt.port_file, encoding="ascii") as f:
        return "https://localhost:%s" % f.read().strip()


# --- the directory ------------------------------------------------------------


def unbase64url(text):
    need(re.fullmatch(r"[A-Za-z0-9_-]+", text), "base64url: " + text)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check_jwt(jwt):
    """RS256 over header and claims, by openssl(1), with app.pem's key."""
    parts = jwt.split(".")
    need(len(parts) == 3, "a JWT has three parts")
    header = json.loads(unbase64url(parts[0]))
    claims = json.loads(unbase64url(parts[1]))
    with open(beside("app.pem"), encoding="ascii") as f:
        pem = re.search("-----BEGIN CERTIFICATE-----(.*?)-----END", f.read(),
                        re.S).group(1)
    der = base64.b64decode(pem)
    thumb = base64.urlsafe_b64encode(hashlib.sha1(der).digest())
    need(header == {"alg": "RS256", "typ": "JWT",
                    "x5t": thumb.decode().rstrip("="),
                    "x5c": [base64.b64encode(der).decode()]},
         "JWT header %s" % header)
    need(set(claims) == {"aud", "iss", "sub", "jti", "nbf", "exp"},
         "JWT claims %s" % sorted(claims))
    need(claims["aud"] == here() + "/contoso/oauth2/v2.0/token",
         "aud %s" % claims["aud"])
    need(claims["iss"] == APP and claims["sub"] == APP, "iss and sub")
    need(re.fullmatch(UUID, claims["jti"]), "jti %s" % claims["jti"])
    need(claims["jti"] not in identifiers, "jti twice")
    identifiers.add(claims["jti"])
    need(claims["exp"] == claims["nbf"] + 60, "exp is nbf and a minute")
    need(abs(claims["nbf"] - time.time()) < 60, "nbf is now")
    with tempfile.TemporaryDirectory() as d:
        for name, data in (("sig", unbase64url(parts[2])),
                           ("text", ".".join(parts[:2]).encode())):
            with open(os.path.join(d, name), "wb") as f:
                f.write(data)
        key = subprocess.run(
            ["openssl", "x509", "-in", beside("app.pem"), "-noout", "-pubkey",
             "-out", os.path.join(d, "key")], check=False)
        good = subprocess.run(
            ["openssl", "dgst", "-sha256", "-verify", os.path.join(d, "key"),
             "-signature", os.path.join(d, "sig"), os.path.join(d, "text")],
            stdout=subprocess.DEVNULL, check=False)
    need(key.returncode == 0 and good.returncode == 0, "JWT signature")


def token(ask, how):
    need(ask["headers"].get("content-type") ==
         "application/x-www-form-urlencoded", "content-type of the form")
    form = dict(urllib.parse.parse_qsl(
        ask["body"], strict_parsing=True, keep_blank_values=True))
    need(form.pop("grant_type", "") == "client_credentials", "grant_type")
    need(form.pop("client_id", "") == APP, "client_id")
    scope = form.pop("scope", "")
    # Microsoft's client really sends two slashes.
    need(scope in (here() + "/.default", here() + "/res//.default"),
         "scope %s" % scope)
    if "client_assertion" in form:
        need(form.pop("client_assertion_type", "") == ASSERTION,
             "client_assertion_type")
        check_jwt(form.pop("client_assertion"))
    else:
        if form.pop("client_secret", "") != SECRET:
            return {"status": 401, "json": {
                "error": "invalid_client", "error_description":
                "AADSTS7000215: Invalid client secret provided."}}
    need(not form, "more in the form: %s" % sorted(form))
    made[scope] = made.get(scope, 0) + 1
    text = "token-%d-%s" % (made[scope],
                            "intune" if "res" in scope else "graph")
    tokens[text] = (scope, made[scope])
    return {"json": {"token_type": "Bearer", "access_token": text,
                     "expires_in": how.get("expires", 3600)}}


# --- what every other request has ----------------------------------------------


def check_bearer(ask, scope, how):
    """False: HTTP 401, as for a token that was revoked."""
    bearer = ask["headers"].get("authorization", "")
    need(bearer.startswith("Bearer "), "no bearer token")
    need(bearer[7:] in tokens, "a token that was never given")
    whose, number = tokens[bearer[7:]]
    need(whose == scope, "a token for %s" % whose)
    ident = ask["headers"].get("client-request-id", "")
    need(re.fullmatch(UUID, ident), "client-request-id %s" % ident)
    need(ident not in identifiers, "client-request-id twice")
    identifiers.add(ident)
    return number >= how.get("tokens", 1)


def discovery(ask, how):
    del ask
    names = how.get("providers", list(SERVICES))
    return {"json": {"value": [
        {"providerName": "Other", "uri": "https://localhost:1/"}] + [
        {"providerName": n, "uri": here() + SERVICES[n]} for n in names]}}


def content(ask, name, fields):
    head = ask["headers"]
    need(head.get("content-type") == "application/json", "content-type")
    version = "5019-05-05" if ask["path"].startswith("/pki") else "2018-02-20"
    need(head.get("api-version") == version,
         "api-version %s" % head.get("api-version"))
    need(head.get("useragent") == PROVIDER,
         "UserAgent %s" % head.get("useragent"))
    need("user-agent" not in head or head["user-agent"] != PROVIDER,
         "User-Agent is spelt without a hyphen")
    whole = json.loads(ask["body"])
    need(list(whole) == [name], "the body is {%s: ...}" % name)
    if fields:
        need(set(whole[name]) == fields, "fields %s" % sorted(whole[name]))
    return whole[name]


def openssl(*words, data=None):
    done = subprocess.run(("openssl",) + words, input=data, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode()


def check_request(about):
    """A PKCS#10 without armour; the challenge in it."""
    need(about["callerInfo"] == PROVIDER, "callerInfo")
    return challenge_of(about["certificateRequest"])


@functools.lru_cache(maxsize=None)
def challenge_of(text):
    """Looked at once: most requests come several times."""
    need(re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", text), "certificateRequest")
    said = openssl("req", "-inform", "DER", "-noout", "-text", "-verify",
                   data=base64.b64decode(text))
    need("Certificate Request" in said, "certificateRequest is no PKCS#10")
    found = re.search(r"challengePassword\s*:(\S*)", said)
    return found.group(1) if found else ""


def answer(code):
    return {"json": {"code": code, "errorDescription":
                     "" if code == "Success" else "it was " + code}}


# --- Intune ---------------------------------------------------------------------


def validate(ask, how):
    del how
    about = content(ask, "request", {
        "transactionId", "certificateRequest", "callerInfo"})
    if not check_request(about).startswith("intune-"):
        return answer("ChallengeDecryptionError")
    return {**answer("Success"), "then": lambda: validated.update(
        {about["transactionId"]: about["certificateRequest"]})}


def success(ask, how):
    del how
    about = content(ask, "notification", {
        "transactionId", "certificateRequest", "certificateThumbprint",
        "certificateSerialNumber", "certificateExpirationDateUtc",
        "issuingCertificateAuthority", "callerInfo", "caConfiguration",
        "certificateAuthority"})
    check_request(about)
    need(about["transactionId"] in validated, "told before it was asked")
    need(validated[about["transactionId"]] == about["certificateRequest"],
         "told of another request than it was asked about")
    need(re.fullmatch("([0-9a-f]{2} ){19}[0-9a-f]{2}",
                      about["certificateThumbprint"]), "certificateThumbprint")
    need(re.fullmatch("[0-9a-f]+", about["certificateSerialNumber"]),
         "certificateSerialNumber")
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                      about["certificateExpirationDateUtc"]),
         "certificateExpirationDateUtc")
    need(about["issuingCertificateAuthority"] == about["caConfiguration"] ==
         about["certificateAuthority"] != "", "the three names of the CA")
    return {**answer("Success"),
            "then": lambda: note("told", json.dumps(about))}


def failure(ask, how):
    del how
    about = content(ask, "notification", {
        "transactionId", "certificateRequest", "hResult", "errorDescription",
        "callerInfo"})
    check_request(about)
    need(about["transactionId"] in validated, "told before it was asked")
    need(about["hResult"] == 0x20000001 or
         0x20000100 <= about["hResult"] <= 0x20000104, "hResult")
    need(0 < len(about["errorDescription"]) <= 255, "errorDescription")
    return {**answer("Success"),
            "then": lambda: note("told", json.dumps(about))}


def download(ask, how):
    about = content(ask, "downloadParameters", {"maxRequests", "issuerName"})
    need(1 <= about["maxRequests"] <= 500, "maxRequests")
    need(about["issuerName"] is None or about["issuerName"] != "",
         "issuerName")
    return {"json": {"value": [
        r for r in how.get("revocations", [])
        if about["issuerName"] in (None, r.get("issuerName"))
    ][:about["maxRequests"]]}}


def upload(ask, how):
    del how
    results = content(ask, "results", None)
    for one in results:
        need(set(one) == {"requestContext", "succeeded", "errorCode",
                          "errorMessage"}, "fields %s" % sorted(one))
        need(one["succeeded"] == (one["errorCode"] == 0), "succeeded")
        need(one["errorCode"] in (0, 4002, 4004, 4005, 4100), "errorCode")
    return {"json": {"value": True}, "then": lambda: [
        note("told", json.dumps(one)) for one in results]}


# --- one request ----------------------------------------------------------------


def failure_of(step, how):
    """The answer that the control file wants instead, or None."""
    rule = how.get(step)
    if rule is None:
        return None
    text = (step, json.dumps(rule, sort_keys=True))
    with httpd.lock:
        if failed.get(text, 0) >= rule.get("times", sys.maxsize):
            return None
        failed[text] = failed.get(text, 0) + 1
    return {**rule, **answer(rule["code"])} if "code" in rule else rule


def find_rule(ask, body):
    del body
    if ask["method"] == "CONNECT":  # it is a proxy too
        note("steps", "proxy %s" % ask["headers"].get(
            "proxy-authorization", "-"))
        return {"status": 200, "connect": ""}
    for method, path, step in STEPS:
        if ask["method"] == method and ask["path"] == path:
            break
    else:
        note("complaints", "%s %s" % (ask["method"], ask["path"]))
        return {"status": 404}
    how = control()
    try:
        txid = re.search('"transactionId":"([^"]*)"', ask.get("body", ""))
        note("steps", step + (" " + txid.group(1) if txid else ""))
        if step != "token":
            scope = here() + ("/.default" if step == "discovery"
                              else "/res//.default")
            if not check_bearer(ask, scope, how):
                return {"status": 401}
        special = failure_of(step, how)
        good = globals()[step](ask, how)
        if special is None or special.get("done"):
            good.pop("then", lambda: None)()
        return good if special is None else special
    except (Wrong, KeyError, TypeError, ValueError) as e:
        note("complaints", "%s: %s: %s" % (step, type(e).__name__, e))
        return {"status": 400, "json": {"code": "Unknown"}}


httpd.opt = httpd.options()
httpd.find_rule = find_rule
httpd.main()
