import type { CallContext, KeyRef, TransitOperation } from "@basil/core";
import { must } from "./must.js";
import { signatureLength } from "./signature.js";
import type { Subject } from "./subject.js";

/** Calls one operation with inputs of the right shape, whether it is claimed or not. @internal */
export async function invoke(
  subject: Subject,
  operation: TransitOperation,
  key: KeyRef,
  context: CallContext = subject.context(),
): Promise<unknown> {
  const { transit } = subject;
  switch (operation) {
    case "sign":
      return transit.sign(key, subject.message(key.keyType), context);
    case "verify": {
      const signature = new Uint8Array(signatureLength(key.keyType)).fill(0x11);
      return transit.verify(key, subject.message(key.keyType), signature, context);
    }
    case "publicKey":
      return transit.publicKey(key, context);
    case "encrypt":
      return transit.encrypt(key, subject.plaintext(key.keyType), undefined, context);
    case "decrypt": {
      const envelope = { keyVersion: 1, nonce: new Uint8Array(12), ciphertext: new Uint8Array(64).fill(0x11) };
      return transit.decrypt(key, envelope, undefined, context);
    }
    case "createKey":
      return transit.createKey(key, context);
    case "rotate":
      must(transit.rotate, "rotate is called, and the engine has no such method");
      return transit.rotate(key, context);
  }
}

/** Whether the engine has the method at all; the six that are not optional it always has. @internal */
export function hasMethod(subject: Subject, operation: TransitOperation): boolean {
  return subject.backend.transit !== undefined && (operation !== "rotate" || subject.transit.rotate !== undefined);
}
