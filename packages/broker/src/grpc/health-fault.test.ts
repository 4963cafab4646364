import type { GrpcCall, GrpcStatus } from "@basil/grpc-wire";
import { grpcMethods, Health, HealthCheckRequestSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { healthMethods } from "./health-service.js";

describe("grpc.health.v1 Check", () => {
  it("answers INTERNAL, and the process keeps running, when the dispatcher fails unexpectedly", async () => {
    const dispatcher = { unary: () => Promise.reject(new Error("a tracer that throws")) };
    const methods = new Map(healthMethods(dispatcher as never, {} as never));
    const { path, requestSerialize } = grpcMethods(Health).check;
    const request = create(HealthCheckRequestSchema, { service: "basil.broker.v1.SigningService" });
    const ended = new Promise<GrpcStatus>((end) => {
      methods.get(path)?.({ message: requestSerialize(request), end } as Partial<GrpcCall> as GrpcCall, {} as never);
    });
    expect(await ended).toEqual({ code: 13, message: "internal error" });
  });
});
