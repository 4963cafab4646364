import { randomBytes } from "node:crypto";
import { SignRequestSchema } from "@basil/proto";
import { create, toBinary } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { LONG_NAME } from "./documents.js";
import type { Driver } from "./drivers/driver.js";
import { ending, frame, PREFACE, prefixed, RawConnections } from "./raw-connection.js";
import type { Worlds } from "./worlds.js";

const SIGN = "SigningService/Sign";

export interface WireScene {
  readonly worlds: Worlds;
  readonly raw: RawConnections;
  /** For calls beside the raw ones. */
  readonly driver: Driver;
}

/** What no gRPC library would send, or lets a test see. */
export interface WireCase {
  readonly id: string;
  readonly run: (scene: WireScene) => Promise<void>;
}

const signRequest = (keyId: string) =>
  prefixed(toBinary(SignRequestSchema, create(SignRequestSchema, { keyId, message: Uint8Array.of(1) })));

export const WIRE_CASES: readonly WireCase[] = [
  {
    id: "wire.content-type",
    run: async ({ raw }) => {
      for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded", ""]) {
        const stream = raw.request(SIGN, { "content-type": type });
        stream.end(signRequest("app.p256"));
        const { httpStatus, grpcStatus } = await ending(stream);
        expect(httpStatus === 415 || (grpcStatus !== undefined && grpcStatus !== "0"), type).toBe(true);
      }
    },
  },
  {
    id: "wire.length-prefix",
    run: async ({ raw }) => {
      for (const announced of [100_000_000, 0xffff_ffff, 4_194_305]) {
        const stream = raw.request(SIGN);
        stream.write(prefixed(new Uint8Array(), announced));
        expect(await ending(stream)).toMatchObject({ grpcStatus: "8" });
      }
    },
  },
  {
    id: "wire.garbage-message",
    run: async ({ raw }) => {
      for (const body of [
        prefixed(Buffer.from("0affff", "hex")),
        Buffer.from("0100000001ff", "hex"),
        Buffer.concat([signRequest("app.p256"), signRequest("app.p256")]),
        Buffer.alloc(0),
        prefixed(new Uint8Array(10), 20),
        prefixed(randomBytes(5000)),
      ]) {
        const stream = raw.request(SIGN);
        stream.end(body);
        const { grpcStatus } = await ending(stream);
        expect(grpcStatus, body.subarray(0, 20).toString("hex")).not.toBe("0");
      }
    },
  },
  {
    id: "wire.garbage-frames",
    run: async ({ raw }) => {
      for (let n = 0; n < 10; n++) {
        await raw.send(randomBytes(3000));
        await raw.send(PREFACE, randomBytes(3000));
        await raw.send(PREFACE, ...Array.from({ length: 20 }, (_, type) => frame(type, 0xff, type, randomBytes(64))));
        await raw.send(PREFACE, frame(4, 0, 0, Buffer.alloc(0)), frame(1, 0, 1, randomBytes(16_000)));
        await raw.send(Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
      }
    },
  },
  {
    id: "wire.half-open",
    run: async ({ raw }) => {
      for (let n = 0; n < 20; n++) {
        await raw.send();
        await raw.send(PREFACE.subarray(0, 10));
        await raw.send(PREFACE, frame(4, 0, 0, Buffer.alloc(0)).subarray(0, 5));
        raw.request(SIGN).write(prefixed(new Uint8Array(1000), 4_000_000));
      }
    },
  },
  {
    id: "wire.metadata-is-not-read",
    run: async ({ raw }) => {
      const stream = raw.request(SIGN, {
        authorization: "Bearer nobody",
        "x-anything": "y",
        ":authority": "any.host:1",
      });
      stream.end(signRequest("app.p256"));
      expect(await ending(stream)).toMatchObject({ grpcStatus: "0" });
    },
  },
  {
    id: "wire.deadline-answered-by-server",
    run: async ({ worlds, raw, driver }) => {
      const { emulator } = worlds.stack;
      const request = async () => {
        const stream = raw.request(SIGN, { "grpc-timeout": "2S" });
        const startedAt = performance.now();
        stream.end(signRequest("app.p384"));
        return { ...(await ending(stream)), ms: performance.now() - startedAt };
      };
      emulator.faults.add({ fault: { kind: "hang" }, operation: "Sign", times: 1 });
      const hanging = request();
      await expect.poll(() => emulator.faults.pending.length).toBe(0);
      const startedAt = performance.now();
      const other = await driver.call(worlds.socket("kms"), SIGN, { keyId: "app.p256", message: "eA==" });
      expect([other.code, performance.now() - startedAt < 1000]).toEqual(["OK", true]);
      const { grpcStatus, ms } = await hanging;
      // CANCELLED, DEADLINE_EXCEEDED or UNAVAILABLE.
      expect(["1", "4", "14"]).toContain(grpcStatus);
      expect(ms).toBeGreaterThan(1900);
      expect(ms).toBeLessThan(3500);
      expect((await request()).grpcStatus).toBe("0");
    },
  },
  {
    id: "watch.falls-behind",
    run: async ({ worlds, driver }) => {
      const socket = worlds.socket("store");
      using raw = new RawConnections(socket);
      const stream = raw.request("AdminService/Watch");
      stream.end(prefixed(new Uint8Array()));
      await new Promise((resolve) => stream.once("response", resolve));
      // Read by nobody: what the window takes, then what the broker keeps for a subscriber.
      stream.pause();
      for (let n = 0; n < 1500; n += 20) {
        const rotate = () => driver.call(socket, "SecretService/RotateSecret", { secretId: LONG_NAME });
        await Promise.all(Array.from({ length: 20 }, rotate));
      }
      const { grpcStatus, grpcMessage } = await ending(stream);
      const message = "events were lost; read the state again";
      expect([grpcStatus, decodeURIComponent(grpcMessage ?? "")]).toEqual(["15", message]);
    },
  },
];
