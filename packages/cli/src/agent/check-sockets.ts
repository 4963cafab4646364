import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { SocketOptions } from "@basil/broker";
import type { AgentSettings } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { defaultSocketPath } from "../socket-path.js";
import { startupFailure } from "./startup-failure.js";

/** Where the agent will listen: its own socket, unless a service manager passed one, and the metrics' if there is one. */
export function socketsOf(
  { config, socket }: AgentSettings,
  { cwd }: CommandContext,
  isPassed: boolean,
): { readonly broker?: SocketOptions; readonly metrics?: SocketOptions } {
  const group = config["socket-group"];
  const metrics = config.metrics.socket;
  return {
    ...(!isPassed && { broker: { path: socket, mode: config["socket-mode"], ...(group !== undefined && { group }) } }),
    ...(metrics !== undefined && { metrics: { path: resolve(cwd, metrics) } }),
  };
}

/**
 * Finds a socket that cannot be bound before any secret is read. The folder of the default path is made.
 *
 * @throws {@link CliError} `FAILED`, naming the setting and the path.
 */
export async function checkSockets(settings: AgentSettings, context: CommandContext, isPassed: boolean): Promise<void> {
  const { checkSocket, isBrokerError, requirePlatform } = await import("@basil/broker");
  const asFailure = (setting: string) => (error: unknown) => {
    throw isBrokerError(error) ? startupFailure(error, setting) : error;
  };
  const { broker, metrics } = socketsOf(settings, context, isPassed);
  if (broker?.path === defaultSocketPath(context.env)) {
    await mkdir(dirname(broker.path), { recursive: true, mode: 0o700 }).catch(() => {});
  }
  if (broker === undefined) await requirePlatform().catch(asFailure("socket"));
  for (const [setting, options] of [
    [settings.socketVariable === undefined ? "socket" : `socket, set by ${settings.socketVariable}`, broker],
    ["[metrics] socket", metrics],
  ] as const) {
    if (options !== undefined) await checkSocket(options).catch(asFailure(setting));
  }
}
