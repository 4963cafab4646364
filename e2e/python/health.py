"""Watches a broker by the stock health client of grpcio, and prints each state as a line.

usage: health.py SOCKET SERVICE
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

socket, service = sys.argv[1:]
with grpc.insecure_channel(f"unix:{socket}", [("grpc.default_authority", "localhost")]) as channel:
    health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service=service)
    name = health_pb2.HealthCheckResponse.ServingStatus.Name
    print("check", name(health.Check(request).status), flush=True)
    for response in health.Watch(request):
        print("watch", name(response.status), flush=True)
    print("end", flush=True)
