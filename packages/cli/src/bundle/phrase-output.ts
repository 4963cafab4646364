import type { CommandContext } from "../context.js";

export interface SlotPhrase {
  readonly slot: number;
  readonly label: string;
  readonly phrase: string;
}

/**
 * Shows generated phrases before the bundle is written, so that a bundle never needs a phrase that nobody has seen.
 * Rejects when standard output is closed, and then nothing is written.
 */
export async function showPhrases(phrases: readonly SlotPhrase[], { terminal }: CommandContext): Promise<void> {
  for (const { slot, label, phrase } of phrases) {
    await terminal.outHandedOver(
      `---- recovery phrase of slot ${slot} (${label}): write it down, it is not shown again ----`,
    );
    await terminal.outHandedOver(phrase);
    await terminal.outHandedOver("---- end of recovery phrase ----");
  }
}
