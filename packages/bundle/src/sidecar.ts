import { writeAtomically } from "./atomic-write.js";
import { BundleError } from "./errors.js";
import type { FileLayer } from "./file-layer.js";
import { LIMITS } from "./limits.js";
import { readFailure } from "./read-failure.js";

/** The file beside the bundle that remembers the highest epoch seen on this host: decimal digits and a newline. */
export function sidecarPath(bundlePath: string): string {
  return `${bundlePath}.epoch`;
}

/** The epoch the sidecar holds, or nothing when there is none. @throws {@link BundleError} `SIDECAR_INVALID`, `IO`. */
export async function readSidecar(files: FileLayer, bundlePath: string): Promise<number | undefined> {
  const path = sidecarPath(bundlePath);
  let found: Awaited<ReturnType<FileLayer["read"]>>;
  try {
    found = await files.read(path, { maxBytes: 32, followLinks: false });
  } catch (cause) {
    throw readFailure(path, cause);
  }
  if (found === undefined) return undefined;
  const text = new TextDecoder().decode(found.bytes);
  const epoch = Number(text);
  if (found.facts.kind !== "file" || !/^(?:0|[1-9]\d*)\n?$/.test(text) || epoch > LIMITS.counter) {
    throw new BundleError(
      "SIDECAR_INVALID",
      `${path} does not hold an epoch: decimal digits and a newline are expected`,
      { path },
    );
  }
  return epoch;
}

/** @throws {@link BundleError} `IO`. */
export async function writeSidecar(files: FileLayer, bundlePath: string, epoch: number): Promise<void> {
  await writeAtomically(files, sidecarPath(bundlePath), new TextEncoder().encode(`${epoch}\n`));
}

/** @throws {@link BundleError} `ROLLED_BACK` when the sidecar is ahead of the bundle. */
export function checkEpoch(bundlePath: string, epoch: number, sidecarEpoch: number | undefined): void {
  if (sidecarEpoch === undefined || sidecarEpoch <= epoch) return;
  throw new BundleError(
    "ROLLED_BACK",
    `${bundlePath} is of epoch ${epoch} and ${sidecarPath(bundlePath)} has seen epoch ${sidecarEpoch}: an older copy was restored`,
    { epoch, sidecarEpoch },
  );
}
