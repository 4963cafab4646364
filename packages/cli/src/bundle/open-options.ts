import { resolve } from "node:path";
import { type AnySlotProvider, inspectBundle, parseOpenSpec } from "@basil/bundle";
import type { CommandContext } from "../context.js";
import { SecretSource } from "./secret-source.js";
import { providerToOpen } from "./slot-providers.js";

export interface OpenOptions {
  readonly open?: readonly string[];
  readonly acceptRollback?: boolean;
}

/**
 * What `@basil/bundle` takes to open a bundle, from the flags. All specs are parsed before the first secret is read, and
 * before somebody types one the bundle is looked at, so that a wrong path costs no typing.
 */
export async function openOptions(
  options: OpenOptions,
  path: string,
  context: CommandContext,
  secrets: SecretSource,
): Promise<{ unlock: AnySlotProvider[]; acceptRollback: boolean; signal: AbortSignal }> {
  const specs = (options.open ?? []).map(parseOpenSpec);
  if (specs.some(({ fields }) => SecretSource.isAsked(fields))) await inspectBundle(path);
  const unlock: AnySlotProvider[] = [];
  for (const spec of specs) unlock.push(await providerToOpen(spec, secrets));
  return { unlock, acceptRollback: options.acceptRollback ?? false, signal: context.signal };
}

/** The bundle operand as it was typed, for messages, and as it is opened. */
export function bundlePath(operands: readonly string[], context: CommandContext): { typed: string; path: string } {
  const typed = operands[0] as string;
  return { typed, path: resolve(context.cwd, typed) };
}

/** Says on standard error which new slots could not be opened again. */
export function warnUntried(
  untried: readonly number[],
  slots: readonly { readonly id: number; readonly method: string }[],
  { terminal }: CommandContext,
): void {
  for (const id of untried) {
    const method = slots.find((slot) => slot.id === id)?.method ?? "unknown";
    terminal.err(`warning: slot ${id} (${method}) was not opened again: what opens it is not at hand here`);
  }
}
