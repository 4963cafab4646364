import { octal } from "./bundle-file.js";
import { BundleError } from "./errors.js";
import { type BundleHost, localHost } from "./host.js";
import { readFailure } from "./read-failure.js";

const MAX_BYTES = 64 << 10;

export interface ReadSecretOptions {
  /** Refuses a file that group or others can touch, as is right for a credential. 0600 and 0400 pass. */
  readonly private?: boolean;
  /** @internal */
  readonly host?: BundleHost;
}

/**
 * The bytes of a secret file, at most 64 KiB, as they are; the caller zeroes them. Symbolic links are followed and any
 * mode is taken unless `private` is set: systemd and Kubernetes mount credentials as links of mode 0400 or 0440.
 * @throws {@link BundleError} `NOT_FOUND`, `NOT_A_PLAIN_FILE`, `BAD_MODE`, `LIMIT`, `IO`.
 */
export async function readSecretFile(path: string, options: ReadSecretOptions = {}): Promise<Uint8Array> {
  const { host = localHost } = options;
  let found: Awaited<ReturnType<BundleHost["files"]["read"]>>;
  try {
    found = await host.files.read(path, { maxBytes: MAX_BYTES, followLinks: true });
  } catch (cause) {
    throw readFailure(path, cause);
  }
  if (found === undefined) throw new BundleError("NOT_FOUND", `${path} does not exist`, { path });
  const { bytes, facts } = found;
  if (facts.kind !== "file") throw new BundleError("NOT_A_PLAIN_FILE", `${path} is not a plain file`, { path });
  if (options.private === true && (facts.mode & 0o077) !== 0) {
    bytes.fill(0);
    throw new BundleError("BAD_MODE", `${path} has mode ${octal(facts.mode)}: a credential file must be 0600 or 0400`, {
      path,
      mode: facts.mode,
    });
  }
  if (bytes.length > MAX_BYTES) {
    bytes.fill(0);
    throw new BundleError("LIMIT", `${path} is over ${MAX_BYTES} bytes`, {
      field: path,
      limit: MAX_BYTES,
      actual: facts.size,
    });
  }
  return bytes;
}

/** A view without one LF, then one CR, at the end: what an editor adds and nobody means. Not for binary secrets. */
export function trimNewline(secret: Uint8Array): Uint8Array {
  let end = secret.length;
  if (secret[end - 1] === 0x0a) end -= 1;
  if (secret[end - 1] === 0x0d) end -= 1;
  return secret.subarray(0, end);
}
