import type { KmsResourceKind } from "./kms-actions.js";
import { type KmsPlace, kmsArn } from "./kms-place.js";
import { matchesArn, matchesText, segments } from "./pattern.js";

const KEY_ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;
/** Without `alias/aws/`, which AWS keeps. */
export const ALIAS_NAME = /^alias\/(?!aws\/)[a-zA-Z0-9/_-]+$/;
/** Elsewhere, for patterns that reach over the account or the region. */
const REGIONS = ["us-east-1", "eu-central-1"];
const ACCOUNTS = ["999999999999", "123456789012"];
const SAMPLE_IDS = [
  ...[..."07f"].map((digit) => `${digit}0000000-0000-4000-8000-00000000000${digit}`),
  `mrk-${"0".repeat(32)}`,
];

/**
 * Some resources of this kind that a pattern matches, those of the deployment's place first; the pattern itself when it
 * has no wildcard, and none when KMS can have no such resource.
 */
export function instancesOf(
  pattern: string,
  kind: KmsResourceKind,
  place: KmsPlace,
  aliases: readonly string[],
): string[] {
  if (kind === "none") return pattern === "*" ? ["*"] : [];
  const [, partition = "", service = "", region = "", account = "", resource = ""] =
    pattern === "*" ? ["arn", "*", "*", "*", "*", "*"] : segments(pattern);
  if (!matchesText(partition, place.partition) || !matchesText(service, "kms")) return [];
  const named = kind === "key" ? keysOf(resource) : aliasesOf(resource, aliases);
  const regions = literalOr(region, [place.region, ...REGIONS]);
  const accounts = literalOr(account, [place.account, ...ACCOUNTS]);
  // One elsewhere in each direction is enough of an example.
  const places = [
    [regions[0], accounts[0]],
    [regions.at(-1), accounts[0]],
    [regions[0], accounts.at(-1)],
  ].flatMap(([one, other]) =>
    one === undefined || other === undefined ? [] : [{ ...place, region: one, account: other }],
  );
  const arns = places.flatMap((at) => named.map((name) => kmsArn(at, name)));
  return [...new Set(arns)].filter((arn) => matchesArn(pattern, arn));
}

function literalOr(pattern: string, samples: readonly string[]): readonly string[] {
  return /[*?]/.test(pattern) ? samples.filter((sample) => matchesText(pattern, sample)) : [pattern];
}

function keysOf(pattern: string): string[] {
  if (!/[*?]/.test(pattern)) return KEY_ID.test(pattern.replace("key/", "")) ? [pattern] : [];
  const filled = SAMPLE_IDS.flatMap((id) => [id, fill(pattern, `key/${id}`).slice("key/".length)]);
  return filled
    .filter((id) => KEY_ID.test(id))
    .map((id) => `key/${id}`)
    .filter((key) => matchesText(pattern, key));
}

function aliasesOf(pattern: string, aliases: readonly string[]): string[] {
  const named = [...aliases, pattern.replaceAll("*", "example").replaceAll("?", "x"), "alias/example"];
  return named.filter((alias) => ALIAS_NAME.test(alias) && matchesText(pattern, alias));
}

/** A sample with what the pattern says before its first star and after its last one written over it. */
function fill(pattern: string, sample: string): string {
  const [first, last] = [pattern.indexOf("*"), pattern.lastIndexOf("*")];
  const head = first < 0 ? pattern : pattern.slice(0, first);
  const tail = first < 0 ? "" : pattern.slice(last + 1);
  const middle = sample.slice(head.length, Math.max(head.length, sample.length - tail.length));
  return [...`${head}${middle}${tail}`].map((letter, at) => (letter === "?" ? (sample[at] ?? "0") : letter)).join("");
}
