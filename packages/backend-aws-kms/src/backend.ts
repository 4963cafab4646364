import type { Backend, BackendHealth, TransitEngine } from "@basil/core";
import type { Breaker } from "./breaker.js";
import { awsKmsCapabilities, rotatingCapabilities } from "./capabilities.js";
import type { KmsCalls } from "./client.js";
import { decrypt, encrypt } from "./encryption.js";
import type { KeyVersions } from "./key-versions.js";
import { openClient, openKeyring, provisioningOf } from "./open-keyring.js";
import type { AwsKmsOptions } from "./options.js";
import { probe } from "./probe.js";
import { createKey } from "./provisioning.js";
import { type RotationOptions, rotate } from "./rotation.js";
import { sign } from "./signing.js";
import { verify } from "./verification.js";

/** What catalogs and credentials call this kind. */
export const AWS_KMS_KIND = "aws-kms";

/**
 * AWS KMS behind the {@link Backend} contract: `transit` only. Nothing is called before the first operation.
 *
 * @throws TypeError for an option that is out of range.
 */
export function awsKms(options: AwsKmsOptions = {}): Backend {
  return awsKmsOver(openClient(options), options);
}

/** The backend over any {@link KmsCalls}. @internal */
export function awsKmsOver(client: KmsCalls, options: AwsKmsOptions): Backend {
  const id = options.id ?? AWS_KMS_KIND;
  const { on, breaker } = openKeyring(client, id, options);
  const { confirmRotation } = options;
  const provisioning: RotationOptions = {
    ...provisioningOf(options),
    ...(confirmRotation && { confirmRotation }),
  };
  const transit: TransitEngine = {
    sign: (key, message, context) => sign(on, key, message, context),
    verify: (key, message, signature, context) => verify(on, key, message, signature, context),
    publicKey: (key, context, { version } = {}) => on.publicKeys.get(key, context, version),
    encrypt: (key, plaintext, aad, context) => encrypt(on, key, plaintext, aad, context),
    decrypt: (key, envelope, aad, context) => decrypt(on, key, envelope, aad, context),
    createKey: (key, context) => createKey(on, key, context, provisioning),
    ...(options.rotation && { rotate: (key, context) => rotate(on, key, context, provisioning) }),
  };
  return {
    id,
    kind: AWS_KMS_KIND,
    capabilities: options.rotation ? rotatingCapabilities : awsKmsCapabilities,
    transit,
    breaker: {
      get open() {
        return breaker.open;
      },
    },
    probe: (key, context) => probe(on, key, context),
    health: async () => healthOf(breaker, on.versions),
    [Symbol.asyncDispose]: async () => on.calls.close(),
  };
}

function healthOf(breaker: Breaker, versions: KeyVersions): BackendHealth {
  const drifted = [...versions.drifted].map(([path, arn]) => `${path} leads to ${arn}, which is none of its versions`);
  const failing = breaker.open > 0 ? [`operations on keys that fail for good and are held back: ${breaker.open}`] : [];
  const detail = [...failing, ...drifted].join("; ");
  return { healthy: breaker.open === 0, ...(detail !== "" && { detail }) };
}
