import type { GuardedCalls } from "./guarded-calls.js";
import type { KeyVersions } from "./key-versions.js";
import type { PublicKeys } from "./public-key.js";

/** What the operations of one backend share. */
export interface Keyring {
  readonly calls: GuardedCalls;
  readonly versions: KeyVersions;
  readonly publicKeys: PublicKeys;
  /** The region that is called, where it was given. */
  readonly region?: string;
  /** Where signatures are verified: by a call, or here with the cached public key. */
  readonly verify: "kms" | "local";
  /** How many versions before the newest one still verify. */
  readonly graceVersions: number;
}
