import type { Catalog } from "@basil/catalog";
import { CliError } from "../cli-error.js";
import type { AgentSettings } from "../config/agent-settings.js";
import type { Environment } from "../context.js";

/** What names the region of a backend to a job that does not open the bundle. */
export interface RegionSources {
  /** `--region`. */
  readonly flag?: string | undefined;
  readonly env: Environment;
  readonly catalog: Catalog;
  /** For the message: where the agent has its region from. */
  readonly settings: Pick<AgentSettings, "bundle">;
}

const ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):/;
const LABEL = /^aws-kms:([a-z]{2,}(?:-[a-z]+)+-\d+)$/;

/**
 * The region of the backend `id`: flag, then `AWS_REGION`, then the ARNs that the catalog gives for its keys. What the
 * catalog's `addr` says is a label: it is offered, never taken.
 *
 * @throws {@link CliError} `USAGE` when none of them tells.
 */
export function kmsRegion(id: string, { flag, env, catalog, settings: { bundle } }: RegionSources): string {
  const given = flag ?? (env.AWS_REGION || undefined);
  if (given !== undefined) return given;
  const regions = new Set<string>();
  for (const { backend, path } of catalog.keys.values()) {
    const region = ARN.exec(path)?.[1];
    if (backend === id && region !== undefined) regions.add(region);
  }
  const [only] = regions;
  if (only !== undefined && regions.size === 1) return only;
  const why =
    regions.size > 1
      ? `the catalog's ARNs name ${[...regions].join(" and ")}`
      : bundle === undefined
        ? "neither --region nor AWS_REGION is given"
        : `the agent has it from the sealed bundle ${bundle}, which is not opened here`;
  const addr = catalog.backends.get(id)?.addr ?? "";
  const labelled = LABEL.exec(addr)?.[1];
  const flagged =
    labelled === undefined
      ? "give --region REGION"
      : `give --region ${labelled} if the catalog's label ${addr} is right`;
  throw new CliError(
    "USAGE",
    `the region of backend "${id}" is not known: ${why}`,
    { flag: "--region" },
    { remedy: `${flagged}, or set AWS_REGION` },
  );
}
