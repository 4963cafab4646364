import { z } from "zod";
import { KIND, sealedFiles } from "./backend.js";
import { capabilities } from "./capabilities.js";

/** The fields of `--backend id=…,type=sealed-files,folder=…,key-file=…`: all texts, and none that is not listed. */
const credentialSchema = z.strictObject({
  folder: z.string().startsWith("/"),
  /** 32 bytes in hex. `key-file=PATH` has the program read it from a file, so that it is in no process's arguments. */
  key: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"),
});

/**
 * What Basil looks for in the package, by this name.
 *
 * @type {import("@basil/core").BackendPlugin<import("zod").infer<typeof credentialSchema>>}
 */
export const plugin = {
  kind: KIND,
  credentialSchema,
  capabilities,
  open: async ({ folder, key }, { id }) =>
    sealedFiles({ id, folder, sealingKey: Uint8Array.from(Buffer.from(key, "hex")) }),
};
