import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrpcJs } from "./drivers/grpc-js.js";
import { HealthWatch } from "./health-watch.js";
import { RawConnections } from "./raw-connection.js";
import { WIRE_CASES } from "./wire-cases.js";
import { Worlds } from "./worlds.js";

let worlds: Worlds;
beforeAll(async () => {
  worlds = await Worlds.start();
}, 120_000);
afterAll(() => worlds[Symbol.asyncDispose]());

describe("an agent below gRPC answers, and health within a second meanwhile:", () => {
  it.for(WIRE_CASES.map(({ id, run }) => [id, run] as const))("%s", async ([, run]) => {
    const socket = worlds.socket("kms");
    await using driver = new GrpcJs();
    await using health = new HealthWatch(socket);
    using raw = new RawConnections(socket);
    await run({ worlds, raw, driver });
    await expect.poll(() => health.answers, { timeout: 5000 }).toBeGreaterThan(2);
    expect(health.misses).toEqual([]);
  });
});
