"""Encodes and decodes header lists with Python's hpack. Reads and writes lines of JSON; bytes are hexadecimal."""
import json
import sys

import hpack

encoder, decoder = hpack.Encoder(), hpack.Decoder()
for line in sys.stdin:
    request = json.loads(line)
    if "encode" in request:
        fields = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in request["encode"]]
        answer = encoder.encode(fields, huffman=request["huffman"]).hex()
    else:
        fields = decoder.decode(bytes.fromhex(request["decode"]), raw=True)
        answer = [[n.decode("latin-1"), v.decode("latin-1")] for n, v in fields]
    print(json.dumps(answer), flush=True)
