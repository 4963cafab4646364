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
    });
  });

  it.for([
    ["[limits]\nmax-streams = 0", "[limits] max-streams is 0; allowed: a whole number from 1 to 1000000"],
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
