import type { Broker, Logger } from "@basil/broker";
import type { AgentSettings } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { socketsOf } from "./check-sockets.js";

/**
 * Opens the metrics address, when there is one, and then the broker's socket: its own, or the one that a service manager
 * passed, whose path, mode and group are that manager's affair.
 */
export async function openSockets(
  broker: Broker,
  settings: AgentSettings,
  context: CommandContext,
  logger: Logger,
  passedSocket: number | undefined,
): Promise<void> {
  const { port } = settings.config.metrics;
  const { broker: own, metrics } = socketsOf(settings, context, passedSocket !== undefined);
  const scraped = metrics ?? (port !== undefined && { port });
  if (scraped) {
    const { address } = await broker.serveMetrics(scraped);
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
  if (own !== undefined) await broker.listen(own);
}
