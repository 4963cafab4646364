import { constants, type FileHandle, open, unlink } from "node:fs/promises";
import { resolve } from "node:path";
import type { Logger } from "@basil/broker";
import type { AnyBundleError, AnySlotProvider, BundleErrorCode } from "@basil/bundle";
import { awsKmsProvider } from "../bundle/aws-kms-provider.js";
import { CliError } from "../cli-error.js";
import type { AgentConfig } from "../config/agent-config.js";
import { fileProblem } from "../config/read-document.js";

/** What opens the bundle, read from the files that the configuration names. Disposing zeroes what was read. */
export interface UnlockInputs extends Disposable {
  readonly providers: readonly AnySlotProvider[];
  /** Overwrites and removes the passphrase and phrase files when the configuration says so. A failure is a warning. */
  wipe(logger: Logger): Promise<void>;
}

type FileSetting = "bip39-phrase-file" | "unlock-passphrase-file" | "unlock-age-identity-file";

/** @throws {@link CliError} `FAILED` when no method is configured; `BundleError` for a file that cannot be used. */
export async function readUnlockInputs({ unlock }: AgentConfig, cwd: string): Promise<UnlockInputs> {
  const bundle = await import("@basil/bundle");
  const { ageSlot, readSecretFile, trimNewline, passphraseSlot, bip39Slot, isBundleError } = bundle;
  const underSetting = (setting: FileSetting, error: AnyBundleError) => {
    const { code, message, details } = error;
    return new bundle.BundleError<BundleErrorCode>(code, `[unlock] ${setting}: ${message}`, details, { cause: error });
  };
  const held: Uint8Array[] = [];
  const toWipe: string[] = [];
  const providers: AnySlotProvider[] = [];
  const read = async (path: string): Promise<Uint8Array> => {
    const bytes = await readSecretFile(resolve(cwd, path));
    held.push(bytes);
    return trimNewline(bytes);
  };
  const dispose = (): void => held.forEach((bytes) => void bytes.fill(0));
  try {
    const fromFile = async (setting: FileSetting, provider: (content: Uint8Array) => AnySlotProvider) => {
      const path = unlock[setting];
      if (path === undefined) return;
      try {
        providers.push(provider(await read(path)));
      } catch (error) {
        throw isBundleError(error) ? underSetting(setting, error) : error;
      }
      if (setting !== "unlock-age-identity-file") toWipe.push(path);
    };
    await fromFile("bip39-phrase-file", (content) => bip39Slot(new TextDecoder().decode(content)));
    await fromFile("unlock-passphrase-file", passphraseSlot);
    await fromFile("unlock-age-identity-file", (identities) => ageSlot({ identities }));
    if (unlock["age-yubikey"]) providers.push(ageSlot({ kind: "age-yubikey", plugin: "yubikey" }));
    const kmsKey = unlock["unlock-aws-kms-key"];
    if (kmsKey !== undefined) {
      const region = unlock["unlock-aws-kms-region"];
      providers.push(
        await awsKmsProvider(new Map([["key", kmsKey], ...(region ? [["region", region] as const] : [])])),
      );
    }
  } catch (error) {
    dispose();
    throw error;
  }
  if (providers.length === 0) {
    throw new CliError(
      "FAILED",
      "no unlock method is configured",
      { reason: "unlock_missing" },
      {
        remedy:
          "set [unlock] unlock-passphrase-file, bip39-phrase-file, unlock-age-identity-file, age-yubikey or unlock-aws-kms-key in the configuration",
      },
    );
  }
  return {
    providers,
    wipe: async (logger) => {
      if (!unlock["unlock-passphrase-wipe"]) return;
      for (const path of toWipe) await wipeFile(resolve(cwd, path), logger);
    },
    [Symbol.dispose]: dispose,
  };
}

async function wipeFile(path: string, logger: Logger): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    const { size } = await file.stat();
    await file.write(new Uint8Array(size), 0, size, 0);
    await file.sync();
    await unlink(path);
    logger.info({ path }, "the unlock file was wiped");
  } catch (error) {
    logger.warn({ path, problem: fileProblem(error) }, "the unlock file could not be wiped");
  } finally {
    await file?.close();
  }
}
