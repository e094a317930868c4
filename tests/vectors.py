#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns the JSON files of tests/vectors/ into a C header of constant tables: vectors.py OUT JSON...

SCHEMA says which part of which file becomes which table, and how each field is to be read. A table NAME with the
fields F… becomes `struct vector_NAME { … }`, the array `vectors_NAME[]` and, by ARRAY_SIZE, its length. An object
that is one record is an array of one. A "*" instead of fields stands for an object or list of plain values: its
rows have the fields `name` (the key, or the number) and `value`.

Kinds: hex → struct vector_bytes, text → struct vector_bytes with a NUL behind it, name → const char *,
int and bool → int. A field that a record does not have is empty.
"""
import json
import os
import sys

SCHEMA = [
    ("md4", "vectors", "primitives.md4", "ascii:text digest:hex"),
    ("des", "vectors", "primitives.des_ecb", "key:hex plain:hex cipher:hex"),
    ("des_key", "vectors", "primitives.des_parity_rfc2759_s9_3", "key7:hex key8:hex"),
    ("chap_md5", "vectors", "chap_md5",
     "identifier:int secret_ascii:text challenge:hex name_ascii:text response_value:hex challenge_frame:hex "
     "response_frame:hex success_frame:hex failure_frame:hex"),
    ("pap", "vectors", "pap",
     "user_ascii:text password_ascii:text identifier:int request_frame:hex ack_frame:hex "
     "ack_frame_short_with_trailer_mikrotik:hex nak_frame:hex"),
    ("mschapv2", "vectors", "mschapv2.vectors",
     "user:text password:text identifier:int authenticator_challenge:hex peer_challenge:hex challenge_hash:hex "
     "nt_password_hash:hex nt_password_hash_hash:hex nt_response:hex authenticator_response:text "
     "mppe_master_key:hex client_master_send_key:hex client_master_receive_key:hex hlak_client:hex "
     "challenge_frame:hex response_frame:hex success_frame:hex failure_frame:hex"),
    ("eap", "vectors", "eap",
     "identity_request:hex identity_response:hex notification_request:hex notification_response:hex "
     "nak_response_want_mschapv2:hex success:hex failure:hex"),
    ("eap_mschapv2", "vectors", "eap.mschapv2",
     "challenge_request:hex challenge_response:hex success_request:hex success_response:hex failure_request:hex "
     "failure_response:hex hlak:hex"),
    ("mppe_order_check", "vectors", "mschapv2.mppe_order_check",
     "password:text nt_response:hex client_master_send_key:hex client_master_receive_key:hex"),
    ("certificate", "vectors", "certificate", "der:hex sha1:hex sha256:hex"),
    ("binding_published", "vectors", "crypto_binding.published",
     "hash_protocol:int hlak:hex nonce:hex cert_hash:hex cmk_hmac_input:hex cmk:hex cmac_hmac_input:hex "
     "compound_mac:hex connect_ack:hex call_connected:hex"),
    ("binding_chosen", "vectors", "crypto_binding.chosen",
     "case:name hash_protocol:int hlak:hex nonce:hex cert_hash:hex cmk_hmac_input:hex cmk:hex cmac_hmac_input:hex "
     "compound_mac:hex connect_ack:hex call_connected:hex"),
    ("prf_plus", "vectors", "crypto_binding.prf_plus_long",
     "hash:name key:hex seed_ascii:text length:int output:hex"),
    ("hash_choice", "vectors", "crypto_binding.client_choice_from_ack_bitmask", "*:name"),
    ("server_must_refuse", "vectors", "crypto_binding.server_must_refuse", "case:name call_connected:hex"),
    ("sstp_message", "vectors", "sstp_messages", "*:hex"),
    ("ppp_frame", "vectors", "ppp_frames.frames", "*:hex"),
    ("ppp_as_sstp", "vectors", "ppp_frames.as_sstp_data_packets", "*:hex"),
    ("ipv4_header_form", "vectors", "ppp_frames.ipv4_header_forms_to_accept", "*:hex"),
    ("ppp", "vectors", "ppp_frames", "ipv4_packet:hex coalesced_lcp_request_and_ack:hex"),
    ("http", "vectors", "http", "request:text"),
    ("http_accept", "vectors", "http.accept", "*:text"),
    ("http_reject", "vectors", "http.reject", "*:text"),
    ("malformed", "vectors", "malformed.cases", "name:name state:name hex:hex expect:name"),
    ("server_accepted", "server-accepted-vectors", "",
     "server:name user:text password:text connect_ack:hex connected:hex hlak:hex hash_protocol:int auth:name "
     "chap_challenge_packet:hex chap_response_packet:hex authenticator_response:text auth_challenge:hex "
     "peer_challenge:hex nt_response:hex"),
]

C_TYPES = {"hex": "struct vector_bytes ", "text": "struct vector_bytes ", "name": "const char *",
           "int": "int ", "bool": "int "}


def c_string(text):
    out = "".join(chr(b) if 0x20 <= b < 0x7F and chr(b) not in '"\\?' else "\\%03o" % b for b in text.encode())
    return '"' + out + '"'


def c_bytes(data, tail=""):
    if not data and not tail:
        return '{ (const uint8_t *)"", 0 }'
    numbers = ",".join("0x%02x" % b for b in data)
    return "{ (const uint8_t[]){ %s }, %d }" % (numbers + ("," if numbers and tail else "") + tail, len(data))


def c_value(kind, value):
    if kind == "hex":
        return c_bytes(bytes.fromhex(value or ""))
    if kind == "text":
        return c_bytes((value or "").encode(), "0")
    if kind == "name":
        return c_string(str(value if value is not None else ""))
    return str(int(value or 0))


def rows_of(part, fields):
    """The records of a part of a file as dictionaries, and their fields as (name, kind) pairs."""
    if fields.startswith("*:"):
        items = part.items() if isinstance(part, dict) else ((str(i), v) for i, v in enumerate(part))
        return [{"name": k, "value": v} for k, v in items], [("name", "name"), ("value", fields[2:])]
    return part if isinstance(part, list) else [part], [tuple(f.split(":")) for f in fields.split()]


def identifier(field):
    return field + "_" if field in ("case",) else field


def main():
    out_path, sources = sys.argv[1], {}
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as f:
            sources[os.path.splitext(os.path.basename(path))[0]] = json.load(f)

    out = ["/* Made by tests/vectors.py; do not edit. */", "#pragma once", "#include <stddef.h>",
           "#include <stdint.h>", "struct vector_bytes {", "\tconst uint8_t *data;", "\tsize_t len;", "};"]
    for table, source, path, fields in SCHEMA:
        part = sources[source]
        for key in path.split(".") if path else []:
            part = part[key]
        rows, columns = rows_of(part, fields)
        known = {name for name, _ in columns}
        if not any(known & set(row) for row in rows):
            sys.exit(f"vectors.py: {table}: no record has any of the fields")
        out += [f"struct vector_{table} {{"]
        out += [f"\t{C_TYPES[kind]}{identifier(name)};" for name, kind in columns]
        out += ["};", f"__attribute__((unused)) static const struct vector_{table} vectors_{table}[] = {{"]
        for row in rows:
            out += ["\t{ " + ", ".join(f".{identifier(name)} = {c_value(kind, row.get(name))}"
                                       for name, kind in columns) + " },"]
        out += ["};"]

    with open(out_path, "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
