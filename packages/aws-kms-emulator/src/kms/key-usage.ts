import { Refusal } from "../refusal.js";
import type { KmsKey } from "./key.js";
import type { KeyUsage } from "./key-spec.js";

/** Refuses a key that was made for something else. */
export function checkUsage(key: KmsKey, usage: KeyUsage, operation: string): void {
  if (key.usage !== usage) {
    throw new Refusal(
      "InvalidKeyUsageException",
      `${key.arn} key usage is ${key.usage} which is not valid for ${operation}.`,
    );
  }
}
