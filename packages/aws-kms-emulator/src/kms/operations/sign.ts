import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import type { inputShapes } from "../input-shapes.js";
import type { KmsKey } from "../key.js";
import { algorithmsOf, type SigningAlgorithm } from "../key-spec.js";
import { checkState } from "../key-state.js";
import { checkUsage } from "../key-usage.js";
import { resolveKey } from "../resolve.js";
import { checkMessage, type MessageType, signMessage, verifyMessage } from "../sign-message.js";

type SignInput = Input<typeof inputShapes.Sign>;
type VerifyInput = Input<typeof inputShapes.Verify>;

export function dryRunSucceeded(): Refusal {
  return new Refusal("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.");
}

interface Checked {
  readonly key: KmsKey;
  readonly algorithm: SigningAlgorithm;
  readonly type: MessageType;
}

function check(input: SignInput, call: KmsCall, operation: "Sign" | "Verify"): Checked {
  const { key, requestAlias } = resolveKey(call, operation, input.KeyId);
  const { SigningAlgorithm: algorithm, MessageType: type = "RAW" } = input;
  call.authorize(
    operation,
    { kind: "key", key },
    {
      "kms:requestalias": requestAlias === undefined ? undefined : [requestAlias],
      "kms:signingalgorithm": [algorithm],
      "kms:messagetype": [type],
    },
  );
  checkUsage(key, "SIGN_VERIFY", operation);
  checkState(key, "use");
  if (!algorithmsOf(key.spec, key.usage)?.includes(algorithm)) {
    throw new Refusal("InvalidKeyUsageException", `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`);
  }
  checkMessage(algorithm, type, input.Message);
  if (input.DryRun) throw dryRunSucceeded();
  return { key, algorithm, type };
}

export function signOperation(input: SignInput, call: KmsCall) {
  const { key, algorithm, type } = check(input, call, "Sign");
  return {
    KeyId: key.arn,
    Signature: Buffer.from(signMessage(key, algorithm, type, input.Message)).toString("base64"),
    SigningAlgorithm: algorithm,
  };
}

export function verifyOperation(input: VerifyInput, call: KmsCall) {
  const { key, algorithm, type } = check(input, call, "Verify");
  if (!verifyMessage(key, algorithm, type, input.Message, input.Signature))
    throw new Refusal("KMSInvalidSignatureException");
  return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: algorithm };
}
