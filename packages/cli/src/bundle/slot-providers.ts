import {
  type AnySlotProvider,
  ageSlot,
  BundleError,
  bip39Slot,
  generatePhrase,
  passphraseSlot,
  type SlotInput,
  type SlotSpec,
} from "@basil/bundle";
import { awsKmsProvider } from "./aws-kms-provider.js";
import type { SecretSource } from "./secret-source.js";

/** A slot to make, and the phrase that was generated for it. */
export interface SlotToMake extends SlotInput {
  readonly phrase?: string;
}

/** What a `--open` spec gives to try. @throws {@link BundleError} `SPEC_INVALID`, `SECRET_INVALID`, `SLOT_UNSUPPORTED`, and what reading throws. */
export async function providerToOpen(spec: SlotSpec, secrets: SecretSource): Promise<AnySlotProvider> {
  const { type, fields } = spec;
  switch (type) {
    case "passphrase":
      return passphraseSlot(await secrets.read("--open", fields, "passphrase", false));
    case "bip39":
      return bip39Slot(textOf(await secrets.read("--open", fields, "recovery phrase", false)));
    case "age":
      return ageSlot({ identities: await secrets.readFile(required("--open", spec, "identity"), { private: false }) });
    case "age-yubikey": {
      const identity = fields.get("identity");
      return identity === undefined
        ? ageSlot({ kind: type, plugin: "yubikey" })
        : ageSlot({ kind: type, identities: await secrets.readFile(identity, { private: false }) });
    }
    case "aws-kms":
      return awsKmsProvider(fields);
    case "tpm":
      throw unsupported(type);
  }
}

/** What a `--slot` spec asks to be made. @throws {@link BundleError} As {@link providerToOpen}. */
export async function slotToMake(spec: SlotSpec, secrets: SecretSource): Promise<SlotToMake> {
  const { type, fields } = spec;
  const label = fields.get("label");
  const labelled = label === undefined ? {} : { label };
  switch (type) {
    case "passphrase":
      return { provider: passphraseSlot(await secrets.read("--slot", fields, "new passphrase", true)), ...labelled };
    case "bip39": {
      const named = fields.size > (label === undefined ? 0 : 1);
      if (named) {
        return {
          provider: bip39Slot(textOf(await secrets.read("--slot", fields, "recovery phrase", true))),
          ...labelled,
        };
      }
      const phrase = generatePhrase();
      return { provider: bip39Slot(phrase), phrase, ...labelled };
    }
    case "age":
    case "age-yubikey":
      return { provider: ageSlot({ kind: type, recipient: required("--slot", spec, "recipient") }), ...labelled };
    case "aws-kms":
      for (const field of ["key", "region"]) required("--slot", spec, field);
      return { provider: await awsKmsProvider(fields), ...labelled };
    case "tpm":
      throw unsupported(type);
  }
}

/** A provider that wraps anew by the facts kept with a slot, for kinds that need no secret for it. */
export async function providerToRewrap(
  method: string,
  parameters: Readonly<Record<string, string>>,
): Promise<AnySlotProvider | undefined> {
  const { recipient } = parameters;
  if ((method === "age" || method === "age-yubikey") && recipient !== undefined) {
    return ageSlot({ kind: method, recipient });
  }
  return method === "aws-kms" ? awsKmsProvider(new Map(Object.entries(parameters))) : undefined;
}

function required(flag: string, { type, fields }: SlotSpec, field: string): string {
  const value = fields.get(field);
  if (value === undefined) {
    throw new BundleError("SPEC_INVALID", `${flag}: ${type} needs ${field}=`, { flag, field, missing: true });
  }
  return value;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new BundleError("SECRET_INVALID", "the recovery phrase is not UTF-8 text", { kind: "bip39" });
  }
}

function unsupported(kind: string): BundleError<"SLOT_UNSUPPORTED"> {
  return new BundleError("SLOT_UNSUPPORTED", `${kind} slots are not built into this program`, { kind });
}
