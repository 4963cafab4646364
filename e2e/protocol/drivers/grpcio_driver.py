"""Makes the gRPC calls it reads from standard input, with stock grpcio on types generated from our .proto.

usage: grpcio_driver.py PROTO_FOLDER

One JSON object a line, both ways. In: {"id", "do": "call"|"open"|"next"|"rest"|"cancel", "socket", "method", "request",
"timeoutMs", "stream"}. Out: {"id", ...}. Messages are in the JSON form of protobuf. Several calls may be under way.
"""

import concurrent.futures
import importlib
import json
import pathlib
import sys
import tempfile
import threading

import grpc
from google.protobuf import json_format, message_factory
from grpc_tools import protoc

TRANSPORT = {"date", "content-type", "grpc-accept-encoding", "grpc-encoding"}


def generate(proto_folder):
    """Generates the types into a temporary folder and imports them from there."""
    with tempfile.TemporaryDirectory(prefix="basil-python-") as out:
        source = "basil/broker/v1/broker.proto"
        well_known = str(pathlib.Path(protoc.__file__).parent / "_proto")
        status = protoc.main(["protoc", f"-I{proto_folder}", f"-I{well_known}", f"--python_out={out}", source])
        if status != 0:
            sys.exit(f"protoc ended with {status}")
        sys.path.insert(0, out)
        return importlib.import_module("basil.broker.v1.broker_pb2").DESCRIPTOR


class Driver:
    def __init__(self, descriptor):
        self.services = descriptor.services_by_name
        self.channels = {}
        self.streams = {}
        self.lock = threading.Lock()

    def channel(self, socket):
        with self.lock:
            if socket not in self.channels:
                options = [("grpc.default_authority", "localhost"), ("grpc.use_local_subchannel_pool", 1)]
                self.channels[socket] = grpc.insecure_channel(f"unix:{socket}", options=options)
            return self.channels[socket]

    def begin(self, socket, method, request, timeout):
        if method.startswith("/"):
            same = lambda it: it  # noqa: E731
            rpc = self.channel(socket).unary_unary(method, request_serializer=same, response_deserializer=same)
            return rpc.future(b"", timeout=timeout), False
        service, name = method.split("/")
        found = self.services[service].methods_by_name[name]
        answer = message_factory.GetMessageClass(found.output_type)
        message = json_format.ParseDict(request, message_factory.GetMessageClass(found.input_type)())
        path = f"/{self.services[service].full_name}/{name}"
        make = self.channel(socket).unary_stream if found.server_streaming else self.channel(socket).unary_unary
        rpc = make(path, request_serializer=lambda it: it.SerializeToString(), response_deserializer=answer.FromString)
        if found.server_streaming:
            return rpc(message, timeout=timeout), True
        return rpc.future(message, timeout=timeout), False

    def run(self, do, id, socket=None, method=None, request=None, timeoutMs=20_000, stream=None):
        if do == "call":
            call, streaming = self.begin(socket, method, request, timeoutMs / 1000)
            return finish(call, streaming)
        if do == "open":
            call, _ = self.begin(socket, method, request, 60)
            call.initial_metadata()
            self.streams[id] = call
            return {}
        if do == "next":
            return {"answer": as_json(next(self.streams[stream]))}
        if do == "rest":
            return finish(self.streams.pop(stream), True)
        self.streams.pop(stream).cancel()
        return {}


def as_json(message):
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


def finish(call, streaming):
    answers, message = [], ""
    try:
        if streaming:
            for each in call:
                answers.append(as_json(each))
        else:
            answers.append(as_json(call.result()))
    except grpc.RpcError as error:
        message = error.details()
    trailers = {
        key: value.hex() if isinstance(value, bytes) else value
        for key, value in call.trailing_metadata() or ()
        if key not in TRANSPORT
    }
    return {"code": call.code().name, "message": message, "answers": answers, "trailers": trailers}


def main():
    driver = Driver(generate(sys.argv[1]))
    out = threading.Lock()

    def answer(command):
        try:
            result = driver.run(**command)
        except Exception as error:  # told to the other side, which fails the test
            result = {"error": f"{type(error).__name__}: {error}"}
        with out:
            print(json.dumps({"id": command["id"], **result}), flush=True)

    with concurrent.futures.ThreadPoolExecutor(max_workers=32) as pool:
        for line in sys.stdin:
            pool.submit(answer, json.loads(line))


if __name__ == "__main__":
    main()
