import { cancellationRules } from "./cases/cancellation.js";
import { concurrencyRules } from "./cases/concurrency.js";
import { contractRules } from "./cases/contract.js";
import { creationRules } from "./cases/creation.js";
import { encryptionRules } from "./cases/encryption.js";
import { probingRules } from "./cases/probing.js";
import { publicKeyRules } from "./cases/public-keys.js";
import { refusalRules } from "./cases/refusals.js";
import { rotationRules } from "./cases/rotation.js";
import { signingRules } from "./cases/signing.js";
import { storedValueRules } from "./cases/stored-values.js";
import type { ConformanceCase, Rule } from "./conformance-case.js";
import type { ConformanceOptions, CreateBackend } from "./options.js";
import { Subject } from "./subject.js";

const RULES: readonly Rule[] = [
  ...contractRules,
  ...refusalRules,
  ...probingRules,
  ...creationRules,
  ...signingRules,
  ...publicKeyRules,
  ...encryptionRules,
  ...rotationRules,
  ...cancellationRules,
  ...concurrencyRules,
  ...storedValueRules,
];

/**
 * Every rule of the backend contract, for any test runner. The list is the same for every backend; what a rule demands
 * follows from the capabilities of the one it is given. Each case creates a backend and disposes of it, unless `shared`.
 */
export function conformanceCases(create: CreateBackend, options: ConformanceOptions = {}): readonly ConformanceCase[] {
  let names = 0;
  const nextName = () => String(++names);
  return RULES.map(({ group, name, check }) => ({
    group,
    name,
    run: async () => {
      const backend = await create();
      try {
        await check(new Subject(backend, options, nextName));
      } finally {
        if (!options.shared) await backend[Symbol.asyncDispose]();
      }
    },
  }));
}
