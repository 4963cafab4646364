"""Signs and verifies through a Basil socket with stock grpcio, on types generated from our .proto.

usage: sign_and_verify.py SOCKET KEY_ID PROTO_FOLDER

Prints one JSON object of what came back; exits non-zero when a call that must succeed does not.
"""

import importlib
import json
import pathlib
import sys
import tempfile

import grpc
from grpc_tools import protoc


def generate(proto_folder):
    """Generates the Python types into a temporary folder and imports them from there."""
    with tempfile.TemporaryDirectory(prefix="basil-python-") as out:
        source = "basil/broker/v1/broker.proto"
        well_known = str(pathlib.Path(protoc.__file__).parent / "_proto")
        status = protoc.main(
            ["protoc", f"-I{proto_folder}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}", source]
        )
        if status != 0:
            sys.exit(f"protoc ended with {status}")
        sys.path.insert(0, out)
        return importlib.import_module("basil.broker.v1.broker_pb2"), importlib.import_module("basil.broker.v1.broker_pb2_grpc")


def refusal(call):
    """What a caller sees of a refusal: code, message and the whole detail trailer."""
    try:
        call()
    except grpc.RpcError as error:
        trailers = {key: value.hex() for key, value in error.trailing_metadata() or () if key == "grpc-status-details-bin"}
        return {"code": error.code().name, "message": error.details(), "details": trailers.get("grpc-status-details-bin")}
    return None


def main():
    socket, key_id, proto_folder = sys.argv[1:4]
    pb, rpc = generate(proto_folder)
    with grpc.insecure_channel(f"unix:{socket}", options=[("grpc.default_authority", "localhost")]) as channel:
        signing, admin = rpc.SigningServiceStub(channel), rpc.AdminServiceStub(channel)
        message = b"signed from Python"
        status = admin.Status(pb.StatusRequest(), timeout=10)
        signature = signing.Sign(pb.SignRequest(key_id=key_id, message=message), timeout=10).signature
        verify = lambda text: signing.Verify(  # noqa: E731
            pb.VerifyRequest(key_id=key_id, message=text, signature=signature), timeout=10
        ).valid
        public = signing.GetPublicKey(pb.GetPublicKeyRequest(key_id=key_id), timeout=10)
        print(
            json.dumps(
                {
                    "backend": status.backend,
                    "protocol": status.protocol,
                    "signature": signature.hex(),
                    "valid": verify(message),
                    "validOfAnother": verify(message + b"!"),
                    "publicKey": public.public_key.hex(),
                    "keyType": public.key_type,
                    "unknown": refusal(lambda: signing.Sign(pb.SignRequest(key_id="no.such.key", message=message), timeout=10)),
                    "forbidden": refusal(lambda: signing.Sign(pb.SignRequest(key_id="payload.aead", message=message), timeout=10)),
                }
            )
        )


if __name__ == "__main__":
    main()
