/** One or more segments joined by single dots; lower-case ASCII letters, digits and `_`, a segment never begins with `_`. */
export const KEY_NAME = /^[a-z0-9][a-z0-9_]*(?:\.[a-z0-9][a-z0-9_]*)*$/;

/** The rule of {@link KEY_NAME} as a scan: the pattern overflows the regular expression stack on names of many megabytes. */
export function isKeyName(name: string): boolean {
  let begins = true;
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit === 0x2e) {
      if (begins) return false;
      begins = true;
    } else {
      const isLetterOrDigit = (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x30 && unit <= 0x39);
      if (!isLetterOrDigit && (begins || unit !== 0x5f)) return false;
      begins = false;
    }
  }
  return !begins;
}

/** `<mount>/issue/<role>`; the mount is one segment that begins with `pki`. The role may be empty, as in Basil 0.7.1. */
export const PKI_ISSUE_PATH = /^pki[^/]*\/issue\/[\s\S]*$/;
/** Hours, minutes, seconds and smaller, as in `8760h` or `1h30m`; more than nothing. */
export const DURATION = /^(?=.*[1-9])(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+$/;
const LONGEST_DURATION = 64;

export function isDuration(text: string): boolean {
  return text.length <= LONGEST_DURATION && DURATION.test(text);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration such as `8760h` or `1h30m`. @throws TypeError for what is none. */
export function durationMs(text: string): number {
  if (!isDuration(text)) throw new TypeError(`${JSON.stringify(text)} is not a duration`);
  let milliseconds = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)/g)) {
    milliseconds += Number(count) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return milliseconds;
}

export const NOT_BLANK = /\S/;
