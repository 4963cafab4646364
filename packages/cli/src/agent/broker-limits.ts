import type { Limits } from "@basil/broker";
import type { AgentConfig } from "../config/agent-config.js";

/** The limits that the configuration sets; the others have the broker's defaults. */
export function brokerLimits({ limits: it, ...config }: AgentConfig): Partial<Limits> {
  const milliseconds = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000);
  const set: { readonly [name in keyof Limits]?: number | undefined } = {
    maxEncryptBytes: config["max-encrypt-size"],
    maxPayloadBytes: config["max-payload-size"],
    maxConnections: it["max-connections"],
    maxStreams: it["max-streams"],
    maxInFlight: it["max-in-flight"],
    maxInFlightPerCaller: it["max-in-flight-per-caller"],
    maxWaitingPerCaller: it["max-waiting-per-caller"],
    maxOpenBytes: it["max-open-bytes"],
    maxOpenBytesPerUser: it["max-open-bytes-per-user"],
    receiveTimeoutMs: milliseconds(it["receive-timeout-secs"]),
    idleTimeoutMs: milliseconds(it["idle-timeout-secs"]),
  };
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
}
