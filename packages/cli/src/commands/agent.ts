import { Option } from "commander";
import { LOG_LEVELS, type LogLevel } from "../agent/agent-logger.js";
import { defineCommand } from "../command.js";
import { declareSettings, resolveSettings, type SettingsOptions } from "../config/agent-settings.js";

interface AgentOptions extends SettingsOptions {
  readonly logLevel: LogLevel;
}

export const agent = defineCommand<AgentOptions, { readonly stopped_by: string }>({
  name: "agent",
  summary: "run the broker in the foreground; logs go to standard error",
  strayOperand: "--config",
  examples: ["basil agent -c agent.toml", "basil agent -c agent.toml --socket /run/basil/agent.sock"],
  declare(command) {
    declareSettings(command);
    command.addOption(
      new Option("--log-level <level>", "the least that is logged").choices(LOG_LEVELS).default("info"),
    );
  },
  async run({ options }, context) {
    const { env, pid, self, signal, terminal } = context;
    const { boundHeapGrowth } = await import("../agent/heap-growth.js");
    boundHeapGrowth([...self, env.NODE_OPTIONS]);
    const { agentLogger } = await import("../agent/agent-logger.js");
    const { startAgent } = await import("../agent/start-agent.js");
    const { serviceManager } = await import("../service-manager/service-manager.js");
    const { logOnly } = await import("../agent/log-only.js");
    const logger = await agentLogger(options.logLevel, terminal);
    using _ = logOnly(logger);
    const settings = await resolveSettings(options, context);
    if (options.vaultAddr !== undefined)
      logger.warn({}, "--vault-addr has no effect: no vault backend is part of this build");
    using manager = await serviceManager(env, pid, logger);
    // Before it serves there is nothing to do for it, and dying of it would be wrong.
    context.onHangup(() => logger.warn({}, "SIGHUP ignored: the agent is still starting"));
    try {
      const running = await startAgent(settings, context, logger, manager);
      context.onHangup(() => void running.hangup());
      manager.ready("serving generation 1");
      await untilAborted(signal);
      manager.stopping();
      logger.info({ signal: String(signal.reason) }, "stopping");
      await running.close();
    } catch (error) {
      // Told to stop while it was starting: it has stopped.
      if (!signal.aborted) throw error;
    }
    return { stopped_by: String(signal.reason) };
  },
  render() {},
});

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
