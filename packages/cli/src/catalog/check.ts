import { type CatalogWarning, escapeControls } from "@basil/catalog";
import {
  CAPABILITY_MODES,
  type CapabilityMode,
  type CapabilityReport,
  checkCapabilities,
  renderCapabilityReport,
} from "@basil/core";
import { Option } from "commander";
import type { BackendKinds } from "../backend-kinds.js";
import { defineCommand } from "../command.js";
import { requiredPath, resolveSettings } from "../config/agent-settings.js";
import { counted } from "../counted.js";
import { installedCapabilities } from "../doctor/capability-check.js";
import { loadCatalog } from "../documents.js";
import { EXIT } from "../exit-code.js";
import { type DocumentOptions, declareDocuments } from "./document-options.js";
import { refusalsAsJson } from "./refusals-as-json.js";
import { writeSafeTable } from "./safe-table.js";

interface CheckOptions extends DocumentOptions {
  readonly capabilityPolicy?: CapabilityMode;
}

interface CheckReport {
  /** No fatal capability gap; a catalog that is refused never comes so far. */
  readonly ok: boolean;
  readonly document: string;
  readonly backends: readonly CheckedBackend[];
  readonly keys: number;
  readonly warnings: readonly CatalogWarning[];
  readonly capability: CapabilityReport;
}

interface CheckedBackend {
  readonly backend: string;
  readonly kind: string;
  /** Whether the package of the kind is here; `none` when this program knows no package for it. */
  readonly package: "installed" | "not installed" | "none";
  readonly keys: number;
}

export const check = defineCommand<CheckOptions, CheckReport>({
  name: "check",
  summary: "read a catalog and hold what it requires against what its backends provide; exit 1 when it is refused",
  strayOperand: "--catalog",
  examples: [
    "basil catalog check --catalog catalog.json",
    "basil catalog check -c agent.toml --capability-policy degraded",
    "basil catalog check --catalog catalog.json --json",
  ],
  declare(command) {
    declareDocuments(command, "catalog").addOption(
      new Option(
        "--capability-policy <mode>",
        "which gaps are fatal (default: the configuration's, else strict)",
      ).choices(CAPABILITY_MODES),
    );
  },
  async run({ options }, context) {
    const settings = await resolveSettings(options, context);
    const catalog = await refusalsAsJson(options, context, () => loadCatalog(settings, context.cwd));
    const kinds = await settings.kinds();
    const capability = checkCapabilities({
      catalog,
      provided: await installedCapabilities(catalog, kinds),
      mode: options.capabilityPolicy ?? settings.config["capability-policy"],
    });
    const keys = [...catalog.keys.values()];
    return {
      ok: capability.ok,
      document: requiredPath(settings, "catalog"),
      backends: [...catalog.backends.values()].map(({ name, kind }) => ({
        backend: name,
        kind,
        package: packageOf(kind, kinds),
        keys: keys.filter((key) => key.backend === name).length,
      })),
      keys: keys.length,
      warnings: catalog.warnings,
      capability,
    };
  },
  render({ ok, document, backends, keys, warnings, capability }, terminal) {
    const { out, colors } = terminal;
    out(
      `${document}: ${counted(backends.length, "backend")}, ${counted(keys, "key")}, ${counted(warnings.length, "warning")}`,
    );
    writeSafeTable(
      ["BACKEND", "KIND", "PACKAGE", "KEYS"],
      backends.map((row) => [row.backend, row.kind, row.package, String(row.keys)]),
      terminal,
    );
    for (const { message } of warnings) out(`${colors.yellow("warning:")} ${escapeControls(message)}`);
    const [summary = "", ...lines] = renderCapabilityReport(capability).map(escapeControls);
    out(ok ? summary : colors.red(summary));
    for (const line of lines) out(`  ${line}`);
  },
  jsonStyle: "document",
  exitCode: ({ ok }) => (ok ? EXIT.done : EXIT.no),
});

function packageOf(kind: string, kinds: BackendKinds): CheckedBackend["package"] {
  const gap = kinds.gap(kind);
  if (gap === undefined) return "installed";
  return gap.package === undefined ? "none" : "not installed";
}
