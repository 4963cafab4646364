import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Broker, Logger } from "@basil/broker";
import type { AgentSettings } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { defaultSocketPath } from "../socket-path.js";

/**
 * Opens the metrics address, when there is one, and then the broker's socket: its own, or the one that a service manager
 * passed, whose path, mode and group are that manager's affair.
 */
export async function openSockets(
  broker: Broker,
  { config, socket }: AgentSettings,
  { env, cwd }: CommandContext,
  logger: Logger,
  passedSocket: number | undefined,
): Promise<void> {
  const { socket: metricsSocket, port } = config.metrics;
  const metrics = metricsSocket !== undefined ? { path: resolve(cwd, metricsSocket) } : port !== undefined && { port };
  if (metrics) {
    const { address } = await broker.serveMetrics(metrics);
    logger.info({ address }, "metrics are served");
  }
  if (passedSocket !== undefined) {
    logger.info(
      { fd: passedSocket },
      "serving at the socket of the service manager; socket, mode and group of the configuration are not used",
    );
    await broker.listen({ fd: passedSocket });
    return;
  }
  if (socket === defaultSocketPath(env)) await mkdir(dirname(socket), { recursive: true, mode: 0o700 }).catch(() => {});
  const group = config["socket-group"];
  await broker.listen({ path: socket, mode: config["socket-mode"], ...(group !== undefined && { group }) });
}
