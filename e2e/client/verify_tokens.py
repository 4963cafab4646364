"""Verifies JWTs and JWS with PyJWT, by the keys of a JWK Set.

usage: verify_tokens.py JWKS_FILE < TOKENS_JSON

Reads a list of {"jwt": …, "jws": …} and prints, for each, what came out of it, and what an altered JWT ends in.
"""

import json
import sys

import jwt

keys = jwt.PyJWKSet.from_json(open(sys.argv[1], encoding="utf-8").read())
ALGORITHMS = ["EdDSA", "ES256", "ES384", "ES512"]


def key_of(token):
    return keys[jwt.get_unverified_header(token)["kid"]]


def altered(token):
    header, claims, signature = token.split(".")
    other = jwt.utils.base64url_encode(b'{"sub":"mallory"}').decode()
    try:
        jwt.decode(f"{header}.{other}.{signature}", key_of(token), algorithms=ALGORITHMS)
        return "accepted"
    except jwt.InvalidSignatureError:
        return "InvalidSignatureError"


seen = []
for tokens in json.load(sys.stdin):
    token, jws = tokens["jwt"], tokens["jws"]
    whole = jwt.api_jws.decode_complete(jws, key_of(jws), algorithms=ALGORITHMS)
    seen.append(
        {
            "alg": jwt.get_unverified_header(token)["alg"],
            "claims": jwt.decode(token, key_of(token), algorithms=ALGORITHMS, audience="api"),
            "payload": whole["payload"].hex(),
            "header": whole["header"],
            "altered": altered(token),
        }
    )
print(json.dumps(seen))
