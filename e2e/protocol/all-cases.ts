import type { Case } from "./case.js";
import { admin } from "./cases/admin.js";
import { encryption } from "./cases/encryption.js";
import { keyCreation } from "./cases/key-creation.js";
import { minting } from "./cases/minting.js";
import { refusals } from "./cases/refusals.js";
import { secrets } from "./cases/secrets.js";
import { signing } from "./cases/signing.js";
import { transport } from "./cases/transport.js";
import { unsupported } from "./cases/unsupported.js";

/** The table: every case that both implementations of gRPC go through. */
export const CASES: readonly Case[] = [
  ...refusals,
  ...unsupported,
  ...signing,
  ...keyCreation,
  ...encryption,
  ...secrets,
  ...minting,
  ...admin,
  ...transport,
];
