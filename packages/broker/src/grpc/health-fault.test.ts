import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { addHealthService, type HealthServiceParts } from "./health-service.js";

describe("grpc.health.v1 Check", () => {
  it("answers INTERNAL, and the process lives on, when the dispatcher fails as nobody foresaw", async () => {
    type Check = (call: object, answer: (error: unknown) => void) => void;
    const handlers = new Map<string, Check>();
    const server = { register: (path: string, handler: Check) => handlers.set(path, handler) };
    const dispatcher = { unary: () => Promise.reject(new Error("a tracer that throws")) };
    addHealthService(
      server as never,
      { dispatcher, identity: { kind: "unauthenticated" } } as unknown as HealthServiceParts,
    );
    const answered = new Promise((answer) => {
      const call = { request: { service: "basil.broker.v1.SigningService" } };
      handlers.get("/grpc.health.v1.Health/Check")?.(call, answer);
    });
    expect(await answered).toEqual({ code: status.INTERNAL, details: "internal error" });
  });
});
