import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  ConsoleMessageId,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
} from "@microsoft/api-extractor";
import { type EntryPoint, entryPoints, root } from "./entry-points.ts";

const { values } = parseArgs({ options: { update: { type: "boolean", default: false } } });
const reports = join(root, "docs", "api");
const temporary = join(root, "docs", "node_modules", ".api-reports");

const quiet = { default: { logLevel: ExtractorLogLevel.None } };

/** Writes or compares the report of one entry point; answers what is wrong, or nothing. */
function report({ name, folder, types }: EntryPoint): string | undefined {
  if (!existsSync(types)) return `${name}: ${types} is not built`;
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: types,
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: "ES2024",
            lib: ["ES2024", "ESNext.Disposable"],
            module: "NodeNext",
            moduleResolution: "NodeNext",
            types: ["node"],
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: true,
          },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: reports,
        reportTempFolder: temporary,
        // A type that the surface shows and that has no exported name is held by its shape all the same.
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: quiet,
        tsdocMessageReporting: quiet,
        extractorMessageReporting: quiet,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, "package.json"),
  });
  let failure: string | undefined;
  const result = Extractor.invoke(config, {
    localBuild: values.update,
    printApiReportDiff: !values.update,
    messageCallback: (message: ExtractorMessage) => {
      if (message.logLevel === ExtractorLogLevel.Error) failure = message.text;
      if (message.messageId === ConsoleMessageId.ApiReportDiff) console.error(message.text.replaceAll(`${root}/`, ""));
      message.handled = true;
    },
  });
  if (result.apiReportChanged)
    return values.update ? undefined : `${name}: the public surface is not what docs/api says`;
  return result.succeeded ? undefined : `${name}: ${failure ?? "could not be read"}`;
}

mkdirSync(reports, { recursive: true });
const entries = entryPoints();
const wrong = entries.map(report).filter((line) => line !== undefined);
for (const file of readdirSync(reports)) {
  if (entries.some(({ name }) => file === `${name}.api.md`)) continue;
  if (values.update) rmSync(join(reports, file));
  else wrong.push(`${file}: there is no such entry point`);
}
for (const line of wrong) console.error(line);
if (wrong.length > 0) {
  console.error("\nA change of the public surface is declared by `pnpm api:update` and its diff in review.");
  process.exitCode = 1;
} else {
  console.log(`${entries.length} API reports ${values.update ? "written" : "hold"}`);
}
