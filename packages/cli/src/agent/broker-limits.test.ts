import { describe, expect, it } from "vitest";
import { parseAgentConfig } from "../config/load-agent-config.js";
import { brokerLimits } from "./broker-limits.js";

const limits = async (text: string) => brokerLimits(await parseAgentConfig(new TextEncoder().encode(text), "a.toml"));

describe("brokerLimits", () => {
  it("leaves to the broker what the configuration does not set", async () => {
    expect(await limits("")).toEqual({ maxEncryptBytes: 1_048_576, maxPayloadBytes: 1_048_576 });
  });

  it("takes every limit of the configuration", async () => {
    const text = `
      max-encrypt-size = 1
      max-payload-size = 2
      [limits]
      max-connections = 3
      max-streams = 4
      max-in-flight = 5
      max-in-flight-per-caller = 6
      max-waiting-per-caller = 7
      idle-timeout-secs = 8
      max-open-bytes = 900000
      max-open-bytes-per-user = 100000
      receive-timeout-secs = 11
    `;
    expect(await limits(text)).toEqual({
      maxEncryptBytes: 1,
      maxPayloadBytes: 2,
      maxConnections: 3,
      maxStreams: 4,
      maxInFlight: 5,
      maxInFlightPerCaller: 6,
      maxWaitingPerCaller: 7,
      idleTimeoutMs: 8000,
      maxOpenBytes: 900_000,
      maxOpenBytesPerUser: 100_000,
      receiveTimeoutMs: 11_000,
    });
  });

  it.for([
    ["[limits]\nmax-streams = 0", "[limits] max-streams is 0; allowed: a whole number from 1 to 1000000"],
    [
      "[limits]\nmax-open-bytes = 65535",
      "[limits] max-open-bytes is 65535; allowed: a whole number from 65536 to 9007199254740991",
    ],
    ["[limits]\nmax-open-bytes-per-user = 0.5", "[limits] max-open-bytes-per-user is 0.5; allowed: a whole number"],
    [
      "[limits]\nreceive-timeout-secs = 3601",
      "[limits] receive-timeout-secs is 3601; allowed: a whole number from 1 to 3600",
    ],
    ["[limits]\nmax-stream = 1", "did you mean [limits] max-streams?"],
    ['audit-failure = "ignore"', 'audit-failure is "ignore"; allowed: "refuse", "serve"'],
    ["drain-timeout-secs = 3601", "drain-timeout-secs is 3601; allowed: a whole number from 0 to 3600"],
    ["[metrics]\nport = 0", "[metrics] port is 0; allowed: a whole number from 1 to 65535"],
    ['[metrics]\nport = 9464\nsocket = "m.sock"', "metrics takes socket or port, not both"],
  ] as const)("refuses %j by name", async ([text, problem]) => {
    const error = await limits(text).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ details: { problems: [expect.stringContaining(problem)] } });
  });
});
