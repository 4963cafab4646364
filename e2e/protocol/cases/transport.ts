import { expect } from "vitest";
import { type Case, expectFailure, refusal, zeros } from "../case.js";

const SIGN = "SigningService/Sign";

/** What is answered by the transport, without a detail. */
export const transport: readonly Case[] = [
  {
    id: "transport.unknown-method",
    run: async (scene) => {
      for (const path of [
        "/basil.broker.v1.SigningService/NoSuchMethod",
        "/basil.broker.v1.NoSuchService/Sign",
        "/basil.broker.v1.InvocationService/GetInvocationChallenge",
        "/basil.broker.v1.AdminService/ListConnections",
        "/SpiffeWorkloadAPI/FetchX509SVID",
        "/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets",
      ]) {
        const { message, ...outcome } = await scene.call("kms", path);
        expect(outcome, path).toEqual({ code: "UNIMPLEMENTED", answers: [], trailers: {} });
      }
    },
  },
  {
    id: "transport.message-over-4-mib",
    run: async (scene) => {
      const { message, ...outcome } = await scene.call("kms", SIGN, { keyId: "app.p256", message: zeros(5_000_000) });
      expect(outcome).toEqual({ code: "RESOURCE_EXHAUSTED", answers: [], trailers: {} });
      expectFailure(await scene.call("kms", SIGN, { keyId: "x", message: zeros(4_000_000) }), refusal("sign"));
    },
  },
  {
    id: "transport.deadline",
    run: async (scene) => {
      const { faults } = scene.worlds.stack.emulator;
      faults.add({ fault: { kind: "hang" }, operation: "Sign", times: Number.POSITIVE_INFINITY });
      const startedAt = performance.now();
      const outcome = await scene.call("kms", SIGN, { keyId: "app.p521" }, 1000);
      faults.clear();
      expect(outcome).toMatchObject({ code: "DEADLINE_EXCEEDED", answers: [], trailers: {} });
      expect(performance.now() - startedAt).toBeLessThan(5000);
    },
  },
  {
    id: "transport.limit-exceeded",
    run: async (scene) => {
      const { worlds } = scene;
      const get = () => scene.call("busy", "SecretService/GetSecret", { secretId: "app.password" });
      const working = get();
      await expect.poll(() => worlds.held).toBe(1);
      const others = Array.from({ length: 4 }, get);
      const refused = await Promise.race(others);
      expectFailure(refused, {
        code: "RESOURCE_EXHAUSTED",
        reason: "LIMIT_EXCEEDED",
        op: "get_secret",
        message: "more than 1 requests of this caller are waiting",
        retry: "100",
      });
      expect(await scene.answer("busy", "AdminService/Health")).toMatchObject({ alive: true });
      worlds.free();
      const outcomes = await Promise.all([working, ...others]);
      const codes = outcomes.map(({ code }) => code).sort();
      expect(codes).toEqual(["INTERNAL", "INTERNAL", ...Array(3).fill("RESOURCE_EXHAUSTED")]);
      await expect.poll(() => worlds.held).toBe(0);
      worlds.hold();
    },
  },
];
