import { afterAll, beforeAll, describe, it } from "vitest";
import { hasPython } from "../peers/python.js";
import { CASES } from "./all-cases.js";
import { Scene } from "./case.js";
import type { Driver } from "./drivers/driver.js";
import { GrpcJs } from "./drivers/grpc-js.js";
import { Grpcio } from "./drivers/grpcio.js";
import { Worlds } from "./worlds.js";

const drivers: readonly (readonly [name: string, start: () => Promise<Driver>, present: boolean])[] = [
  ["grpc-js", async () => new GrpcJs(), true],
  ["grpcio (Python)", () => Grpcio.start(), hasPython()],
];

let worlds: Worlds;
beforeAll(async () => {
  worlds = await Worlds.start();
}, 120_000);
afterAll(() => worlds[Symbol.asyncDispose]());

for (const [name, start, present] of drivers) {
  describe.skipIf(!present)(`the protocol as ${name} speaks it`, () => {
    let driver: Driver;
    beforeAll(async () => {
      driver = await start();
    }, 300_000);
    afterAll(() => driver[Symbol.asyncDispose]());

    it.for(CASES.map(({ id, run }) => [id, run] as const))("%s", ([, run]) => run(new Scene(driver, worlds)));
  });
}
